import { setTimeout as delay } from "node:timers/promises";
import { v7 as newId } from "uuid";
import { afterEach, describe, expect, test } from "vitest";
import type { DaemonOptions } from "../../control-plane/src/daemons/daemon.ts";
import type { AssetDefinition } from "../../control-plane/src/domain/definitions.ts";
import { createRun } from "../../control-plane/src/storage/create-run.ts";
import { DatabaseUnavailableError } from "../../control-plane/src/storage/database-unavailable.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { Engine, listenerOf } from "../support/engine.ts";
import { type Compute, FakeLocation, Pause, computed, succeeded, threw } from "../support/fake-location.ts";
import { type DependencyText, assetOf, checkOf, keyOf, locationOf } from "../support/graph-definitions.ts";

type FlushPool = DaemonOptions["flushPool"];

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  // Whatever happened: the history keeps every rule.
  expect(violations).toEqual([]);
});

const crashing = { maxRetries: 0, delayMs: 0, backoff: "constant", jitter: 0, maxCrashes: 2 } as const;
const trying = { ...crashing, maxRetries: 2 } as const;

/** The outputs of one multi-asset. */
function multiOf(
  keys: readonly string[],
  canSubset: boolean,
  dependencies: readonly DependencyText[] = [],
  rest: Partial<AssetDefinition> = {},
): AssetDefinition[] {
  const outputs = keys.map(keyOf);
  return keys.map((key) => assetOf(key, dependencies, { multi: { outputs, canSubset }, ...rest }));
}

/** Hands every flush to `through`, with its number. */
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

const attempts = async (): Promise<string[]> => {
  const { rows } = await engine.pool.query<{ line: string }>(
    "select concat_ws(' ', asset_key, number::text, state) as line from attempts order by asset_key, number",
  );
  return rows.map(({ line }) => line);
};

const codes = async (): Promise<string[]> => {
  const { rows } = await engine.pool.query<{ line: string }>(
    "select asset_key || ' ' || (error ->> 'code') as line from attempts where error is not null order by 1",
  );
  return rows.map(({ line }) => line);
};

/** By asset; what is not named succeeds. */
const byAsset =
  (computes: Readonly<Record<string, Compute>>): Compute =>
  (attempt) =>
    (computes[attempt.command.asset] ?? (({ command }) => succeeded(command)))(attempt);

