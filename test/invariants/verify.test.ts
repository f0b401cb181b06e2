import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { appendEvents } from "../../control-plane/src/storage/append-events.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { historySize, verifiedRules, verify } from "../../control-plane/src/storage/verify.ts";
import { Engine } from "../support/engine.ts";
import { FakeLocation, succeeded, threw } from "../support/fake-location.ts";
import { assetOf, checkOf, keyOf, locationOf } from "../support/graph-definitions.ts";

/*
 * Each rule of the history checker is shown to find what it is there for: a history with something of everything is
 * made by the engine, one thing in it is changed with SQL, and the rule is named.
 */

const whole = { outputs: [keyOf("a/left"), keyOf("a/right")], canSubset: false };
const a = locationOf(
  "a",
  [
    assetOf("a/raw"),
    assetOf("a/clean", ["a/raw"]),
    assetOf("a/report", [{ asset: "a/clean", mode: "lastValidated" }]),
    assetOf("a/guarded", [], { requiredChecks: [{ asset: keyOf("a/guarded"), team: "b", name: "fit" }] }),
    assetOf("a/reader", ["a/guarded"]),
    assetOf("a/left", [], { multi: whole }),
    assetOf("a/right", [], { multi: whole }),
    assetOf("a/bad", [], { retry: { maxRetries: 1, delayMs: 0, backoff: "constant", jitter: 0, maxCrashes: 0 } }),
    assetOf("a/after_bad", ["a/bad"]),
  ],
  [checkOf("a/raw", "enough"), checkOf("a/clean", "no_nulls")],
);
const b = locationOf("b", [assetOf("b/shared", ["a/raw"])], [checkOf("a/guarded", "fit")]);

let engine: Engine;
let run: string;
let failing: string;
let blocking: string;

beforeAll(async () => {
  engine = await Engine.open([a, b]);
  let outcome: "passed" | "failed" = "passed";
  const compute = new FakeLocation("a", {
    compute: ({ command }) => (command.asset === "a/bad" ? threw("no") : succeeded(command, { no_nulls: outcome })),
  });
  await engine.startDaemon([compute, new FakeLocation("b")]);
  run = await engine.launch("a/raw or a/clean or a/report or a/guarded or a/reader or b/shared or a/left");
  expect(await engine.ended(run)).toBe("succeeded");
  failing = await engine.launch("a/bad+");
  expect(await engine.ended(failing)).toBe("failed");
  outcome = "failed";
  blocking = await engine.launch("a/clean");
  expect(await engine.ended(blocking)).toBe("blocked");
  const report = locationOf(
    "a",
    [...a.assets.map(({ definition }) => definition), assetOf("a/strict", ["a/clean"])],
    [...a.checks.map(({ definition }) => definition)],
  );
  await engine.define(report);
  blocking = await engine.launch("a/strict");
  expect(await engine.ended(blocking)).toBe("blocked");
  await waive();
  expect(await engine.run("a/strict")).toBe("succeeded");
  for (const daemon of engine.daemons) await daemon.stop();
});
afterAll(() => engine.close());

const waiver = randomUUID();
/** As the API does it. */
async function waive(): Promise<void> {
  await withTransaction(engine.pool, async (tx) => {
    await tx.query("update asset_gate set epoch = epoch + 1 where asset_key = 'a/clean'");
    const { rows } = await tx.query<{ id: string }>(
      "select id from versions where asset_key = 'a/clean' order by seq desc",
    );
    const version = rows[0]?.id;
    await tx.query(
      `insert into waivers (id, version_id, asset_key, partition_key, team, name, reason, actor, until)
       values ($1, $2, 'a/clean', '', 'a', 'no_nulls', 'known', 'ada', clock_timestamp() + interval '1 day')`,
      [waiver, version],
    );
    await tx.query(
      "insert into audit (actor, action, subject, details) values ('ada', 'waiver.create', 'a/clean', $1)",
      [JSON.stringify({ waiver, version })],
    );
    await appendEvents(tx, [{ kind: "waiver_created", assetKey: "a/clean", payload: { waiver, version } }]);
  });
}

