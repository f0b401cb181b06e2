import { afterEach, describe, expect, test } from "vitest";
import type { AssetDefinition } from "../../control-plane/src/domain/definitions.ts";
import { Engine, listenerOf } from "../support/engine.ts";
import { type Compute, FakeLocation, Pause, computed, succeeded, threw } from "../support/fake-location.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  // Whatever happened: the history keeps every rule.
  expect(violations).toEqual([]);
});

const partitions = { kind: "static", keys: ["1", "2", "3", "4", "5"] } as const;
const trying = { maxRetries: 2, delayMs: 0, backoff: "constant", jitter: 0, maxCrashes: 1 } as const;

const batchOf = (partitionsMax: number, more: Partial<AssetDefinition> = {}): AssetDefinition =>
  assetOf("a/batch", ["a/raw"], { partitions, batch: { partitionsMax }, retry: trying, ...more });
const raw = assetOf("a/raw", [], { partitions });

/** By partition of a/batch; what is not named succeeds, and so do all others. */
const byPartition =
  (computes: Readonly<Record<string, Compute>>): Compute =>
  (attempt) => {
    const { asset, partition } = attempt.command;
    const compute = asset === "a/batch" ? computes[partition] : undefined;
    return (compute ?? (({ command }) => succeeded(command)))(attempt);
  };

const steps = async (run: string): Promise<string[]> => {
  const { rows } = await engine.pool.query<{ line: string }>(
    `select concat_ws(' ', partition_key, state, attempts::text) as line from steps
     where run_id = $1 and asset_key = 'a/batch' order by partition_key`,
    [run],
  );
  return rows.map(({ line }) => line);
};

const readBy = async (partition: string): Promise<string> => {
  const { rows } = await engine.pool.query<{ line: string }>(
    `select string_agg(v ->> 'partition', ',') as line from versions, jsonb_array_elements(inputs) i,
       jsonb_array_elements(i -> 'versions') v where asset_key = 'a/batch' and partition_key = $1`,
    [partition],
  );
  return rows[0]?.line ?? "";
};

describe("partitions of an asset that computes several in one call", () => {
  test("are commanded as many at a time as it takes, for one credit, each with what it reads, and end each for itself", async () => {
    engine = await Engine.open([locationOf("a", [raw, batchOf(3)], [checkOf("a/batch", "ok")])]);
    const location = new FakeLocation("a", {
      credits: 1,
      compute: byPartition({
        "2": ({ command }) => (command.attemptNumber === 1 ? threw("no disk") : succeeded(command)),
        "3": () => threw("never", { permanent: true }),
        "4": ({ command }) => succeeded(command, { ok: "failed" }),
      }),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run)).toBe("failed");
    // Partition 2 is tried again alone: the others of its call have ended.
    expect(location.batches).toEqual([
      ["1", "2", "3"],
      ["4", "5"],
    ]);
    expect(await steps(run)).toEqual([
      "1 succeeded 1",
      "2 succeeded 2",
      "3 failed 1",
      "4 succeeded 1",
      "5 succeeded 1",
    ]);
    expect(await Promise.all(["1", "2", "5"].map(readBy))).toEqual(["1", "2", "5"]);
  });

  test("whose gate is closed are left out with their own reason, and the others are computed without them", async () => {
    engine = await Engine.open([locationOf("a", [raw, batchOf(5)], [checkOf("a/raw", "ok")])]);
    const location = new FakeLocation("a", {
      compute: ({ command }) => succeeded(command, command.partition === "3" ? { ok: "failed" } : {}),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run)).toBe("blocked");
    expect(location.batches).toEqual([["1", "2", "4", "5"]]);
    expect(await steps(run)).toEqual([
      "1 succeeded 1",
      "2 succeeded 1",
      "3 blocked 0",
      "4 succeeded 1",
      "5 succeeded 1",
    ]);
    expect(await engine.count("from decisions where partition_key = '3' and reasons -> 0 ->> 'check' = 'ok'")).toBe(1);
  });

  test("of a run that waits for gates do not wait for the partition whose gate is closed", async () => {
    engine = await Engine.open([locationOf("a", [raw, batchOf(5)], [checkOf("a/raw", "ok")])]);
    let isGood = false;
    const location = new FakeLocation("a", {
      compute: ({ command }) => succeeded(command, command.partition === "3" && !isGood ? { ok: "failed" } : {}),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*", { whenOpen: true });
    await engine.until("select from steps where asset_key = 'a/batch' and state = 'succeeded' having count(*) = 4");
    isGood = true;
    expect(await engine.run("a/raw", { partitions: "3" })).toBe("succeeded");
    expect(await engine.ended(run)).toBe("blocked");
    expect((await steps(run)).at(2)).toBe("3 succeeded 1");
  });

  test("do not wait for one that another run computes", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [raw, batchOf(5)])]);
    const location = new FakeLocation("a");
    await engine.startDaemon([location]);
    expect(await engine.run("a/raw")).toBe("succeeded");
    location.compute = byPartition({ "2": pause.compute });
    const alone = await engine.launch("a/batch", { partitions: "2" });
    await pause.begun;
    location.compute = ({ command }) => succeeded(command);
    const run = await engine.launch("a/batch");
    await engine.until("select from steps where run_id = $1 and state = 'succeeded' having count(*) = 4", [run]);
    expect(location.batches).toEqual([["1", "3", "4", "5"]]);
    await pause.succeed();
    expect(await engine.ended(alone)).toBe("succeeded");
    expect(await engine.ended(run)).toBe("succeeded");
    expect(await engine.count("from attempts where asset_key = 'a/batch' and partition_key = '2'")).toBe(2);
  });

  test("are computed in smaller calls where the definition takes fewer by the time that they are leased", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [raw, batchOf(5)])]);
    const location = new FakeLocation("a", {
      compute: (attempt) =>
        (attempt.command.partition === "5" && attempt.command.asset === "a/raw" ? pause : passing).compute(attempt),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    await pause.begun;
    await engine.define(locationOf("a", [raw, batchOf(2)]));
    await pause.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.batches).toEqual([
      ["1", "2"],
      ["3", "4"],
    ]);
    expect(location.begunFor("a/batch", "5").length).toBe(1);
  });

  test("are canceled by one word, and what had ended stays", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [raw, batchOf(5)])]);
    const location = new FakeLocation("a", {
      cancelsTogether: true,
      compute: byPartition({
        "1": ({ command }) => succeeded(command),
        "2": pause.compute,
        "3": endless,
        "4": endless,
        "5": endless,
      }),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    await pause.begun;
    await engine.until("select from steps where asset_key = 'a/batch' and state = 'succeeded'");
    await engine.cancel(run);
    expect(await engine.ended(run)).toBe("canceled");
    expect(location.canceled.length).toBe(1);
    expect(await steps(run)).toEqual(["1 succeeded 1", "2 canceled 1", "3 canceled 1", "4 canceled 1", "5 canceled 1"]);
  });
});