describe("the outputs of a multi-asset", () => {
  test("are commanded at once for one credit, and each is a step with its own version and checks", async () => {
    engine = await Engine.open([
      locationOf(
        "a",
        [assetOf("a/raw"), ...multiOf(["a/train", "a/test"], false, ["a/raw"]), assetOf("a/model", ["a/train"])],
        [checkOf("a/train", "ok"), checkOf("a/test", "ok")],
      ),
    ]);
    const location = new FakeLocation("a", {
      credits: 1,
      compute: ({ command }) => succeeded(command, command.asset === "a/test" ? { ok: "failed" } : {}),
    });
    await engine.startDaemon([location]);
    // Asked for one: it cannot be computed alone.
    const run = await engine.launch("a/raw or a/train or a/model");
    expect(await engine.ended(run)).toBe("blocked");
    expect((await engine.steps(run)).sort()).toEqual([
      "a/model succeeded",
      "a/raw succeeded",
      "a/test succeeded",
      "a/train succeeded",
    ]);
    expect(location.computations).toEqual([["a/test", "a/train"]]);
    // Alone they were never commanded.
    expect(location.begun.map(({ asset }) => asset)).toEqual(["a/raw", "a/test", "a/train", "a/model"]);
    expect(await engine.count("from versions where seq is not null")).toBe(4);
    const inputs = "from versions where asset_key in ('a/train', 'a/test') and jsonb_array_length(inputs) = 1";
    expect(await engine.count(inputs)).toBe(2);
    // Leased in one commit, settled in one commit.
    const commits = (kind: string): string =>
      `from (select distinct xmin::text from events where kind = '${kind}' and asset_key in ('a/train', 'a/test')) x`;
    expect(await engine.count(commits("step_leased"))).toBe(1);
    expect(await engine.count(commits("step_succeeded"))).toBe(1);
  });

  test("that may be subset are computed as far as they are asked for, and one alone like any asset", async () => {
    engine = await Engine.open([locationOf("a", multiOf(["a/x", "a/y", "a/z"], true))]);
    const location = new FakeLocation("a");
    await engine.startDaemon([location]);
    expect(await engine.run("a/x or a/z")).toBe("succeeded");
    expect(location.computations).toEqual([["a/x", "a/z"]]);
    expect(await engine.run("a/y")).toBe("succeeded");
    expect(location.computations.length).toBe(1);
    expect(await attempts()).toEqual(["a/x 1 succeeded", "a/y 1 succeeded", "a/z 1 succeeded"]);
  });

  test("take one credit, however many they are", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [...multiOf(["a/x", "a/y", "a/z"], false), assetOf("a/other")])]);
    const location = new FakeLocation("a", { credits: 2, compute: byAsset({ "a/z": pause.compute }) });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    await pause.begun;
    await engine.until("select from steps where asset_key = 'a/other' and state = 'succeeded'");
    await pause.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
  });

  test("end blocked together where what they read is shut, each with its decision", async () => {
    engine = await Engine.open([
      locationOf("a", [assetOf("a/raw"), ...multiOf(["a/x", "a/y"], false, ["a/raw"])], [checkOf("a/raw", "ok")]),
    ]);
    const location = new FakeLocation("a", { compute: ({ command }) => succeeded(command, { ok: "failed" }) });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run)).toBe("blocked");
    expect(await engine.steps(run)).toEqual(["a/raw succeeded", "a/x blocked", "a/y blocked"]);
    expect(await engine.count("from decisions where reasons -> 0 ->> 'check' = 'ok'")).toBe(2);
    expect(location.computations).toEqual([]);
  });

  test("wait together for a check, and go on together", async () => {
    const check = new Pause();
    engine = await Engine.open([
      locationOf("a", [assetOf("a/raw"), ...multiOf(["a/x", "a/y"], true, ["a/raw"])]),
      locationOf("a", [], [checkOf("a/raw", "late")], { location: "a-checks" }),
    ]);
    const location = new FakeLocation("a");
    const checks = new FakeLocation("a-checks", { compute: check.compute });
    await engine.startDaemon([location, checks]);
    const run = await engine.launch("a/*");
    await check.begun;
    expect(location.computations).toEqual([]);
    await check.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.computations).toEqual([["a/x", "a/y"]]);
  });
});

describe("a lease of several steps", () => {
  test("is refused as a whole while one of them is computed elsewhere, and granted when that has ended", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", multiOf(["a/x", "a/y"], true))]);
    const location = new FakeLocation("a");
    location.compute = (attempt) => (location.begun.length === 1 ? pause.compute(attempt) : succeeded(attempt.command));
    await engine.startDaemon([location]);
    const alone = await engine.launch("a/y");
    await pause.begun;
    // Another daemon knows nothing of that attempt: the database refuses one lease, and with it the other.
    const refused: number[] = [];
    const second = await engine.startDaemon([], {
      flushPool: flushesThrough(async (run, _, flush) => {
        const result = (await run()) as { rows: { result: { granted: string[] } }[] };
        if (flush["leases"] !== undefined)
          refused.push(flush["leases"].length - (result.rows[0]?.result.granted.length ?? 0));
        return result;
      }),
    });
    location.connect(listenerOf(second));
    const both = newId();
    const plan = await engine.plan({ selection: "a/*" });
    await withTransaction(engine.pool, async (tx) => {
      await createRun(tx, { id: both, source: "manual", actor: "ada", selection: "a/*", plan });
      await tx.query("update runs set driver = $2 where id = $1", [both, second.id]);
    });
    second.drive.claim();
    while (refused.length === 0) await delay(5);
    expect(refused).toEqual([2]);
    expect(await engine.count("from attempts")).toBe(1);
    await pause.succeed();
    expect(await engine.ended(both)).toBe("succeeded");
    expect(await engine.ended(alone)).toBe("succeeded");
    expect(location.computations).toEqual([["a/x", "a/y"]]);
    expect(await engine.count("from attempts where asset_key = 'a/x'")).toBe(1);
  });
});

