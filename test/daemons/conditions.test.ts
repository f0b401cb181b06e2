import { randomUUID } from "node:crypto";
import type pg from "pg";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Automation } from "../../control-plane/src/daemons/automation.ts";
import type { Condition } from "../../control-plane/src/domain/conditions/condition.ts";
import { planChecks } from "../../control-plane/src/domain/plan-checks.ts";
import { appendEvents } from "../../control-plane/src/storage/append-events.ts";
import { writeAudit } from "../../control-plane/src/storage/audit.ts";
import { readEvaluations } from "../../control-plane/src/storage/condition-evaluations.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { loadGateView } from "../../control-plane/src/storage/gate-state.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation, succeeded, threw } from "../support/fake-location.ts";
import { assetOf, checkOf, keyOf, locationOf } from "../support/graph-definitions.ts";

const when = (automation: Condition) => ({ automation });
const remembering: Condition = {
  kind: "since",
  of: { kind: "newlyTrue", of: { kind: "anyDeps", of: { kind: "checkFailed" } } },
  reset: { kind: "newlyRequested" },
};
const north = locationOf("north", [assetOf("north/raw"), assetOf("north/other")], [checkOf("north/raw", "ok")]);
/** `codeVersion`: of south/broken, which always fails. */
const southOf = (codeVersion: string) =>
  locationOf("south", [
    assetOf("south/eager", ["north/raw"], when({ kind: "eager" })),
    assetOf("south/both", ["south/eager", "north/other"], when({ kind: "eager" })),
    assetOf("south/afterwards", ["north/raw"], when(remembering)),
    assetOf("south/broken", [], { codeVersion, ...when({ kind: "onMissing" }) }),
  ]);

let engine: Engine;
/** What the check of north/raw says next. */
let verdict: "passed" | "failed" = "passed";
/** What computing south/eager ends with. */
let eagerFails = false;

beforeAll(async () => {
  engine = await Engine.open([north, southOf("1")]);
  const locations = [
    new FakeLocation("north", {
      compute: ({ command }) => succeeded(command, command.asset === "north/raw" ? { ok: verdict } : {}),
    }),
    new FakeLocation("south", {
      compute: ({ command: { asset }, command }) =>
        asset === "south/broken" || (asset === "south/eager" && eagerFails) ? threw("no") : succeeded(command),
    }),
  ];
  for (let n = 0; n < 2; n++) {
    const daemon = await engine.startDaemon();
    for (const location of locations) location.connect(() => daemon.drive.contact);
  }
});
afterAll(async () => {
  const violations = await engine.violations();
  await engine.close();
  expect(violations).toEqual([]);
  expect(engine.complaints).toEqual([]);
});
beforeEach(() => {
  verdict = "passed";
  eagerFails = false;
});

/** Nothing runs, and nobody requests anything any more. */
const atRest = async (): Promise<void> => {
  for (;;) {
    await engine.until("select where not exists (select from runs where ended_at is null)");
    const requested = await Promise.all(engine.daemons.map((daemon) => daemon.automation.settle()));
    if (requested.every((count) => count === 0)) return;
  }
};
const versions = (asset: string) => engine.count(`from versions where asset_key = '${asset}'`);
const requests = (asset: string) => engine.count(`from automation_requests where asset_key = '${asset}'`);

