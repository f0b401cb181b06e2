import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { HandshakeRequest, HandshakeResponse } from "@headgate/proto";
import { serve } from "@headgate/sdk/serve";
import type { ServedLocation } from "@headgate/sdk/serve";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EvaluationAnswer } from "../../control-plane/src/domain/evaluation.ts";
import { type LocationClient, connectLocation } from "../../control-plane/src/grpc/location-client.ts";
import { client } from "../sdk/support/daemon-session.ts";
import { LocationFolder } from "../sdk/support/location-folder.ts";

const folder = new LocationFolder({
  "definitions.ts": `
import { writeFileSync } from "node:fs";
import { asset, definitions, dynamicPartitions, resource, secret, sensor } from "@headgate/sdk";
import { z } from "zod";
import { json } from "./io.ts";

const values = process.env.HEADGATE_TEST_VALUES!;
let created = 0;
const vault = resource({ create: ({ read }) => ({ key: read(secret("SHOP_SECRET")), created: ++created }) });
const regions = dynamicPartitions({ name: "regions" });
const orders = asset({ key: "shop/orders", partitions: regions, compute: () => 1 });
const totals = asset({ key: "shop/totals", compute: () => 1 });
const counting = sensor({
  name: "shop/counting",
  targets: [orders, totals],
  cursor: z.int().default(0),
  resources: { vault },
  evaluate: ({ cursor, resources, log, now }) => {
    console.log("key", resources.vault.key);
    log.info("counting", { created: resources.vault.created });
    if (cursor >= 2) return { skip: "enough with " + resources.vault.key, cursor: cursor + 1 };
    const next = cursor + 1;
    const request = { runKey: "n" + next, target: orders, partitions: "eu", config: { "shop/orders": { next } } };
    return { requests: [request, {}], addPartitions: [{ set: regions, keys: ["eu"] }], cursor: next };
  },
});
const misbehaving = (name, evaluate) => sensor({ name: "shop/" + name, targets: [totals], evaluate });
export default definitions({
  team: "shop",
  io: json,
  assets: [orders, totals],
  sensors: [
    counting,
    misbehaving("throws", () => { throw new Error("no folder for " + process.env.SHOP_SECRET); }), // line 34
    misbehaving("waits", ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("echo"))))),
    misbehaving("hangs", () => { writeFileSync(values + "/hangs", ""); for (;;) {} }),
    misbehaving("dies", () => process.exit(7)),
    misbehaving("rejects", () => { setTimeout(() => { throw new Error("late"); }); return new Promise(() => {}); }),
    misbehaving("floods", () => { console.log("x".repeat(100_000)); return { skip: "flood" }; }),
    misbehaving("quick", () => ({ requests: [{ runKey: "q" }] })),
  ],
});
`,
});

let served: ServedLocation;
let location: LocationClient;

beforeAll(async () => {
  process.env["HEADGATE_TEST_VALUES"] = join(folder.path, "values");
  process.env["SHOP_SECRET"] = "very-secret-value";
  served = await serve({ module: folder.path, port: 0, workers: 1, signals: false });
  location = connectLocation({ address: `127.0.0.1:${served.port}`, daemonId: "d" });
});

afterAll(async () => {
  location.close();
  await served.close({ deadlineMs: 0 });
  folder.remove();
});

function evaluate(name: string, cursor?: string, timeoutMs = 20_000): Promise<EvaluationAnswer> {
  const evaluation = { sensor: `shop/${name}`, cursor, timeoutMs, nowMs: 1_000 };
  return location.evaluate(evaluation, new AbortController().signal);
}

const failed = (error: Record<string, unknown>) => expect.objectContaining({ kind: "failed", error }) as unknown;
const like = (error: Record<string, unknown>) => expect.objectContaining(error) as Record<string, unknown>;