describe("a call of several partitions that is cut off", () => {
  test("keeps what was durable when its process died, and computes the rest again in one call", async () => {
    const second = new Pause();
    engine = await Engine.open([locationOf("a", [raw, batchOf(4)])]);
    let computing: Compute = byPartition({
      "1": (attempt) => {
        attempt.say({ kind: "computed", computed: computed(attempt.command) });
        return new Promise(() => undefined);
      },
      "2": second.compute,
      "3": endless,
      "4": endless,
    });
    const location = new FakeLocation("a", { compute: (attempt) => computing(attempt) });
    const daemon = await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    await second.begun;
    await engine.until("select from versions where asset_key = 'a/batch' and partition_key = '1'");
    computing = ({ command }) => succeeded(command);
    daemon.drive.contact.instanceExited("a", location.exit());
    location.connect(listenerOf(daemon));
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.batches).toEqual([
      ["1", "2", "3", "4"],
      ["2", "3", "4"],
    ]);
    expect(await engine.count("from versions where asset_key = 'a/batch'")).toBe(5);
  });

  test("is heard to its end by the daemon that takes over, and nothing is computed twice", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [raw, batchOf(5)])]);
    const location = new FakeLocation("a", { compute: byPartition({ "4": pause.compute }) });
    const first = await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    await pause.begun;
    await first.stop();
    const second = await engine.startDaemon();
    location.connect(listenerOf(second));
    await engine.until("select from runs where driver = $1", [second.id]);
    await pause.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.begun.length).toBe(10);
    expect(await engine.count("from versions")).toBe(10);
  });

  test("whose command did not arrive is sent again as a whole, each partition with what it reads", async () => {
    engine = await Engine.open([locationOf("a", [raw, batchOf(3)])]);
    const location = new FakeLocation("a");
    location.reconnects = false;
    let isLost = false;
    const first = await engine.startDaemon([location], {
      flushPool: (pool) =>
        ({
          query: async (config: { values: [string] }) => {
            const result = await (pool.query(config as never) as unknown as Promise<unknown>);
            // Committed, and the session breaks before the command is sent.
            if (!isLost && config.values[0].includes('"computation"')) {
              isLost = true;
              location.disconnect();
            }
            return result;
          },
        }) as never,
    });
    const run = await engine.launch("a/*", { partitions: "1,2,3" });
    await engine.until("select from attempts where asset_key = 'a/batch' having count(*) = 3");
    // Whoever takes over makes the command anew from what was pinned.
    await first.stop();
    const second = await engine.startDaemon();
    await engine.until("select from runs where driver = $1", [second.id]);
    // A daemon that hears of an attempt later than of its location asks the location once more.
    location.reconnects = true;
    location.connect(listenerOf(second));
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.batches).toEqual([["1", "2", "3"]]);
    const inputs = location
      .begunFor("a/batch", "2")
      .flatMap(({ work }) => (work.kind === "materialize" ? work.inputs : []));
    expect(inputs.map(({ versions }) => versions.map(({ partition }) => partition))).toEqual([["2"]]);
    expect(await engine.count("from attempts where asset_key = 'a/batch'")).toBe(3);
  });
});

const passing = { compute: (({ command }) => succeeded(command)) satisfies Compute };
const endless: Compute = (attempt) =>
  new Promise((resolve) =>
    attempt.signal.addEventListener("abort", () => resolve({ ...succeeded(attempt.command), outcome: "canceled" })),
  );