describe("conditions, with two daemons", () => {
  test("a version that becomes open is reacted to once, along the graph", async () => {
    expect(await engine.run("north/raw or north/other")).toBe("succeeded");
    await atRest();
    expect([await versions("south/eager"), await versions("south/both")]).toEqual([1, 1]);
    expect(await engine.run("north/raw")).toBe("succeeded");
    await atRest();
    expect([await versions("south/eager"), await versions("south/both")]).toEqual([2, 2]);
    expect([await requests("south/eager"), await requests("south/both")]).toEqual([2, 2]);
    const { rows } = await engine.pool.query<{ reads: object[] }>(
      "select reads from automation_requests where asset_key = 'south/eager' order by run_id desc limit 1",
    );
    const [raw] = await newestOf("north/raw");
    expect(rows[0]?.reads).toEqual([{ asset: "north/raw", partition: "", version: raw?.id, seq: raw?.seq }]);
  });

  test("what is shut is not requested; the check that is judged anew, or a waiver, has it requested", async () => {
    const before = await requests("south/eager");
    verdict = "failed";
    expect(await engine.run("north/raw")).toBe("blocked");
    await atRest();
    expect(await requests("south/eager")).toBe(before);
    verdict = "passed";
    await checkAgain();
    await engine.until("select from automation_requests where asset_key = 'south/eager' offset $1 limit 1", [before]);
    await atRest();
    expect(await requests("south/eager")).toBe(before + 1);

    verdict = "failed";
    expect(await engine.run("north/raw")).toBe("blocked");
    await atRest();
    expect(await requests("south/eager")).toBe(before + 1);
    await waiveNewest();
    await engine.until("select from automation_requests where asset_key = 'south/eager' offset $1 limit 1", [
      before + 1,
    ]);
    await atRest();
    expect(await requests("south/eager")).toBe(before + 2);
    expect(await engine.count("from steps where asset_key like 'south/%' and state = 'blocked'")).toBe(0);
  });

  test("a compute that fails is not requested again, also by a daemon that knows nothing yet", async () => {
    const before = await requests("south/eager");
    eagerFails = true;
    expect(await engine.run("north/raw")).toBe("succeeded");
    await atRest();
    await atRest();
    expect(await requests("south/eager")).toBe(before + 1);
  });

  test("what failed is requested once by each definition, also by one that comes back", async () => {
    expect(await requests("south/broken")).toBe(1);
    for (const [before, codeVersion] of ["2", "1"].entries()) {
      await engine.define(southOf(codeVersion));
      await engine.until("select from automation_requests where asset_key = 'south/broken' offset $1", [before + 1]);
      await atRest();
      expect(await requests("south/broken")).toBe(before + 2);
    }
  });

  test("a condition whose state is gone begins again, and keeps nobody from being requested", async () => {
    const before = await requests("south/eager");
    await engine.pool.query("delete from condition_states where asset_key = 'south/eager'");
    expect(await engine.run("north/raw")).toBe("succeeded");
    await engine.until("select from automation_requests where asset_key = 'south/eager' offset $1 limit 1", [before]);
    await atRest();
    expect(await requests("south/eager")).toBe(before + 1);
  });

  test("what a condition remembers is stored with what it requests", async () => {
    // Its check failed twice above, and each time it was requested once the gate had opened.
    expect(await requests("south/afterwards")).toBe(2);
    const { rows } = await engine.pool.query<{ held: object }>(
      "select held from condition_states where asset_key = 'south/afterwards'",
    );
    expect(rows).toEqual([{ held: { ".0": [], ".0.0": [] } }]);
  });

  test("evaluations are kept with their trees: those that requested, and the newest that did not", async () => {
    for (const daemon of engine.daemons) await daemon.automation.stop();
    const evaluations = await readEvaluations(engine.pool, keyOf("south/eager"), 50);
    expect(evaluations.filter(({ requestedCount }) => requestedCount === 1).length).toBe(await requests("south/eager"));
    const idle = evaluations.filter(({ requestedCount }) => requestedCount === 0);
    expect(
      idle.map(({ explanation }) => [explanation.count, explanation.of.map(({ text, count }) => [text, count])]),
    ).toEqual([
      [
        0,
        [
          ["eager", 0],
          ["its gate is open", 1],
          ["not", 1],
          ["not requested like this before", 0],
        ],
      ],
    ]);
  });
});

test("what no condition looks at costs no statement, as long as not too much of it lies unread", async () => {
  const own = await Engine.open([
    locationOf("a", [assetOf("a/x"), assetOf("a/y", ["a/x"], when({ kind: "onMissing" })), assetOf("a/aside")]),
  ]);
  let statements = 0;
  const counted = new Proxy(own.pool, {
    get: (pool, name) => {
      if (name === "query" || name === "connect") statements++;
      const member: unknown = Reflect.get(pool, name, pool);
      return typeof member === "function" ? member.bind(pool) : member;
    },
  });
  const automation = new Automation({
    pool: counted,
    graph: () => own.mirror.current(),
    now: Date.now,
    newId,
    requested: () => undefined,
    failed: (error) => expect.unreachable(String(error)),
  });
  const statementsOf = async (assets: readonly string[], last: number): Promise<number> => {
    statements = 0;
    automation.touch(assets.map(keyOf), last);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    return statements;
  };
  try {
    await automation.settle();
    expect(await statementsOf(["a/aside"], 1)).toBe(0);
    expect(await statementsOf(["a/aside", "a/x"], 2)).toBeGreaterThan(0);
    await automation.settle();
    expect(await statementsOf(["a/aside"], 100_000)).toBeGreaterThan(0);
  } finally {
    await automation.stop();
    await own.close();
  }
});

