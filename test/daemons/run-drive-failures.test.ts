import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { DaemonOptions } from "../../control-plane/src/daemons/daemon.ts";
import { DatabaseUnavailableError } from "../../control-plane/src/storage/database-unavailable.ts";
import { Engine, listenerOf } from "../support/engine.ts";
import { FakeLocation, Pause, canceled, checkReport, computed, succeeded } from "../support/fake-location.ts";
import { assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

type FlushPool = DaemonOptions["flushPool"];

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  // Whatever happened: the history keeps every rule.
  expect(violations).toEqual([]);
});

/** Hands every flush to `through`, with its number and content. */
function flushesThrough(
  through: (run: () => Promise<unknown>, number: number, flush: Record<string, unknown[]>) => Promise<unknown>,
): (pool: FlushPool) => FlushPool {
  let number = 0;
  return (pool) =>
    ({
      query: (config: { values: [string] }) =>
        through(() => pool.query(config as never), ++number, JSON.parse(config.values[0]) as Record<string, unknown[]>),
    }) as unknown as FlushPool;
}

const crashing = { maxRetries: 0, delayMs: 0, backoff: "constant", jitter: 0, maxCrashes: 2 } as const;

describe("contact with a location", () => {
  test("that is lost shows as unknown, and the attempt goes on when it is regained", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [assetOf("a/one")])]);
    const location = new FakeLocation("a", { compute: pause.compute });
    const daemon = await engine.startDaemon([location]);
    const run = await engine.launch("a/one");
    await pause.begun;
    location.disconnect();
    await engine.until("select from attempts where state = 'unknown'");
    location.connect(listenerOf(daemon));
    await engine.until("select from attempts where state = 'leased'");
    await pause.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.begun.length).toBe(1);
    expect(await engine.events(run)).toEqual([
      "run_queued",
      "run_started",
      "step_leased a/one",
      "step_unknown a/one",
      "step_regained a/one",
      "step_succeeded a/one",
      "run_succeeded",
    ]);
  });

  test("that stays lost beyond the attempt's lease costs that attempt, and another instance tries again", async () => {
    const lost = new Pause();
    engine = await Engine.open([locationOf("a", [assetOf("a/one", [], { attemptLeaseMs: 600, retry: crashing })])]);
    const location = new FakeLocation("a", { compute: lost.compute });
    const daemon = await engine.startDaemon([location]);
    const run = await engine.launch("a/one");
    await lost.begun;
    location.disconnect();
    const other = new FakeLocation("a");
    await engine.until("select from attempts where state = 'lost'");
    other.connect(listenerOf(daemon));
    expect(await engine.ended(run)).toBe("succeeded");
    expect(other.begun.map(({ attemptNumber }) => attemptNumber)).toEqual([2]);
    // The first instance comes back and speaks of its attempt: late news change nothing, and it need not keep them.
    await lost.succeed();
    location.connect(listenerOf(daemon));
    while (location.heldCount > 0) await delay(5);
    expect(await engine.count("from versions")).toBe(1);
    expect(await engine.count("from attempts where state = 'lost'")).toBe(1);
  });

  test("whose process is proven to be gone settles at once, by the policy for crashes", async () => {
    const pause = new Pause();
    engine = await Engine.open([
      locationOf("a", [assetOf("a/one", [], { retry: crashing })]),
      locationOf("b", [assetOf("b/one")]),
    ]);
    let computing = pause.compute;
    const location = new FakeLocation("a", { compute: (attempt) => computing(attempt) });
    const daemon = await engine.startDaemon([location, new FakeLocation("b")]);
    const run = await engine.launch("a/one");
    await pause.begun;
    computing = ({ command }) => Promise.resolve(succeeded(command));
    daemon.drive.contact.instanceExited("a", location.exit());
    expect(await engine.run("b/one")).toBe("succeeded");
    location.connect(listenerOf(daemon));
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.begun.map(({ attemptNumber }) => attemptNumber)).toEqual([1, 2]);
  });

  test("whose process dies more often than the policy allows fails the step", async () => {
    engine = await Engine.open([locationOf("a", [assetOf("a/one", [], { retry: { ...crashing, maxCrashes: 1 } })])]);
    const location = new FakeLocation("a", {
      compute: () => ({
        outcome: "crashed",
        checks: [],
        permanent: false,
        error: { code: "worker.died", message: "gone" },
      }),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/one");
    expect(await engine.ended(run)).toBe("failed");
    expect(await engine.count("from attempts where state = 'crashed'")).toBe(2);
  });

  test("that breaks after a value is durable costs the checks, not the compute", async () => {
    engine = await Engine.open([
      locationOf(
        "a",
        [assetOf("a/one", [], { retry: crashing }), assetOf("a/two", ["a/one"])],
        [checkOf("a/one", "ok")],
      ),
    ]);
    const location = new FakeLocation("a", {
      compute: async (attempt) => {
        const { command } = attempt;
        if (command.asset !== "a/one" || command.work.kind === "checks") return succeeded(command);
        attempt.say({ kind: "computed", computed: computed(command) });
        return { outcome: "crashed", checks: [], permanent: false };
      },
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run)).toBe("succeeded");
    expect(await engine.steps(run)).toEqual(["a/one succeeded", "a/two succeeded", "a/one checks succeeded"]);
    expect(location.begunFor("a/one").map(({ work }) => work.kind)).toEqual(["materialize", "checks"]);
  });

  test("that comes back while a lease is being committed gets the command after the commit, once", async () => {
    let commit: () => void = () => undefined;
    const flushing = new Promise<void>((resolve) => (commit = resolve));
    let asked: () => void = () => undefined;
    const asking = new Promise<void>((resolve) => (asked = resolve));
    engine = await Engine.open([locationOf("a", [assetOf("a/one")])]);
    const location = new FakeLocation("a");
    const daemon = await engine.startDaemon([location], {
      flushPool: flushesThrough(async (run, _, flush) => {
        if (flush["leases"] !== undefined) {
          asked();
          await flushing;
        }
        return run();
      }),
    });
    const run = await engine.launch("a/one");
    await asking;
    location.disconnect();
    location.connect(listenerOf(daemon));
    await delay(20); // Whatever the greeting set off has had its turns.
    expect(location.commanded).toEqual([]);
    commit();
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.commanded.length).toBe(1);
  });
});