/** What a test changes is undone: everything happens in a copy of the tables. */
const copied = [
  "runs",
  "steps",
  "attempts",
  "versions",
  "check_results",
  "waivers",
  "decisions",
  "audit",
  "events",
  "automations",
  "ticks",
  "asset_owners",
  "locations",
  "location_definitions",
];
beforeEach(async () => {
  for (const table of copied) await engine.pool.query(`create table kept_${table} as table ${table}`);
});
afterEach(async () => {
  const client = await engine.pool.connect();
  try {
    await client.query("begin");
    await client.query("set local session_replication_role = replica");
    for (const table of copied) {
      await client.query(`delete from ${table}`);
      const overriding = table === "audit" ? "overriding system value" : "";
      await client.query(`insert into ${table} ${overriding} table kept_${table}`);
      await client.query(`drop table kept_${table}`);
    }
    await client.query("commit");
  } finally {
    client.release();
  }
});

/** Changes the history as nobody may, without the triggers of foreign keys. */
async function plant(text: string, values: readonly unknown[] = []): Promise<void> {
  const client = await engine.pool.connect();
  try {
    await client.query("begin");
    await client.query("set local session_replication_role = replica");
    const { rowCount } = await client.query(text, [...values]);
    expect(rowCount).toBeGreaterThan(0);
    await client.query("commit");
  } finally {
    client.release();
  }
}

async function broken(): Promise<string[]> {
  return (await verify(engine.pool)).map(({ rule }) => rule);
}

test("a history that the engine made keeps every rule", async () => {
  expect(await verify(engine.pool)).toEqual([]);
  expect((await historySize(engine.pool)).attempts).toBeGreaterThan(8);
  expect(new Set(verifiedRules.map(({ id }) => id)).size).toBe(verifiedRules.length);
});

const attemptOf = (asset: string) =>
  `(select id from attempts where asset_key = '${asset}' order by leased_at limit 1)`;
const versionOf = (asset: string) => `(select id from versions where asset_key = '${asset}' order by seq limit 1)`;