test("what is newly true of more than one run may make is requested run after run, and nothing is forgotten", async () => {
  const days = {
    kind: "timeWindow",
    cron: "0 0 * * *",
    timezone: "UTC",
    start: "2001-01-01",
    end: "2004-01-01",
  } as const;
  const newlyMissing: Condition = { kind: "newlyTrue", of: { kind: "missing" } };
  const own = await Engine.open([
    locationOf("a", [
      assetOf("a/days", [], { partitions: days, ...when(newlyMissing) }),
      assetOf("a/whole", [], when(newlyMissing)),
      assetOf("a/first", [], when({ kind: "initialEvaluation" })),
    ]),
  ]);
  try {
    const automation = new Automation({
      pool: own.pool,
      graph: () => own.mirror.current(),
      now: Date.now,
      newId,
      requested: () => undefined,
      failed: (error) => void own.complaints.push(String(error)),
    });
    expect(await automation.settle()).toBe(1_095 + 2);
    await automation.stop();
    expect(await own.count("from steps")).toBe(1_095 + 2);
    expect(own.complaints).toEqual([]);
  } finally {
    await own.close();
  }
});

test("killed at any statement, and started again, it requests each partition once", async () => {
  const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2001-08" } as const;
  const own = await Engine.open([
    locationOf("a", [
      assetOf("a/x", [], { partitions: months, ...when({ kind: "eager" }) }),
      assetOf("a/y", [], when(remembering)),
    ]),
  ]);
  try {
    let killed = 0;
    for (let statement = 1; ; statement++) {
      const kill = { after: statement };
      const automation = new Automation({
        pool: killable(own.pool, kill),
        graph: () => own.mirror.current(),
        now: Date.now,
        newId,
        requested: () => undefined,
        failed: () => void automation.stop(),
      });
      await automation.settle();
      await automation.stop();
      if (kill.after > 0) break;
      killed++;
      expect(await own.count("from steps")).toBe(await own.count("from automation_requests"));
      expect([0, 7]).toContain(await own.count("from steps"));
    }
    expect(killed).toBeGreaterThan(5);
    expect(await own.count("from steps")).toBe(7);
    expect(await own.count("from runs")).toBe(1);
  } finally {
    await own.close();
  }
});

/** A pool whose `after`-th statement, and every one after it, does not reach the database; `after` counts down to 0. */
function killable(pool: pg.Pool, kill: { after: number }): pg.Pool {
  const guarded = <T extends { query: unknown }>(target: T): T =>
    new Proxy(target, {
      get(of, name) {
        const value = Reflect.get(of, name) as unknown;
        if (name === "connect") return async () => guarded(await (of as unknown as pg.Pool).connect());
        if (name !== "query") return typeof value === "function" ? (value as () => unknown).bind(of) : value;
        return (...args: unknown[]) => {
          // What the dead process had begun is rolled back by its connection.
          if (args[0] !== "rollback" && (kill.after === 0 || --kill.after === 0))
            return Promise.reject(new Error("killed"));
          return (value as (...args: unknown[]) => unknown).apply(of, args);
        };
      },
    });
  return guarded(pool);
}

/** Runs the check once more on the newest version. */
async function checkAgain(): Promise<void> {
  const view = await loadGateView(engine.pool, [keyOf("north/raw")]);
  const planned = planChecks(engine.mirror.current(), { asset: "north/raw" }, view, Date.now());
  if (!planned.ok) throw new Error(planned.message);
  await engine.ended(await engine.launch("north/raw", { plan: planned.plan }));
}

async function waiveNewest(): Promise<void> {
  const [version] = await newestOf("north/raw");
  const id = randomUUID();
  await withTransaction(engine.pool, async (tx) => {
    const of = { asset: keyOf("north/raw"), partition: "", team: "north", name: "ok" };
    await tx.query(
      `insert into waivers (id, version_id, asset_key, partition_key, team, name, reason, actor, until)
       values ($1, $2, $3, '', 'north', 'ok', 'known', 'ada', clock_timestamp() + interval '1 day')`,
      [id, version?.id, of.asset],
    );
    await writeAudit(tx, {
      actor: "ada",
      action: "waiver.create",
      subject: of.asset,
      details: { waiver: id, version: version?.id },
    });
    await appendEvents(tx, [{ kind: "waiver_created", assetKey: of.asset, partitionKey: "", payload: { waiver: id } }]);
  });
  await engine.pool.query("select pg_notify('headgate_events', '')");
}

async function newestOf(asset: string): Promise<readonly { readonly id: string; readonly seq: number }[]> {
  const text = "select id, seq from versions where asset_key = $1 order by seq desc limit 1";
  return (await engine.pool.query<{ id: string; seq: number }>(text, [asset])).rows;
}