describe("memory", () => {
  test("that is read anew while a flush is under way does not hide what the flush records", async () => {
    let outcome: "passed" | "failed" = "passed";
    let commit: () => void = () => undefined;
    const committing = new Promise<void>((resolve) => (commit = resolve));
    let asked: () => void = () => undefined;
    const asking = new Promise<void>((resolve) => (asked = resolve));
    engine = await Engine.open([
      locationOf("a", [assetOf("a/raw"), assetOf("a/reader", ["a/raw"])], [checkOf("a/raw", "enough")]),
    ]);
    const location = new FakeLocation("a", {
      compute: ({ command }) => succeeded(command, { enough: outcome }),
    });
    const daemon = await engine.startDaemon([location], {
      flushPool: flushesThrough(async (run, _, flush) => {
        if (outcome === "failed" && flush["versions"] !== undefined) {
          asked();
          await committing;
        }
        return run();
      }),
    });
    expect(await engine.run("a/raw")).toBe("succeeded");
    outcome = "failed";
    const failing = await engine.launch("a/raw");
    await asking;
    // The version that failed is not committed. Now what is known of the asset is dropped, and read for another run.
    daemon.drive.changed([assetOf("a/raw").key]);
    const reading = await engine.launch("a/reader");
    await engine.until("select from events where kind = 'run_started' and run_id = $1", [reading]);
    await delay(50); // The old state is read.
    commit();
    expect(await engine.ended(failing)).toBe("blocked");
    expect(await engine.ended(reading)).toBe("blocked");
    expect(location.begunFor("a/reader")).toEqual([]);
  });
});

