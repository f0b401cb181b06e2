import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { Engine } from "../support/engine.ts";
import { FakeLocation, Pause, succeeded, threw } from "../support/fake-location.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  // Whatever happened: the history keeps every rule.
  expect(violations).toEqual([]);
});

describe("a run", () => {
  test("computes a chain in order, each step once, with two events and one commit a hop", async () => {
    const keys = Array.from({ length: 20 }, (_, n) => `a/n${String(n)}`);
    const assets = keys.map((key, n) => assetOf(key, keys.slice(Math.max(n - 1, 0), n)));
    const checks = keys.map((key) => checkOf(key, "ok"));
    engine = await Engine.open([locationOf("a", assets, checks)]);
    const location = new FakeLocation("a");
    await engine.startDaemon([location]);
    const run = await engine.launch("a/n0+");
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.begun.map((command) => command.asset)).toEqual(keys);
    // Queued, started and ended, and of each step that it was leased and succeeded.
    expect(await engine.count("from events where run_id = $1", [run])).toBe(3 + 2 * keys.length);
    // What one transaction wrote bears its id: queued, started, the first lease, and then one a hop.
    const commits = "from (select distinct xmin::text from events where run_id = $1) x";
    const committed = await engine.count(commits, [run]);
    // A look at the log that meets a commit under way reads it as news, and costs one lease of its own.
    expect([3 + keys.length, 4 + keys.length]).toContain(committed);
    expect(await engine.count("from attempts where state = 'succeeded' and ended_at is not null")).toBe(keys.length);
    expect(
      await engine.count("from versions v join events e using (seq) where e.payload ->> 'version' = v.id::text"),
    ).toBe(keys.length);
  });

  test("computes a diamond: both sides at once, the bottom after both", async () => {
    const pauses = { "a/l": new Pause(), "a/r": new Pause() } as Record<string, Pause>;
    engine = await Engine.open([
      locationOf("a", [
        assetOf("a/top"),
        assetOf("a/l", ["a/top"]),
        assetOf("a/r", ["a/top"]),
        assetOf("a/end", ["a/l", "a/r"]),
      ]),
    ]);
    const location = new FakeLocation("a", {
      compute: (attempt) => pauses[attempt.command.asset]?.compute(attempt) ?? succeeded(attempt.command),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/top+");
    await Promise.all([pauses["a/l"]?.begun, pauses["a/r"]?.begun]);
    await pauses["a/l"]?.succeed();
    await engine.until("select from steps where asset_key = 'a/l' and state = 'succeeded'");
    expect(location.begunFor("a/end")).toEqual([]);
    await pauses["a/r"]?.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.begun.map((command) => command.asset)).toEqual(["a/top", "a/l", "a/r", "a/end"]);
  });

  test("reads a partition once: what another run makes meanwhile does not mix into its diamond", async () => {
    const left = new Pause();
    engine = await Engine.open([
      locationOf("a", [
        assetOf("a/top"),
        assetOf("a/l", ["a/top"]),
        assetOf("a/r", ["a/top", { asset: "a/l", mode: "orderOnly" }]),
      ]),
    ]);
    const location = new FakeLocation("a", {
      compute: (attempt) => (attempt.command.asset === "a/l" ? left.compute(attempt) : succeeded(attempt.command)),
    });
    await engine.startDaemon([location]);
    expect(await engine.run("a/top")).toBe("succeeded");
    const run = await engine.launch("a/l or a/r");
    await left.begun;
    expect(await engine.run("a/top")).toBe("succeeded");
    await left.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    const { rows } = await engine.pool.query<{ read: string; first: string }>(
      `select v.inputs -> 0 -> 'versions' -> 0 ->> 'id' as read, (select id from versions where asset_key = 'a/top' order by seq limit 1) as first
       from versions v where v.asset_key in ('a/l', 'a/r')`,
    );
    expect(rows.map(({ read, first }) => read === first)).toEqual([true, true]);
  });

  test("fans out within the credits that the location grants, and gathers everything", async () => {
    const leaves = Array.from({ length: 60 }, (_, n) => `a/leaf${String(n)}`);
    engine = await Engine.open([
      locationOf("a", [assetOf("a/root"), ...leaves.map((key) => assetOf(key, ["a/root"])), assetOf("a/sink", leaves)]),
    ]);
    const location = new FakeLocation("a", {
      credits: 4,
      compute: ({ command }) => new Promise((resolve) => setImmediate(() => resolve(succeeded(command)))),
    });
    await engine.startDaemon([location]);
    expect(await engine.run("a/root+")).toBe("succeeded");
    expect(location.atOnceMax).toBe(4);
    expect(location.begun.length).toBe(leaves.length + 2);
    expect(location.begun.at(-1)?.asset).toBe("a/sink");
    const inputs = "from versions where asset_key = 'a/sink' and jsonb_array_length(inputs) = 60";
    expect(await engine.count(inputs)).toBe(1);
  });

  test("skips what needs a failed compute, and goes on with the rest", async () => {
    engine = await Engine.open([
      locationOf("a", [
        assetOf("a/bad"),
        assetOf("a/good"),
        assetOf("a/after_bad", ["a/bad"]),
        assetOf("a/after_both", ["a/after_bad", "a/good"]),
        assetOf("a/after_good", ["a/good"]),
      ]),
    ]);
    const location = new FakeLocation("a", {
      compute: ({ command }) => (command.asset === "a/bad" ? threw("no disk") : succeeded(command)),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run)).toBe("failed");
    expect((await engine.steps(run)).sort()).toEqual([
      "a/after_bad skipped",
      "a/after_both skipped",
      "a/after_good succeeded",
      "a/bad failed",
      "a/good succeeded",
    ]);
    const { rows } = await engine.pool.query(
      "select error ->> 'message' as message from steps where error is not null",
    );
    expect(rows).toEqual([{ message: "no disk" }]);
  });

  test("ends blocked where a check failed: a stored decision with its root, and no attempt", async () => {
    engine = await Engine.open([
      locationOf(
        "a",
        [assetOf("a/raw"), assetOf("a/clean", ["a/raw"]), assetOf("a/end", ["a/clean"]), assetOf("a/other")],
        [checkOf("a/raw", "enough")],
      ),
    ]);
    const location = new FakeLocation("a", { compute: ({ command }) => succeeded(command, { enough: "failed" }) });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run)).toBe("blocked");
    expect((await engine.steps(run)).sort()).toEqual([
      "a/clean blocked",
      "a/end blocked",
      "a/other succeeded",
      "a/raw succeeded",
    ]);
    expect(await engine.count("from attempts where asset_key in ('a/clean', 'a/end')")).toBe(0);
    const { rows } = await engine.pool.query(
      "select asset_key, reasons -> 0 ->> 'kind' as kind, reasons -> 0 ->> 'check' as check from decisions order by asset_key",
    );
    expect(rows).toEqual([
      { asset_key: "a/clean", kind: "checkFailed", check: "enough" },
      { asset_key: "a/end", kind: "checkFailed", check: "enough" },
    ]);
    // A later run finds the gate as it was left, and asks nobody to compute.
    const later = await engine.launch("a/end");
    expect(await engine.ended(later)).toBe("blocked");
    expect(await engine.count("from attempts where run_id = $1", [later])).toBe(0);
    const { rows: decided } = await engine.pool.query(
      "select reasons -> 0 ->> 'check' as check from decisions where run_id = $1",
      [later],
    );
    expect(decided).toEqual([{ check: "enough" }]);
  });

  test("reads the last validated version where the edge says so, and still ends blocked for the version it shut", async () => {
    let outcome: "passed" | "failed" = "passed";
    engine = await Engine.open([
      locationOf(
        "a",
        [assetOf("a/raw"), assetOf("a/summary", [{ asset: "a/raw", mode: "lastValidated" }])],
        [checkOf("a/raw", "enough")],
      ),
    ]);
    const location = new FakeLocation("a", { compute: ({ command }) => succeeded(command, { enough: outcome }) });
    await engine.startDaemon([location]);
    expect(await engine.run("a/raw")).toBe("succeeded");
    outcome = "failed";
    const run = await engine.launch("a/raw+");
    expect(await engine.ended(run)).toBe("blocked");
    expect(await engine.steps(run)).toEqual(["a/raw succeeded", "a/summary succeeded"]);
    expect(
      await engine.count(
        `from versions s join versions r on s.inputs -> 0 -> 'versions' -> 0 ->> 'id' = r.id::text
         where s.asset_key = 'a/summary' and r.run_id <> s.run_id`,
      ),
    ).toBe(1);
  });

  test("tries a compute that throws again after its delay, and counts the tries", async () => {
    const retry = { maxRetries: 2, delayMs: 60, backoff: "linear", jitter: 0, maxCrashes: 0 } as const;
    engine = await Engine.open([locationOf("a", [assetOf("a/flaky", [], { retry })])]);
    const location = new FakeLocation("a", {
      compute: ({ command }) => (command.attemptNumber < 3 ? threw("not yet") : succeeded(command)),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/flaky");
    expect(await engine.ended(run)).toBe("succeeded");
    const { rows } = await engine.pool.query<{ number: number; state: string; pauseMs: number | null }>(
      `select number, state, 1000 * extract(epoch from leased_at - lag(ended_at) over (order by number))::float8 as "pauseMs"
       from attempts order by number`,
    );
    expect(rows.map(({ number, state }) => [number, state])).toEqual([
      [1, "failed"],
      [2, "failed"],
      [3, "succeeded"],
    ]);
    expect(rows[1]?.pauseMs).toBeGreaterThanOrEqual(58);
    expect(rows[2]?.pauseMs).toBeGreaterThanOrEqual(118);
    expect(await engine.count("from steps where state = 'succeeded' and attempts = 3")).toBe(1);
  });

  test("does not try again what the code calls permanent", async () => {
    const retry = { maxRetries: 5, delayMs: 0, backoff: "constant", jitter: 0, maxCrashes: 0 } as const;
    engine = await Engine.open([locationOf("a", [assetOf("a/bad", [], { retry })])]);
    const location = new FakeLocation("a", { compute: () => threw("never", { permanent: true }) });
    await engine.startDaemon([location]);
    expect(await engine.run("a/bad")).toBe("failed");
    expect(location.begun.length).toBe(1);
  });

  test("is canceled: what computes is told to stop, what waits never begins", async () => {
    const pause = new Pause();
    engine = await Engine.open([
      locationOf("a", [assetOf("a/long"), assetOf("a/after", ["a/long"]), assetOf("a/done")]),
    ]);
    const location = new FakeLocation("a", {
      compute: (attempt) => (attempt.command.asset === "a/long" ? pause.compute(attempt) : succeeded(attempt.command)),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    const { command } = await pause.begun;
    await engine.until("select from steps where asset_key = 'a/done' and state = 'succeeded'");
    await engine.cancel(run);
    expect(await engine.ended(run)).toBe("canceled");
    expect(location.canceled).toEqual([command.attemptId]);
    expect((await engine.steps(run)).sort()).toEqual(["a/after canceled", "a/done succeeded", "a/long canceled"]);
    expect(await engine.count("from attempts where state = 'canceled'")).toBe(1);
  });

  test("is canceled whole in one flush when nothing of it computes", async () => {
    engine = await Engine.open([locationOf("a", [assetOf("a/one"), assetOf("a/two", ["a/one"])])]);
    await engine.startDaemon();
    const run = await engine.launch("a/*");
    await engine.until("select from runs where state = 'started'");
    await engine.cancel(run);
    expect(await engine.ended(run)).toBe("canceled");
    expect(await engine.steps(run)).toEqual(["a/one canceled", "a/two canceled"]);
  });

  test("waits for the attempt of another run at the same partition, and goes on when it has ended", async () => {
    const first = new Pause();
    let computing = first.compute;
    engine = await Engine.open([locationOf("a", [assetOf("a/one")])]);
    const location = new FakeLocation("a", { compute: (attempt) => computing(attempt) });
    await engine.startDaemon([location]);
    const one = await engine.launch("a/one");
    await first.begun;
    computing = ({ command }) => Promise.resolve(succeeded(command));
    const two = await engine.launch("a/one");
    await engine.until("select from events where kind = 'run_started' and run_id = $1", [two]);
    expect(await engine.count("from attempts where run_id = $1", [two])).toBe(0);
    await first.succeed();
    expect(await engine.ended(one)).toBe("succeeded");
    expect(await engine.ended(two)).toBe("succeeded");
    expect(await engine.count("from versions")).toBe(2);
  });

  test("of no steps ends at once", async () => {
    engine = await Engine.open([]);
    await engine.startDaemon();
    expect(await engine.ended(await engine.launch("a/none", { plan: { steps: [] } }))).toBe("succeeded");
  });

  test("whose location is not there waits for it, and holds nothing meanwhile", async () => {
    engine = await Engine.open([locationOf("a", [assetOf("a/one")]), locationOf("b", [assetOf("b/one")])]);
    const daemon = await engine.startDaemon([new FakeLocation("b")]);
    const run = await engine.launch("a/one");
    expect(await engine.run("b/one")).toBe("succeeded");
    expect(await engine.count("from attempts where run_id = $1", [run])).toBe(0);
    new FakeLocation("a").connect(() => daemon.drive.contact);
    expect(await engine.ended(run)).toBe("succeeded");
  });
});

describe("an asset that reads its own partition before", () => {
  const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2001-07" } as const;
  const mapping = { kind: "window", startOffset: -1, endOffset: -1 } as const;
  const sum = assetOf("a/sum", [{ name: "previous", asset: "a/sum", mapping }], { partitions: months });
  const chain = ["2001-01", "2001-02", "2001-03", "2001-04", "2001-05", "2001-06"];

  test("is computed as a chain, each partition from the version that the run made of the one before", async () => {
    engine = await Engine.open([locationOf("a", [sum], [checkOf("a/sum", "grows"), checkOf("a/sum", "elsewhere")])]);
    const location = new FakeLocation("a");
    await engine.startDaemon([location]);
    expect(await engine.run("a/sum")).toBe("succeeded");
    expect(await engine.run("a/sum")).toBe("succeeded");
    expect(location.begun.map((command) => command.partition)).toEqual([...chain, ...chain]);
    expect(location.atOnceMax).toBe(1);
    const { rows } = await engine.pool.query<{ own: boolean | null }>(
      `select (select w.partition_key < v.partition_key and w.run_id = v.run_id from versions w
         where w.id::text = v.inputs -> 0 -> 'versions' -> 0 ->> 'id') as own
       from versions v order by v.partition_key, v.seq`,
    );
    expect(rows.map(({ own }) => own)).toEqual([null, null, ...Array.from({ length: 10 }, () => true)]);
  });

  test("is blocked from the partition on whose predecessor failed its check, with that check as the cause", async () => {
    engine = await Engine.open([locationOf("a", [sum], [checkOf("a/sum", "grows")])]);
    const location = new FakeLocation("a", {
      compute: ({ command }) => succeeded(command, { grows: command.partition === "2001-03" ? "failed" : "passed" }),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/sum");
    expect(await engine.ended(run)).toBe("blocked");
    expect(await engine.steps(run)).toEqual(
      chain.map((month, n) => `a/sum ${month} ${n < 3 ? "succeeded" : "blocked"}`),
    );
    const { rows } = await engine.pool.query("select reasons from decisions order by partition_key");
    expect(rows).toMatchObject(
      Array.from({ length: 3 }, () => ({
        reasons: [{ kind: "checkFailed", asset: "a/sum", partition: "2001-03", check: "grows" }],
      })),
    );
  });
});

describe("checks", () => {
  test("of another team gate edges into that team alone", async () => {
    engine = await Engine.open([
      locationOf("a", [assetOf("a/raw"), assetOf("a/own", ["a/raw"])]),
      locationOf("b", [assetOf("b/reader", ["a/raw"])], [checkOf("a/raw", "fit_for_b")]),
    ]);
    const a = new FakeLocation("a");
    const b = new FakeLocation("b", { compute: ({ command }) => succeeded(command, { fit_for_b: "failed" }) });
    await engine.startDaemon([a, b]);
    const run = await engine.launch("a/raw+");
    expect(await engine.ended(run)).toBe("blocked");
    expect((await engine.steps(run)).sort()).toEqual([
      "a/own succeeded",
      "a/raw checks succeeded",
      "a/raw succeeded",
      "b/reader blocked",
    ]);
    expect(
      await engine.count("from check_results where team = 'b' and name = 'fit_for_b' and outcome = 'failed'"),
    ).toBe(1);
  });

  test("that are new for a version which a step is about to read are run by that run, then it goes on", async () => {
    const assets = [assetOf("a/raw"), assetOf("a/reader", ["a/raw"]), assetOf("a/reader_too", ["a/raw"])];
    engine = await Engine.open([locationOf("a", assets)]);
    const location = new FakeLocation("a");
    await engine.startDaemon([location]);
    expect(await engine.run("a/raw")).toBe("succeeded");
    await engine.define(locationOf("a", assets, [checkOf("a/raw", "late")]));
    const run = await engine.launch("a/reader or a/reader_too");
    expect(await engine.ended(run)).toBe("succeeded");
    expect((await engine.steps(run)).sort()).toEqual([
      "a/raw checks succeeded",
      "a/reader succeeded",
      "a/reader_too succeeded",
    ]);
    expect(await engine.count("from check_results where name = 'late'")).toBe(1);
  });

  test("that are new and fail block the run that was about to read", async () => {
    const assets = [assetOf("a/raw"), assetOf("a/reader", ["a/raw"])];
    engine = await Engine.open([locationOf("a", assets)]);
    const location = new FakeLocation("a", { compute: ({ command }) => succeeded(command, { late: "failed" }) });
    await engine.startDaemon([location]);
    expect(await engine.run("a/raw")).toBe("succeeded");
    await engine.define(locationOf("a", assets, [checkOf("a/raw", "late")]));
    const run = await engine.launch("a/reader");
    expect(await engine.ended(run)).toBe("blocked");
    expect(await engine.count("from attempts where asset_key = 'a/reader'")).toBe(0);
  });

  test("that are lost with their attempt have errored: who waits for them is blocked at once", async () => {
    const segments = [
      locationOf("a", [
        assetOf("a/raw", [], { requiredChecks: [{ asset: assetOf("a/raw").key, team: "b", name: "fit" }] }),
        assetOf("a/reader", ["a/raw"]),
      ]),
      locationOf("b", [], [checkOf("a/raw", "fit")]),
    ];
    engine = await Engine.open(segments);
    const b = new FakeLocation("b", { compute: () => threw("the checker broke") });
    await engine.startDaemon([new FakeLocation("a"), b]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run)).toBe("failed");
    expect((await engine.steps(run)).sort()).toEqual(["a/raw checks failed", "a/raw succeeded", "a/reader blocked"]);
    const { rows } = await engine.pool.query("select reasons -> 0 ->> 'kind' as kind from decisions");
    expect(rows).toEqual([{ kind: "checkErrored" }]);
  });
});

describe("a run that waits for gates to open", () => {
  test("goes on when another run makes a version that passes", async () => {
    let outcome: "passed" | "failed" = "failed";
    engine = await Engine.open([
      locationOf("a", [assetOf("a/raw"), assetOf("a/reader", ["a/raw"])], [checkOf("a/raw", "enough")]),
    ]);
    const location = new FakeLocation("a", { compute: ({ command }) => succeeded(command, { enough: outcome }) });
    const daemon = await engine.startDaemon([location]);
    expect(await engine.run("a/raw")).toBe("blocked");
    const run = await engine.launch("a/reader", { whenOpen: true });
    await engine.until("select from events where kind = 'run_started' and run_id = $1", [run]);
    outcome = "passed";
    expect(await engine.run("a/raw")).toBe("succeeded");
    expect(await engine.ended(run)).toBe("succeeded");
    // The row is there a moment before the driver has heard of its own commit.
    while (daemon.drive.activeRuns > 0) await delay(1);
  });
});
