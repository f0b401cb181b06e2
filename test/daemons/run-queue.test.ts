import { afterEach, describe, expect, test } from "vitest";
import type { QueueRules } from "../../control-plane/src/domain/run-queue.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation, Pause, succeeded } from "../support/fake-location.ts";
import { assetOf, locationOf } from "../support/graph-definitions.ts";

let engine: Engine;
afterEach(async () => {
  const violations = await engine.violations();
  await engine.close();
  expect(violations).toEqual([]);
});

/** Queues so many copies of a run of one step over these assets, in one statement. */
async function flood(count: number, keys: readonly string[]): Promise<void> {
  await engine.pool.query(
    `with many as (
       insert into runs (id, state, source, actor, selection, step_count, team)
         select gen_random_uuid(), 'queued', 'manual', 'ada', key, 1, split_part(key, '/', 1)
           from generate_series(1, $1::integer) n, lateral (select ($2::text[])[1 + n % cardinality($2::text[])] as key) k
         returning id, selection),
     stepped as (
       insert into steps (run_id, index, kind, asset_key, location, state)
         select id, 0, 'materialize', selection, split_part(selection, '/', 1), 'waiting' from many),
     audited as (
       insert into audit (actor, action, subject, details) select 'ada', 'run.create', id::text, '{"source": "manual"}' from many)
     select append_events(jsonb_agg(jsonb_build_object('kind', 'run_queued', 'runId', id))) from many`,
    [count, keys],
  );
}

describe("a run of one team", () => {
  test("starts at once, though another team has 10,000 queued and fills the daemon", async () => {
    const keys = Array.from({ length: 510 }, (_, n) => `a/n${n}`);
    engine = await Engine.open([
      locationOf(
        "a",
        keys.map((key) => assetOf(key)),
      ),
      locationOf("b", [assetOf("b/only")]),
    ]);
    const flooded = new FakeLocation("a", { credits: 1_000, compute: () => new Promise(() => undefined) });
    await engine.startDaemon([flooded, new FakeLocation("b")]);
    await flood(10_000, keys);
    await engine.pool.query("select pg_notify('headgate_runs', '')");
    await engine.until("select from attempts where state = 'leased' having count(*) >= 500");
    expect(await engine.run("b/only")).toBe("succeeded");
    expect(await engine.count("from runs where state = 'queued'")).toBeGreaterThan(9_000);
    expect(await engine.count("from runs where ended_at is not null")).toBe(1);
  });
});

describe("a run that can do nothing", () => {
  test("gives its slot back, and asks for one again: then it is canceled, or goes on in its turn", async () => {
    const rules: QueueRules = { maxRuns: 2, teams: {}, tagLimits: [] };
    engine = await Engine.open([
      locationOf("a", [assetOf("a/x"), assetOf("a/y")]),
      locationOf("b", [assetOf("b/x"), assetOf("b/y"), assetOf("b/z")]),
    ]);
    const pauses: Record<string, Pause> = { "b/x": new Pause(), "b/z": new Pause() };
    const there = new FakeLocation("b", {
      compute: (attempt) => pauses[attempt.command.asset]?.compute(attempt) ?? succeeded(attempt.command),
    });
    const daemon = await engine.startDaemon([there], { queueRules: () => rules });
    const waits = await engine.launch("a/x");
    const given = await engine.launch("a/y");
    await engine.until("select from runs where id = $1 and state = 'started'", [given]);
    const other = await engine.launch("b/x");
    const third = await engine.launch("b/z");
    const later = await engine.launch("b/y");
    await Promise.all([pauses["b/x"]?.begun, pauses["b/z"]?.begun]);
    const { slot } = await engine.until<{ slot: string }>("select slot from runs where id = $1", [waits]);
    expect(slot).toBe("released");
    new FakeLocation("a").connect(() => daemon.drive.contact);
    // It asks for its slot, waits for it, and has it before what was queued later.
    await engine.until("select from runs where id = $1 and slot = 'wanted'", [waits]);
    await engine.until("select from runs where id = $1 and slot = 'wanted'", [given]);
    await engine.cancel(given);
    expect(await engine.ended(given)).toBe("canceled");
    expect(await engine.steps(waits)).toEqual(["a/x waiting"]);
    await pauses["b/x"]?.succeed();
    expect(await engine.ended(later)).toBe("succeeded");
    await pauses["b/z"]?.succeed();
    expect(await engine.ended(third)).toBe("succeeded");
    const { rows } = await engine.pool.query<{ id: string }>("select id from runs order by ended_at");
    expect(rows.map(({ id }) => id)).toEqual([given, other, waits, later, third]);
  });
});