describe("a flush that the database refuses", () => {
  test("for what one attempt reported fails that attempt alone", async () => {
    engine = await Engine.open([
      locationOf("a", [assetOf("a/bad"), assetOf("a/one"), assetOf("a/two"), assetOf("a/three", ["a/one", "a/two"])]),
    ]);
    const location = new FakeLocation("a", {
      compute: ({ command }) => {
        const finished = succeeded(command);
        if (command.asset !== "a/bad") return finished;
        const metadata = [{ name: "note", kind: "text", value: "\u0000" }];
        return { ...finished, computed: computed(command, { metadata }) };
      },
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run)).toBe("failed");
    expect((await engine.steps(run)).sort()).toEqual([
      "a/bad failed",
      "a/one succeeded",
      "a/three succeeded",
      "a/two succeeded",
    ]);
    const { rows } = await engine.pool.query("select error ->> 'code' as code from attempts where error is not null");
    expect(rows).toEqual([{ code: "report.not_storable" }]);
    expect(location.begun.length).toBe(4);
    expect(await engine.run("a/one")).toBe("succeeded");
  });

  test("for a result without a version fails that attempt alone", async () => {
    engine = await Engine.open([locationOf("a", [assetOf("a/liar"), assetOf("a/one")], [checkOf("a/liar", "ok")])]);
    const location = new FakeLocation("a", {
      compute: ({ command }) =>
        command.asset === "a/liar"
          ? { outcome: "succeeded", checks: [checkReport("ok")], permanent: false }
          : succeeded(command),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run)).toBe("failed");
    expect((await engine.steps(run)).sort()).toEqual(["a/liar failed", "a/one succeeded"]);
  });

  test("for a deadlock is tried again, and blames nobody", async () => {
    let refused = 0;
    engine = await Engine.open([locationOf("a", [assetOf("a/one"), assetOf("a/two", ["a/one"])])]);
    const location = new FakeLocation("a");
    await engine.startDaemon([location], {
      flushPool: flushesThrough(async (run, number) => {
        if (number > 2 && refused < 3) {
          refused++;
          throw Object.assign(new Error("deadlock detected"), { code: "40P01" });
        }
        return run();
      }),
    });
    expect(await engine.run("a/*")).toBe("succeeded");
    expect(refused).toBe(3);
    expect(location.begun.length).toBe(2);
  });
});

describe("a database that goes away", () => {
  const unavailable = () => new DatabaseUnavailableError("gone", { cause: undefined });
  const keys = Array.from({ length: 6 }, (_, n) => `a/n${String(n)}`);
  const chain = locationOf(
    "a",
    keys.map((key, n) => assetOf(key, keys.slice(Math.max(n - 1, 0), n), { retry: crashing })),
    keys.map((key) => checkOf(key, "ok")),
  );

  async function expectOnce(location: FakeLocation, run: string): Promise<void> {
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.begun.map(({ asset }) => asset)).toEqual(keys);
    expect(await engine.count("from versions")).toBe(keys.length);
    expect(await engine.count("from check_results")).toBe(keys.length);
    expect(await engine.count("from attempts where state = 'succeeded'")).toBe(keys.length);
    expect(await engine.count("from events where kind = 'step_succeeded'")).toBe(keys.length);
    expect(await engine.count("from events where kind = 'step_leased'")).toBe(keys.length);
  }

  for (const broken of [1, 2, 4, 7]) {
    test(`before flush ${String(broken)} arrives: nothing is lost and nothing doubled`, async () => {
      engine = await Engine.open([chain]);
      const location = new FakeLocation("a");
      await engine.startDaemon([location], {
        flushPool: flushesThrough((run, number) => (number === broken ? Promise.reject(unavailable()) : run())),
      });
      await expectOnce(location, await engine.launch("a/n0+"));
    });

    test(`after flush ${String(broken)} was committed: nothing is lost and nothing doubled`, async () => {
      engine = await Engine.open([chain]);
      const location = new FakeLocation("a");
      await engine.startDaemon([location], {
        flushPool: flushesThrough(async (run, number) => {
          const result = await run();
          if (number === broken) throw unavailable();
          return result;
        }),
      });
      await expectOnce(location, await engine.launch("a/n0+"));
    });

    test(`while flush ${String(broken)} is on its way, to arrive late: it is refused`, async () => {
      let late: Promise<unknown> = Promise.resolve();
      engine = await Engine.open([chain]);
      const location = new FakeLocation("a");
      await engine.startDaemon([location], {
        flushPool: flushesThrough(async (run, number) => {
          if (number !== broken) return run();
          late = engine
            .until("select from daemons where started_at > clock_timestamp() - interval '5 s' having count(*) = 1")
            .then(async () => {
              await engine.until("select from events where kind = 'run_taken_over' having count(*) > 0");
              return run();
            });
          late.catch(() => undefined);
          throw unavailable();
        }),
      });
      await expectOnce(location, await engine.launch("a/n0+"));
      await expect(late).rejects.toMatchObject({ code: "HG001" });
    });
  }
});

