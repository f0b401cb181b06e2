import fc from "fast-check";
import { expect, test } from "vitest";
import { SettleQueue } from "../../control-plane/src/daemons/settle-queue.ts";
import type { RequestedRun } from "../../control-plane/src/domain/evaluation.ts";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { planRequest } from "../../control-plane/src/domain/plan-request.ts";
import { sensorDelayMs } from "../../control-plane/src/domain/sensor-delay.ts";
import { assetOf, locationOf, sensorOf } from "../support/graph-definitions.ts";

const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2002-01" } as const;
const definition = sensorOf("shop/files", ["shop/table", "shop/monthly"]);
const graph = buildGraph(
  [
    locationOf("shop", [assetOf("shop/table"), assetOf("shop/monthly", [], { partitions: months })], [], {
      sensors: [{ definition, hash: "h", firstSeenMs: 0 }],
    }),
  ],
  new Map(),
);
const sensor = graph.sensors.get("shop/files")!;
const nowMs = Date.UTC(2026, 0, 1);

test("whatever a sensor asks for is a run of its own targets and of the partitions that it names, or a refusal in words", () => {
  const month = fc.integer({ min: 1, max: 14 }).map((n) => `2001-${String(n).padStart(2, "0")}`);
  const request: fc.Arbitrary<RequestedRun> = fc.record({
    targets: fc.subarray(["shop/table", "shop/monthly", "bank/rates"] as never[]),
    partitions: fc.oneof(fc.constant(""), month, fc.string(), fc.array(month, { maxLength: 3 }).map(String)),
    config: fc.dictionary(fc.constantFrom("shop/table", "nobody"), fc.dictionary(fc.string(), fc.jsonValue())),
    tags: fc.dictionary(fc.string(), fc.string()),
  });
  fc.assert(
    fc.property(request, (asked) => {
      const planned = planRequest(graph, sensor, asked, nowMs);
      if (!planned.ok) {
        expect(planned).toMatchObject({ code: expect.stringMatching(/^[a-z]+\.[a-z_]+$/) as string });
        expect(planned.message.length * planned.hint.length).toBeGreaterThan(0);
        return;
      }
      const wanted: readonly string[] = asked.targets.length === 0 ? definition.targets : asked.targets;
      const made = planned.plan.steps.map(({ asset, partition }) => [asset, partition] as const);
      expect(new Set(made.map(([asset]) => asset))).toEqual(new Set(wanted));
      for (const [asset, partition] of made) {
        expect(asset === "shop/monthly" ? asked.partitions.split(",").includes(partition) : partition === "").toBe(
          true,
        );
      }
    }),
  );
});

test("a sensor that fails waits twice as long each time, up to ten minutes, and never less than its interval", () => {
  const delays = [0, 1, 2, 3, 4, 5, 20].map((failures) => sensorDelayMs(30_000, failures, 0));
  expect(delays).toEqual([30_000, 30_000, 60_000, 120_000, 240_000, 480_000, 600_000]);
  expect(sensorDelayMs(100, 1, 0)).toBe(1_000);
  const interval = fc.integer({ min: 100, max: 2_147_483_647 });
  fc.assert(
    fc.property(interval, fc.nat(1_000), fc.double({ min: 0, max: 1, noNaN: true }), (ms, failures, random) => {
      const delayMs = sensorDelayMs(ms, failures, random);
      expect(delayMs).toBeGreaterThanOrEqual(ms);
      expect(delayMs).toBeLessThanOrEqual(1.2 * Math.max(ms, 600_000) + 1);
      expect(sensorDelayMs(ms, failures + 1, random)).toBeGreaterThanOrEqual(delayMs);
    }),
  );
});

test("what arrives while a write is under way is written together, and a bad item fails alone", async () => {
  const written: number[][] = [];
  const queue = new SettleQueue<number, number>(async (items) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (items.includes(3)) throw new Error("three");
    written.push([...items]);
    return items.map((item) => item * 10);
  });
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map((item) => queue.add(item)));
  expect(outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : "failed"))).toEqual([
    10,
    20,
    "failed",
    40,
  ]);
  expect(written).toEqual([[1], [2], [4]]);
  expect(await Promise.all([5, 6, 7].map((item) => queue.add(item)))).toEqual([50, 60, 70]);
  expect(written.slice(3).flat()).toEqual([5, 6, 7]);
});