describe("a multi-asset that cannot be subset", () => {
  test("has no version of one output while another has none: both fall, and both are tried again", async () => {
    engine = await Engine.open([locationOf("a", multiOf(["a/x", "a/y"], false, [], { retry: trying }))]);
    const location = new FakeLocation("a", {
      compute: byAsset({
        "a/y": ({ command }) => (command.attemptNumber < 3 ? threw("no disk") : succeeded(command)),
      }),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/x");
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.computations.length).toBe(3);
    expect(await attempts()).toEqual([
      "a/x 1 failed",
      "a/x 2 failed",
      "a/x 3 succeeded",
      "a/y 1 failed",
      "a/y 2 failed",
      "a/y 3 succeeded",
    ]);
    expect(await codes()).toEqual([
      "a/x step.sibling_failed",
      "a/x step.sibling_failed",
      "a/y step.threw",
      "a/y step.threw",
    ]);
    expect(await engine.count("from versions")).toBe(2);
  });

  test("fails as a whole where one output fails for good", async () => {
    engine = await Engine.open([
      locationOf("a", [...multiOf(["a/x", "a/y"], false, [], { retry: trying }), assetOf("a/end", ["a/x"])]),
    ]);
    const location = new FakeLocation("a", {
      compute: byAsset({ "a/x": () => threw("never", { permanent: true }) }),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run)).toBe("failed");
    expect((await engine.steps(run)).sort()).toEqual(["a/end skipped", "a/x failed", "a/y failed"]);
    expect(await engine.count("from versions")).toBe(0);
    expect(location.computations.length).toBe(1);
  });

  test("whose process dies when one value is durable and the other is not has neither, and is computed again", async () => {
    const second = new Pause();
    engine = await Engine.open([
      locationOf("a", [...multiOf(["a/x", "a/y"], false, [], { retry: crashing }), assetOf("a/other")]),
    ]);
    let computing: Compute = byAsset({
      "a/x": (attempt) => {
        attempt.say({ kind: "computed", computed: computed(attempt.command) });
        return new Promise(() => undefined);
      },
      "a/y": second.compute,
    });
    const location = new FakeLocation("a", { compute: (attempt) => computing(attempt) });
    const daemon = await engine.startDaemon([location]);
    const run = await engine.launch("a/x");
    await second.begun;
    // The daemon has heard of the one value, and of what another run says after it; it records nothing of the one.
    expect(await engine.run("a/other")).toBe("succeeded");
    expect(await engine.count("from versions where asset_key <> 'a/other'")).toBe(0);
    computing = ({ command }) => succeeded(command);
    daemon.drive.contact.instanceExited("a", location.exit());
    location.connect(listenerOf(daemon));
    expect(await engine.ended(run)).toBe("succeeded");
    expect(await attempts()).toEqual([
      "a/other 1 succeeded",
      "a/x 1 lost",
      "a/x 2 succeeded",
      "a/y 1 lost",
      "a/y 2 succeeded",
    ]);
    expect(await engine.count("from versions")).toBe(3);
  });

  test("whose report cannot be stored fails as a whole, and nobody else with it", async () => {
    engine = await Engine.open([locationOf("a", [...multiOf(["a/x", "a/y"], false), assetOf("a/other")])]);
    const location = new FakeLocation("a", {
      compute: ({ command }) =>
        command.asset === "a/y"
          ? { ...succeeded(command), computed: computed(command, { dataVersion: "a\u0000b" }) }
          : succeeded(command),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run, 40_000)).toBe("failed");
    expect((await engine.steps(run)).sort()).toEqual(["a/other succeeded", "a/x failed", "a/y failed"]);
    expect(await engine.count("from versions")).toBe(1);
  });
});

describe("a multi-asset that may be subset", () => {
  test("keeps what one output has, and tries only the other again", async () => {
    engine = await Engine.open([locationOf("a", multiOf(["a/x", "a/y", "a/z"], true, [], { retry: trying }))]);
    const location = new FakeLocation("a", {
      compute: byAsset({
        "a/y": ({ command }) => (command.attemptNumber === 1 ? threw("no disk") : succeeded(command)),
        "a/z": ({ command }) => (command.attemptNumber < 3 ? threw("no disk") : succeeded(command)),
      }),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.computations).toEqual([
      ["a/x", "a/y", "a/z"],
      ["a/y", "a/z"],
    ]);
    expect(await attempts()).toEqual([
      "a/x 1 succeeded",
      "a/y 1 failed",
      "a/y 2 succeeded",
      "a/z 1 failed",
      "a/z 2 failed",
      "a/z 3 succeeded",
    ]);
  });
});

describe("contact with a location that computes several steps at once", () => {
  const outputs = multiOf(["a/x", "a/y", "a/z"], false, [], { retry: crashing });

  test("a command that never arrived is sent again as a whole, once", async () => {
    engine = await Engine.open([locationOf("a", outputs)]);
    const location = new FakeLocation("a");
    location.reconnects = false;
    let isLost = false;
    const daemon = await engine.startDaemon([location], {
      flushPool: flushesThrough(async (run, _, flush) => {
        const result = await run();
        // Committed, and the session breaks before the command is sent.
        if (flush["leases"] !== undefined && !isLost) {
          isLost = true;
          location.disconnect();
        }
        return result;
      }),
    });
    const run = await engine.launch("a/*");
    await engine.until("select from attempts having count(*) = 3");
    expect(location.commanded).toEqual([]);
    location.connect(listenerOf(daemon));
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.computations).toEqual([["a/x", "a/y", "a/z"]]);
    expect(location.begun.length).toBe(3);
    expect(await engine.count("from attempts")).toBe(3);
  });

  test("a daemon that takes over in the middle hears of all, and nothing is computed twice", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", [...outputs, assetOf("a/end", ["a/x", "a/y"])])]);
    const location = new FakeLocation("a", {
      compute: byAsset({
        "a/x": (attempt) => {
          attempt.say({ kind: "computed", computed: computed(attempt.command) });
          return { ...succeeded(attempt.command), computed: undefined } as never;
        },
        "a/z": pause.compute,
      }),
    });
    const first = await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    await pause.begun;
    await delay(50);
    expect(await engine.count("from versions")).toBe(0);
    await first.stop();
    const second = await engine.startDaemon();
    location.connect(listenerOf(second));
    await engine.until("select from runs where driver = $1", [second.id]);
    await pause.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.begun.map(({ asset }) => asset)).toEqual(["a/x", "a/y", "a/z", "a/end"]);
    expect(await engine.count("from versions")).toBe(4);
    expect(await engine.count("from attempts")).toBe(4);
  });

  test("a part that is gone costs the whole where only the whole counts, and is never begun alone", async () => {
    const pause = new Pause();
    engine = await Engine.open([locationOf("a", outputs)]);
    let computing: Compute = byAsset({ "a/x": pause.compute });
    const location = new FakeLocation("a", { compute: (attempt) => computing(attempt) });
    location.reconnects = false;
    const daemon = await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    await pause.begun;
    await delay(50);
    location.disconnect();
    location.forget(location.begunFor("a/z")[0]?.attemptId ?? "");
    computing = ({ command }) => succeeded(command);
    location.connect(listenerOf(daemon));
    await pause.succeed();
    expect(await engine.ended(run)).toBe("succeeded");
    expect(await attempts()).toEqual([
      "a/x 1 crashed",
      "a/x 2 succeeded",
      "a/y 1 crashed",
      "a/y 2 succeeded",
      "a/z 1 lost",
      "a/z 2 succeeded",
    ]);
    expect(location.computations.length).toBe(2);
  });

  test("a cancel is said once, and all end canceled", async () => {
    const pauses = [new Pause(), new Pause(), new Pause()];
    engine = await Engine.open([locationOf("a", outputs)]);
    const location = new FakeLocation("a", {
      cancelsTogether: true,
      compute: byAsset({
        "a/x": (attempt) => pauses[0]!.compute(attempt),
        "a/y": (attempt) => pauses[1]!.compute(attempt),
        "a/z": (attempt) => pauses[2]!.compute(attempt),
      }),
    });
    await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    await Promise.all(pauses.map((pause) => pause.begun));
    await engine.cancel(run);
    expect(await engine.ended(run)).toBe("canceled");
    expect(location.canceled.length).toBe(1);
    expect(await engine.steps(run)).toEqual(["a/x canceled", "a/y canceled", "a/z canceled"]);
  });

  test("that stays lost costs one try of each", async () => {
    const lost = new Pause();
    engine = await Engine.open([
      locationOf("a", multiOf(["a/x", "a/y"], true, [], { retry: crashing, attemptLeaseMs: 600 })),
    ]);
    const location = new FakeLocation("a", { compute: lost.compute });
    const daemon = await engine.startDaemon([location]);
    const run = await engine.launch("a/*");
    await lost.begun;
    location.disconnect();
    await engine.until("select from attempts where state = 'lost' having count(*) = 2");
    const other = new FakeLocation("a");
    other.connect(listenerOf(daemon));
    expect(await engine.ended(run)).toBe("succeeded");
    expect(other.computations).toEqual([["a/x", "a/y"]]);
  });
});