const plants: readonly (readonly [rule: string, what: string, text: string])[] = [
  [
    "history.events_gap_free",
    "an event is gone",
    "delete from events where seq = (select max(seq) - 1 from events where kind = 'run_queued')",
  ],
  [
    "history.attempt_leased_once",
    "a lease has no event",
    `update events set kind = 'note' where kind = 'step_leased' and payload ->> 'attempt' = ${attemptOf("a/raw")}::text`,
  ],
  ["history.lease_has_attempt", "a leased attempt is gone", `delete from attempts where id = ${attemptOf("a/bad")}`],
  [
    "history.settled_once",
    "an attempt is settled a second time",
    `update events set kind = 'step_succeeded', payload = jsonb_build_object('attempt', ${attemptOf("a/raw")}) where kind = 'run_queued'`,
  ],
  [
    "history.settled_once",
    "an attempt that was settled is still in flight",
    `update attempts set state = 'leased', ended_at = null where id = ${attemptOf("a/raw")}`,
  ],
  [
    "history.one_in_flight",
    "an attempt was leased before the one before it had ended",
    `update events set payload = payload || jsonb_build_object('attempt', case payload ->> 'attempt' when x.one then x.two else x.one end)
     from (select min(id::text) as one, max(id::text) as two from attempts where asset_key = 'a/bad') x
     where kind in ('step_retrying', 'step_failed') and payload ->> 'attempt' in (x.one, x.two)`,
  ],
  [
    "history.attempts_counted",
    "a step counts an attempt too many",
    "update steps set attempts = attempts + 1 where asset_key = 'a/raw' and kind = 'materialize'",
  ],
  [
    "history.attempt_end_timed",
    "an attempt ended at no time",
    `update attempts set ended_at = null where id = ${attemptOf("a/raw")}`,
  ],
  [
    "history.run_ends_with_steps",
    "a run has ended before a step of it",
    "update steps set state = 'waiting', ended_at = null where asset_key = 'a/after_bad'",
  ],
  [
    "history.run_end_event",
    "a run's end is not in the log",
    "update events set kind = 'note' where kind = 'run_failed'",
  ],
  [
    "history.run_outcome",
    "a run with a failed step succeeded",
    "update runs set state = 'succeeded' where state = 'failed'",
  ],
  [
    "history.backfill_runs",
    "a run of a backfill that nobody created",
    "update runs set source = 'backfill' where state = 'failed'",
  ],
  [
    "history.step_version",
    "a step made nothing and succeeded",
    "update steps set version_id = null where asset_key = 'a/report'",
  ],
  [
    "history.tick_launched",
    "a tick launched a run that nobody knows",
    `with made as (insert into automations (name, kind, location, cadence, watermark)
       values ('a/nightly', 'schedule', 'a', '0 2 * * * UTC', now()) returning name)
     insert into ticks (id, automation, scheduled_at, state, definition_hash, run_count, ended_at)
       select gen_random_uuid(), name, now(), 'launched', 'h', 1, now() from made`,
  ],
  [
    "history.computed_together",
    "one of what is computed together is of another epoch",
    `update attempts set epoch = epoch + 1 where id = ${attemptOf("a/left")}`,
  ],
  [
    "history.recorded_together",
    "one version of what is computed as a whole is gone",
    `delete from versions where id = ${versionOf("a/right")}`,
  ],
  ["history.step_version", "a step's version is gone", `delete from versions where id = ${versionOf("a/report")}`],
  [
    "history.version_event",
    "a version bears another event's number",
    `update versions set seq = 1 where id = ${versionOf("a/report")}`,
  ],
  [
    "history.result_event",
    "a result bears another event's number",
    "update check_results set seq = 1 where name = 'fit'",
  ],
  [
    "history.audited",
    "nobody launched a run",
    "delete from audit where action = 'run.create' and id = (select min(id) from audit)",
  ],
  ["history.audited", "nobody waived", "delete from audit where action = 'waiver.create'"],
  ["history.audited", "a waiver ended before its time", "update waivers set ended_at = now(), ended_by = 'time'"],
  [
    "history.audited",
    "nobody discarded a version",
    `update versions set discarded_at = now() where id = ${versionOf("a/report")}`,
  ],
  [
    "history.reported_external",
    "a version comes from nowhere",
    `update versions set run_id = null, attempt_id = null where id = ${versionOf("b/shared")}`,
  ],
  [
    "history.audited",
    "nobody reported a version",
    `update versions set run_id = null, attempt_id = null where id = ${versionOf("b/shared")}`,
  ],
  [
    "history.result_event",
    "a result comes from nowhere",
    "update check_results set run_id = null, attempt_id = null where name = 'fit'",
  ],
  [
    "validation.read_open",
    "a check of what was read had failed",
    "update check_results set outcome = 'failed' where name = 'enough'",
  ],
  [
    "validation.read_open",
    "a check of what was read had errored",
    "update check_results set outcome = 'errored' where name = 'enough'",
  ],
  ["validation.read_open", "a check of what was read had not run", "delete from check_results where name = 'enough'"],
  [
    "validation.read_open",
    "a check of what was read ran afterwards",
    "update check_results set seq = (select max(seq) from events) where name = 'enough'",
  ],
  [
    "validation.read_open",
    "a check of what was read ran in another version",
    "update check_results set check_version = 2 where name = 'enough'",
  ],
  [
    "validation.read_open",
    "the check of another team that the owner requires had failed",
    "update check_results set outcome = 'failed' where name = 'fit'",
  ],
  ["validation.read_open", "the waiver did not exist", "delete from waivers"],
  [
    "validation.read_open",
    "the waiver was created afterwards",
    "update events set kind = 'note' where kind = 'waiver_created'",
  ],
  [
    "validation.read_open",
    "the waiver had ended by its time",
    "update waivers set until = created_at - interval '1 hour'",
  ],
  ["validation.read_open", "the waiver was for another check", "update waivers set name = 'other'"],
  [
    "validation.read_open",
    "the waiver is not shown",
    "update attempts set inputs = jsonb_set(inputs, '{0,versions,0,waivers}', '[]') where asset_key = 'a/strict'",
  ],
  ["validation.read_exists", "what was read is gone", `delete from versions where id = ${versionOf("a/raw")}`],
  [
    "validation.read_exists",
    "what was read is newer than the lease",
    `update versions set seq = (select max(seq) from events) where id = ${versionOf("a/raw")}`,
  ],
  [
    "validation.read_exists",
    "what was read is of another partition",
    `update versions set partition_key = 'p' where id = ${versionOf("a/raw")}`,
  ],
  [
    "validation.read_exists",
    "what was read had been discarded",
    `update events set kind = 'version_discarded', payload = jsonb_build_object('version', ${versionOf("a/raw")}) where seq = (select seq + 1 from versions where asset_key = 'a/raw')`,
  ],
  [
    "validation.inputs_kept",
    "a version tells other inputs",
    `update versions set inputs = '[]' where id = ${versionOf("a/clean")}`,
  ],
  [
    "validation.inputs_kept",
    "a version does not tell its waivers",
    `update versions set waivers = '{}' where asset_key = 'a/strict'`,
  ],
  [
    "isolation.own_location",
    "an attempt ran elsewhere",
    `update attempts set location = 'b' where id = ${attemptOf("a/raw")}`,
  ],
  [
    "isolation.own_location",
    "a process spoke for two locations",
    `update attempts set instance_id = (select instance_id from attempts where location = 'b' limit 1) where id = ${attemptOf("a/raw")}`,
  ],
  [
    "isolation.skipped_for_cause",
    "a step was skipped though nothing before it fell",
    "update steps set state = 'skipped' where asset_key = 'a/clean'",
  ],
  [
    "isolation.failed_for_cause",
    "a step failed though its attempt succeeded",
    "update steps set state = 'failed' where asset_key = 'a/clean'",
  ],
  [
    "isolation.failed_for_cause",
    "a step failed for what happened elsewhere",
    `update steps set state = 'failed', error = '{"code":"other"}' where asset_key = 'a/after_bad'`,
  ],
  ["isolation.blocked_for_cause", "a step was blocked without a decision", "delete from decisions"],
  ["isolation.blocked_for_cause", "a step was blocked without a reason", "update decisions set reasons = '[]'"],
  [
    "ownership.asset_of_its_team",
    "a team owns another team's asset",
    "update asset_owners set team = 'b' where asset_key = 'a/raw'",
  ],
  [
    "ownership.asset_of_its_team",
    "an asset is in another team's location",
    "update asset_owners set location = 'b' where asset_key = 'a/raw'",
  ],
  ["ownership.asset_has_owner", "an asset has no owner", "delete from asset_owners where asset_key = 'a/raw'"],
  [
    "ownership.made_by_owner",
    "another location made a version",
    `update versions set location = 'b' where id = ${versionOf("a/raw")}`,
  ],
  [
    "ownership.made_by_owner",
    "a version was made before its location got the asset",
    `insert into events (seq, kind, asset_key, payload)
       select max(seq) + 1, 'owner_transferred', 'a/raw', '{"asset":"a/raw","from":"a-annex","to":"a","actor":"ada"}' from events`,
  ],
  [
    "history.audited",
    "an asset was transferred, and nobody did it",
    `insert into events (seq, kind, asset_key, payload)
       select max(seq) + 1, 'owner_transferred', 'a/raw', '{"asset":"a/raw","from":"a","to":"a","actor":"ada"}' from events`,
  ],
  [
    "ownership.checked_by_owner",
    "another team gave the verdict",
    "update check_results set team = 'b' where name = 'enough'",
  ],
  [
    "ownership.checked_by_owner",
    "nobody gave the verdict",
    "update check_results set run_id = null, attempt_id = null where name = 'fit'",
  ],
  [
    "ownership.waived_check_exists",
    "a waiver for a check that nobody defines",
    "update waivers set name = 'nobody_defines'",
  ],
  [
    "history.deleted_is_gone",
    "a version is left of what was deleted",
    "update events set kind = 'asset_deleted', asset_key = 'a/clean' where seq = (select max(seq) from events)",
  ],
  [
    "ownership.waived_check_exists",
    "a waiver of one asset for another's version",
    "update waivers set asset_key = 'a/raw'",
  ],
];