describe("evaluating a sensor", () => {
  test("answers what is to run, with the cursor from which the next evaluation goes on", async () => {
    const first = await evaluate("counting");
    expect(first).toMatchObject({
      kind: "answered",
      requests: [
        { runKey: "n1", targets: ["shop/orders"], partitions: "eu", config: { "shop/orders": { next: 1 } }, tags: {} },
        { targets: [], partitions: "", config: {}, tags: {} },
      ],
      addPartitions: [{ set: "regions", keys: ["eu"] }],
      cursor: "1",
      skipReason: "",
    });
    expect(await evaluate("counting", "2")).toMatchObject({ requests: [], cursor: "3" });
  });

  test("keeps resources from one evaluation to the next, and strikes secrets out of what it says", async () => {
    await evaluate("counting", "2");
    const again = await evaluate("counting", "2");
    expect(again).toMatchObject({ skipReason: "enough with [redacted]" });
    expect(again.log.text).toContain("key [redacted]");
    expect(again.log.text).toContain('"created":1');
    const flood = await evaluate("floods");
    expect(flood.log.text.length).toBe(65_536);
    expect(flood.log.droppedBytes).toBe(100_001 - 65_536);
  });

  test("that goes wrong says why, with its place in the source", async () => {
    expect(await evaluate("throws")).toEqual(
      failed(
        like({
          code: "sensor.threw",
          message: "no folder for [redacted]",
          position: like({ file: "definitions.ts", line: 34 }),
        }),
      ),
    );
    expect(await evaluate("counting", '"two"')).toEqual(failed(like({ code: "sensor.stored_cursor_invalid" })));
    expect(await evaluate("nowhere")).toEqual(failed(like({ code: "sensor.unknown" })));
    expect(await evaluate("waits", undefined, 50)).toEqual(failed(like({ code: "sensor.timed_out" })));
    expect(await evaluate("dies")).toEqual(
      failed(like({ code: "sensor.crashed", message: "The worker process ended with exit code 7." })),
    );
    expect(await evaluate("rejects")).toEqual(failed(like({ code: "sensor.uncaught", message: "late" })));
  });

  test("that hangs holds up its own process alone, until that is killed", async () => {
    const gone = new AbortController();
    const evaluation = { sensor: "shop/hangs", cursor: undefined, timeoutMs: 600_000, nowMs: 1 };
    const hanging = location.evaluate(evaluation, gone.signal);
    while (!existsSync(join(folder.path, "values", "hangs"))) await evaluate("quick");
    const quick = await Promise.all(Array.from({ length: 200 }, () => evaluate("quick")));
    expect(quick.every((answer) => answer.kind === "answered" && answer.requests.length === 1)).toBe(true);
    gone.abort();
    await expect(hanging).rejects.toMatchObject({ name: "LocationError" });
    expect(await evaluate("hangs", undefined, 100)).toEqual(failed(like({ code: "sensor.timed_out" })));
  });

  test("is broken off when nobody waits for it any more", async () => {
    const gone = new AbortController();
    const evaluation = { sensor: "shop/waits", cursor: undefined, timeoutMs: 60_000, nowMs: 1 };
    const broken = location.evaluate(evaluation, gone.signal);
    gone.abort();
    await expect(broken).rejects.toMatchObject({ name: "LocationError" });
    expect(await evaluate("quick")).toMatchObject({ kind: "answered" });
  });
});

test("a control plane that knows no sensors is told so by a location that has some", async () => {
  const stub = client(served.port);
  const handshake = promisify<HandshakeRequest, HandshakeResponse>(stub.handshake.bind(stub));
  const old = await handshake({ protocolMin: 1, protocolMax: 1, daemonId: "old" });
  expect(old).toMatchObject({ protocol: 0 });
  expect(old.refusal).toContain("defines schedules or sensors and speaks protocol 2 to 2");
  expect(old.refusal).toContain("update the control plane");
  expect(await handshake({ protocolMin: 1, protocolMax: 2, daemonId: "new" })).toMatchObject({ protocol: 2 });
  stub.close();
});
