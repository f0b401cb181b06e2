import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { asset, dynamicPartitions, resource, sensor } from "@headgate/sdk";
import type { SensorResult } from "@headgate/sdk";
import { evaluateSensor } from "@headgate/sdk/testing";
import { sensorAnswer } from "../../shared/sdk/src/step/sensor-answer.ts";
import { described } from "./support/described.ts";

const orders = asset({ key: "shop/orders", compute: () => 1 });
const totals = asset({ key: "shop/totals", compute: () => 1 });
const foreign = asset({ key: "bank/rates", compute: () => 1 });
const evaluate = () => undefined;

describe("a sensor", () => {
  test("goes into the manifest with the assets that it may ask for", () => {
    const late = sensor({
      name: "shop/late",
      description: "looks for files",
      targets: [orders, totals, orders],
      minimumIntervalMs: 5_000,
      timeoutMs: 2_000,
      status: "off",
      evaluate,
    });
    const { sensors, errors } = described({ assets: [orders, totals], sensors: [late] });
    expect(errors).toEqual({});
    expect(sensors["shop/late"]).toMatchObject({
      name: "shop/late",
      description: "looks for files",
      targets: ["shop/orders", "shop/totals"],
      minimumIntervalMs: 5_000,
      timeoutMs: 2_000,
      startsOff: true,
    });
  });

  test("that is wrong is an error of its own, and hides no other", () => {
    const good = sensor({ name: "shop/good", targets: [orders], evaluate });
    const { sensors, errors } = described({
      assets: [orders],
      sensors: [
        good,
        sensor({ name: "late", targets: [orders], evaluate }),
        sensor({ name: "bank/late", targets: [orders], evaluate }),
        sensor({ name: "shop/none", targets: [], evaluate }),
        sensor({ name: "shop/foreign", targets: [foreign], evaluate }),
        sensor({ name: "shop/undefined", targets: [undefined as never], evaluate }),
        sensor({ name: "shop/hasty", targets: [orders], minimumIntervalMs: 10, evaluate }),
        sensor({ name: "shop/idle", targets: [orders] } as never),
        sensor({ name: "shop/blank", targets: [orders], cursor: z.string() as never, evaluate }),
        sensor({ name: "shop/typo", targets: [orders], timeout: 5, evaluate } as never),
        { ...good, name: "shop/spread", kind: "asset" } as never,
      ],
    });
    expect(Object.keys(sensors)).toEqual(["shop/good"]);
    expect(errors).toMatchObject({
      "definitions.ts#sensors[1]": expect.stringContaining('"late" is not the name of a sensor') as string,
      "bank/late": expect.stringContaining('these definitions are those of team "shop"') as string,
      "shop/none": expect.stringContaining("a list of assets, one at least") as string,
      "shop/foreign": expect.stringContaining('The key bank/rates belongs to team "bank"') as string,
      "shop/undefined": expect.stringContaining("targets[0]") as string,
      "shop/hasty": expect.stringContaining("a whole number from 100") as string,
      "shop/idle": expect.stringContaining("has no evaluate function") as string,
      "shop/blank": expect.stringContaining("before the first evaluation there is none") as string,
      "shop/typo": expect.stringContaining('unknown field "timeout"') as string,
      "shop/spread": expect.stringContaining("was not made by sensor") as string,
    });
  });

  test("of two with one name is refused twice, with both places", () => {
    const twin = () => sensor({ name: "shop/twin", targets: [orders], evaluate });
    const { sensors, errors } = described({ assets: [orders], sensors: [twin(), twin()] });
    expect(errors["shop/twin"]).toContain("is defined twice");
    expect(sensors).toEqual({});
  });
});