describe("several daemons", () => {
  test("whose first one is taken for dead: the second goes on, and nothing is computed twice", async () => {
    const pause = new Pause();
    engine = await Engine.open([
      locationOf(
        "a",
        [assetOf("a/one"), assetOf("a/two", ["a/one"]), assetOf("a/three", ["a/two"])],
        [checkOf("a/one", "ok")],
      ),
    ]);
    const location = new FakeLocation("a", {
      compute: (attempt) => (attempt.command.asset === "a/two" ? pause.compute(attempt) : succeeded(attempt.command)),
    });
    const first = await engine.startDaemon([location]);
    const run = await engine.launch("a/one+");
    await pause.begun;
    const old = first.id;
    const second = await engine.startDaemon();
    location.connect(listenerOf(second));
    await engine.pool.query("delete from daemons where id = $1", [old]);
    second.drive.claim();
    await engine.until("select from runs where driver = $1", [second.id]);
    await pause.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.begun.map(({ asset }) => asset)).toEqual(["a/one", "a/two", "a/three"]);
    expect(await engine.count("from events where kind = 'step_succeeded'")).toBe(3);
    await engine.until("select from daemons having count(*) = 2");
    expect(first.id).not.toBe(old);
  });

  test("share the runs: each run has one driver, and all end", async () => {
    engine = await Engine.open([locationOf("a", [assetOf("a/one"), assetOf("a/two", ["a/one"])])]);
    const location = new FakeLocation("a");
    const first = await engine.startDaemon([location]);
    const second = await engine.startDaemon();
    location.connect(listenerOf(second));
    const runs = await Promise.all(Array.from({ length: 20 }, () => engine.launch("a/*")));
    for (const run of runs) expect(await engine.ended(run, 30_000)).toBe("succeeded");
    expect(await engine.count("from versions")).toBe(40);
    expect(await engine.count("from runs where epoch <> 1")).toBe(0);
    while (first.drive.activeRuns + second.drive.activeRuns > 0) await delay(1);
  });

  test("take over a run that is to be canceled: it is canceled", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [assetOf("a/one"), assetOf("a/two", ["a/one"])])]);
    const location = new FakeLocation("a", {
      compute: (attempt) =>
        new Promise((resolve) => {
          attempt.signal.addEventListener("abort", () => resolve(canceled()));
          void pause.compute(attempt);
        }),
    });
    location.reconnects = false;
    const first = await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    await pause.begun;
    location.disconnect();
    await first.stop();
    await engine.cancel(run);
    const second = await engine.startDaemon();
    location.reconnects = true;
    location.connect(listenerOf(second));
    expect(await engine.ended(run)).toBe("canceled");
    expect(await engine.steps(run)).toEqual(["a/one canceled", "a/two canceled"]);
  });

  test("take over a run in which a gate has shut: it still ends blocked", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [assetOf("a/bad"), assetOf("a/long")], [checkOf("a/bad", "ok")])]);
    const location = new FakeLocation("a", {
      compute: (attempt) =>
        attempt.command.asset === "a/long" ? pause.compute(attempt) : succeeded(attempt.command, { ok: "failed" }),
    });
    const first = await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    await pause.begun;
    await engine.until("select from events where kind = 'gate_closed'");
    await first.stop();
    const second = await engine.startDaemon([]);
    location.connect(listenerOf(second));
    await pause.succeed();
    expect(await engine.ended(run)).toBe("blocked");
  });
});