describe("a database that goes away under several steps at once", () => {
  const unavailable = () => new DatabaseUnavailableError("gone", { cause: undefined });
  const segment = locationOf(
    "a",
    [
      assetOf("a/raw", [], { retry: crashing }),
      ...multiOf(["a/x", "a/y"], false, ["a/raw"], { retry: crashing }),
      assetOf("a/end", ["a/x", "a/y"], { retry: crashing }),
    ],
    [checkOf("a/x", "ok"), checkOf("a/y", "ok")],
  );

  async function expectOnce(location: FakeLocation, run: string): Promise<void> {
    expect(await engine.ended(run)).toBe("succeeded");
    expect(location.begun.map(({ asset }) => asset)).toEqual(["a/raw", "a/x", "a/y", "a/end"]);
    expect(await engine.count("from versions")).toBe(4);
    expect(await engine.count("from check_results")).toBe(2);
    expect(await engine.count("from attempts where state = 'succeeded'")).toBe(4);
    expect(await engine.count("from events where kind = 'step_succeeded'")).toBe(4);
    expect(await engine.count("from events where kind = 'step_leased'")).toBe(4);
  }

  for (const broken of [2, 3]) {
    test(`before flush ${String(broken)} arrives: nothing is lost and nothing doubled`, async () => {
      engine = await Engine.open([segment]);
      const location = new FakeLocation("a");
      await engine.startDaemon([location], {
        flushPool: flushesThrough((run, number) => (number === broken ? Promise.reject(unavailable()) : run())),
      });
      await expectOnce(location, await engine.launch("a/*"));
    });

    test(`after flush ${String(broken)} was committed: nothing is lost and nothing doubled`, async () => {
      engine = await Engine.open([segment]);
      const location = new FakeLocation("a");
      await engine.startDaemon([location], {
        flushPool: flushesThrough(async (run, number) => {
          const result = await run();
          if (number === broken) throw unavailable();
          return result;
        }),
      });
      await expectOnce(location, await engine.launch("a/*"));
    });
  }
});