describe("evaluateSensor", () => {
  const folder = resource({ create: () => ({ list: (): string[] => [] }) });
  const landing = sensor({
    name: "shop/landing",
    targets: [orders, totals],
    cursor: z.object({ last: z.string() }).default({ last: "" }),
    resources: { folder },
    evaluate: ({ cursor, resources, log, now }) => {
      const fresh = resources.folder.list().filter((name) => name > cursor.last);
      log.info("looked", { at: now.getTime() });
      if (fresh.length === 0) return { skip: `nothing after ${cursor.last}` };
      const requests = fresh.map((runKey) => ({ runKey, target: orders, config: { [orders.key]: { file: runKey } } }));
      return { requests, cursor: { last: fresh.at(-1)! } };
    },
  });
  const resources = { folder: { list: () => ["a.csv", "b.csv"] } };

  test("asks from the beginning, then goes on from the cursor", async () => {
    const first = await evaluateSensor(landing, { resources, now: new Date(7) });
    expect(first).toEqual({
      requests: ["a.csv", "b.csv"].map((runKey) => ({
        runKey,
        targets: ["shop/orders"],
        partitions: "",
        config: { "shop/orders": { file: runKey } },
        tags: {},
      })),
      addPartitions: [],
      cursor: { last: "b.csv" },
      skip: undefined,
      logs: [{ level: "info", message: "looked", fields: { at: 7 } }],
    });
    const second = await evaluateSensor(landing, { resources, cursor: first.cursor! });
    expect(second).toMatchObject({ requests: [], skip: "nothing after b.csv", cursor: { last: "b.csv" } });
  });

  test("refuses a cursor that its schema refuses, before and after", async () => {
    await expect(evaluateSensor(landing, { cursor: { last: 3 } as never, resources })).rejects.toMatchObject({
      code: "sensor.stored_cursor_invalid",
      message: expect.stringContaining("at last") as string,
    });
    const returning = (cursor: unknown, schema: unknown = z.string().default("")) =>
      evaluateSensor(
        sensor({ name: "shop/x", targets: [orders], cursor: schema as never, evaluate: () => ({ cursor }) as never }),
      );
    await expect(returning(3)).rejects.toMatchObject({ code: "sensor.cursor_invalid" });
    await expect(returning("x", undefined)).resolves.toMatchObject({ cursor: "x" });
    await expect(returning(10n)).rejects.toMatchObject({ code: "sensor.cursor_invalid" });
    await expect(returning("x".repeat(70_000))).rejects.toMatchObject({ code: "sensor.cursor_too_large" });
    const without = sensor({ name: "shop/x", targets: [orders], evaluate: () => ({ cursor: "x" }) as never });
    await expect(evaluateSensor(without)).rejects.toMatchObject({ code: "sensor.cursor_invalid" });
  });

  test("refuses what a tick would refuse, and says what to do instead", async () => {
    const regions = dynamicPartitions({ name: "regions" });
    const answering = (answer: unknown) =>
      evaluateSensor(
        sensor({ name: "shop/x", targets: [orders], evaluate: () => answer as SensorResult<undefined, never> }),
      );
    const refused: [unknown, string][] = [
      ["later", '"later" and not an object'],
      [{ request: [] }, 'unknown field "request"'],
      [{ requests: {} }, "not a list"],
      [{ skip: "no", requests: [{}] }, "together with requests"],
      [{ requests: [{ target: totals }] }, '"shop/totals", which is not a target'],
      [{ requests: [{ run_key: "a" }] }, 'unknown field "run_key"'],
      [{ requests: [{ runKey: "x".repeat(256) }] }, "256 characters, of at most 255"],
      [{ requests: [{ tags: { a: 1 } }] }, "not a text"],
      [{ requests: [{ config: { x: 1n } }] }, "is not JSON"],
      [{ addPartitions: [{ set: "regions", keys: [] }] }, "addPartitions[0].set is"],
      [{ addPartitions: [{ set: regions, keys: Array.from({ length: 10_001 }, String) }] }, "10001 partitions"],
      [{ requests: Array.from({ length: 1_001 }, () => ({})) }, "asks for 1001 runs"],
    ];
    for (const [answer, words] of refused) {
      await expect(answering(answer), words).rejects.toThrow(words);
    }
    await expect(answering({ addPartitions: [{ set: regions, keys: ["eu"] }] })).resolves.toMatchObject({
      addPartitions: [{ set: "regions", keys: ["eu"] }],
    });
    await expect(answering(undefined)).resolves.toMatchObject({ requests: [], skip: undefined });
  });

  test("whatever evaluate returns is either an answer within the bounds or a refusal in words", () => {
    const any = sensor({ name: "shop/x", targets: [orders], evaluate });
    fc.assert(
      fc.property(fc.anything(), fc.array(fc.anything()), (value, requests) => {
        for (const returned of [value, { requests }, { requests: [value] }, { addPartitions: requests }]) {
          try {
            const answer = sensorAnswer(any, returned);
            expect(answer.requests.length).toBeLessThanOrEqual(1_000);
            for (const request of answer.requests) {
              expect(request.targets.every((key) => key === orders.key)).toBe(true);
              expect(typeof request.runKey).toBe("string");
            }
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/^sensor\./) as string });
          }
        }
      }),
    );
  });
});