describe("the checker names", () => {
  for (const [rule, what, text] of plants) {
    test(`${rule}: ${what}`, async () => {
      await plant(text);
      expect(await broken()).toContain(rule);
    });
  }

  test("every rule that there is", () => {
    expect(new Set(plants.map(([rule]) => rule))).toEqual(new Set(verifiedRules.map(({ id }) => id)));
  });

  test("the first place with its ids, and how many there are", async () => {
    await plant("update check_results set outcome = 'failed' where name = 'enough'");
    const [violation] = (await verify(engine.pool)).filter(({ rule }) => rule === "validation.read_open");
    expect(violation).toMatchObject({
      invariant: "Validation",
      count: 3,
      ids: { asset: "a/raw", check: "enough", outcome: "failed" },
    });
    expect(violation?.found).toContain("of a/raw, for which a:enough was failed");
  });
});

describe("what has changed since is not judged by what it is now", () => {
  test("a check that was added, bumped or made blocking after a lease accuses nobody", async () => {
    const assets = a.assets.map(({ definition }) => definition);
    await engine.define(
      locationOf(
        "a",
        [...assets, assetOf("a/strict", ["a/clean"])],
        [checkOf("a/raw", "enough", { version: 2 }), checkOf("a/raw", "brand_new"), checkOf("a/clean", "no_nulls")],
      ),
    );
    expect(await broken()).toEqual([]);
    // What did not change is still judged.
    await plant("update check_results set outcome = 'failed' where name = 'fit'");
    expect(await broken()).toContain("validation.read_open");
  });
});
