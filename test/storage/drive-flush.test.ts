import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { deleteDaemon } from "../../control-plane/src/storage/daemons.ts";
import { driveFlush, emptyFlush, isEmptyFlush } from "../../control-plane/src/storage/drive-flush.ts";
import { isFenced } from "../../control-plane/src/storage/failure.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import {
  addLease,
  addSuccess,
  insertGates,
  insertRun,
  leaseOf,
  makeVersions,
  newDaemon,
} from "../support/drive-rows.ts";
import { keyOf } from "../support/graph-definitions.ts";

let db: TestDatabase;
let daemon: string;
let serial = 0;
/** A place of this test alone. */
const place = () => `a/asset${String(++serial)}`;

beforeAll(async () => {
  db = await testDatabase({ max: 10 });
  await db.pool.query("select ensure_event_partitions()");
});
beforeEach(async () => {
  daemon = await newDaemon(db.pool);
});
afterAll(() => db.drop());

async function rowsOf<T extends object>(text: string, values: readonly unknown[] = []): Promise<T[]> {
  return (await db.pool.query<T>(text, [...values])).rows;
}

describe("a flush", () => {
  test("of a daemon whose row is gone is refused whole, with HG001", async () => {
    const where = place();
    const run = await insertRun(db.pool, daemon, [where]);
    const flush = emptyFlush(daemon);
    addLease(flush, leaseOf(run, 0, where));
    await deleteDaemon(db.pool, daemon);
    const error: unknown = await driveFlush(db.pool, flush).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "HG001" });
    expect(isFenced(error)).toBe(true);
    expect(await rowsOf("select from attempts where run_id = $1", [run])).toEqual([]);
    expect(await rowsOf("select from events where run_id = $1", [run])).toEqual([]);
  });

  test("holds off the deletion of its daemon until it has committed", async () => {
    const client = await db.pool.connect();
    await client.query("begin");
    const empty = emptyFlush(daemon);
    empty.events.push({ kind: "test" });
    await driveFlush(client, empty);
    let deleted = false;
    const deleting = deleteDaemon(db.pool, daemon).then(() => (deleted = true));
    await waitsForLock();
    expect(deleted).toBe(false);
    await client.query("commit");
    client.release();
    await deleting;
  });

  test("the last word about an attempt, a step and a run counts when it speaks of them several times", async () => {
    const where = place();
    const run = await insertRun(db.pool, daemon, [where]);
    const leasing = emptyFlush(daemon);
    const { id, versionId } = addLease(leasing, leaseOf(run, 0, where));
    expect((await driveFlush(db.pool, leasing)).granted).toEqual([id]);
    const flush = emptyFlush(daemon);
    flush.progress.push({ id, sequence: 1, state: "started" }, { id, sequence: 3 }, { id, sequence: 2 });
    flush.ended.push({ id, state: "succeeded", error: null, sequence: 4 });
    flush.steps.push(
      { runId: run, index: 0, state: "started", ended: false },
      { runId: run, index: 0, state: "succeeded", ended: true, versionId },
    );
    flush.runs.push({ id: run, state: "canceling", ended: false }, { id: run, state: "succeeded", ended: true });
    await driveFlush(db.pool, flush);
    expect(
      await rowsOf(
        `select a.state as attempt, a.sequence, a.started_at is not null as began, s.state as step,
           s.ended_at is not null as done, s.version_id, r.state as run, r.driver
         from attempts a join steps s on s.run_id = a.run_id join runs r on r.id = a.run_id where r.id = $1`,
        [run],
      ),
    ).toEqual([
      {
        attempt: "succeeded",
        sequence: 4,
        began: true,
        step: "succeeded",
        done: true,
        version_id: versionId,
        run: "succeeded",
        driver: null,
      },
    ]);
  });

  test("moves no attempt, step or run that has ended", async () => {
    const where = place();
    const run = await insertRun(db.pool, daemon, [where]);
    const leasing = emptyFlush(daemon);
    const lease = addLease(leasing, leaseOf(run, 0, where));
    await driveFlush(db.pool, leasing);
    const ending = emptyFlush(daemon);
    addSuccess(ending, lease);
    ending.runs.push({ id: run, state: "succeeded", ended: true });
    await driveFlush(db.pool, ending);
    const late = emptyFlush(daemon);
    late.progress.push({ id: lease.id, sequence: 9, state: "unknown" });
    late.ended.push({ id: lease.id, state: "lost", error: null, sequence: 9 });
    late.steps.push({ runId: run, index: 0, state: "unknown", ended: false });
    late.runs.push({ id: run, state: "canceling", ended: false });
    await driveFlush(db.pool, late);
    expect(
      await rowsOf(
        "select a.state as attempt, s.state as step, r.state as run from attempts a, steps s, runs r where a.run_id = $1 and s.run_id = $1 and r.id = $1",
        [run],
      ),
    ).toEqual([{ attempt: "succeeded", step: "succeeded", run: "succeeded" }]);
  });
});

describe("a lease", () => {
  test("is refused where an epoch that it stands on has moved, and there alone", async () => {
    const [moved, still, first, second, third] = [place(), place(), place(), place(), place()];
    await insertGates(db.pool, [moved, still]);
    await db.pool.query("update asset_gate set epoch = 7 where asset_key = $1", [moved]);
    const run = await insertRun(db.pool, daemon, [first, second, third]);
    const flush = emptyFlush(daemon);
    Object.assign(flush.gates, { [moved]: 6, [still]: 0 });
    addLease(flush, leaseOf(run, 0, first, { gateAssets: [moved, still] }));
    const onStill = addLease(flush, leaseOf(run, 1, second, { gateAssets: [still] }));
    const onNone = addLease(flush, leaseOf(run, 2, third));
    const { granted, stale, epochs } = await driveFlush(db.pool, flush);
    expect(granted.sort()).toEqual([onStill.id, onNone.id].sort());
    expect(stale).toEqual([moved]);
    expect(epochs).toEqual({ [moved]: 7, [still]: 0 });
    expect(await rowsOf("select state from steps where run_id = $1 order by index", [run])).toEqual([
      { state: "waiting" },
      { state: "leased" },
      { state: "leased" },
    ]);
    expect(
      await rowsOf("select step_index from events where run_id = $1 and kind = 'step_leased' order by seq", [run]),
    ).toEqual([{ step_index: 1 }, { step_index: 2 }]);
  });

  test("on a gate that this flush itself bumps is granted if the caller knew all before it", async () => {
    const [asset, reader, late] = [place(), place(), place()];
    await insertGates(db.pool, [asset]);
    const run = await insertRun(db.pool, daemon, [reader, late]);
    const flush = emptyFlush(daemon);
    flush.bumps.push(asset);
    flush.gates[asset] = 0;
    const { id } = addLease(flush, leaseOf(run, 0, reader, { gateAssets: [asset] }));
    expect(await driveFlush(db.pool, flush)).toMatchObject({ granted: [id], stale: [], epochs: { [asset]: 1 } });
    const again = emptyFlush(daemon);
    again.bumps.push(asset);
    again.gates[asset] = 0;
    addLease(again, leaseOf(run, 1, late, { gateAssets: [asset] }));
    expect(await driveFlush(db.pool, again)).toMatchObject({ granted: [], stale: [asset], epochs: { [asset]: 2 } });
  });

  test("on an asset without a gate row is refused: unknown is closed", async () => {
    const [reader, nowhere] = [place(), place()];
    const run = await insertRun(db.pool, daemon, [reader]);
    const flush = emptyFlush(daemon);
    flush.gates[nowhere] = 0;
    addLease(flush, leaseOf(run, 0, reader, { gateAssets: [nowhere] }));
    expect(await driveFlush(db.pool, flush)).toMatchObject({ granted: [], stale: [nowhere] });
  });

  test("of a partition that is in flight is refused without failing the batch, unknown ones included", async () => {
    const [busy, free] = [place(), place()];
    const run = await insertRun(db.pool, daemon, [busy, free]);
    const other = await insertRun(db.pool, daemon, [busy]);
    const first = emptyFlush(daemon);
    const held = addLease(first, leaseOf(other, 0, busy));
    await driveFlush(db.pool, first);
    const lost = emptyFlush(daemon);
    lost.progress.push({ id: held.id, sequence: 0, state: "unknown" });
    await driveFlush(db.pool, lost);
    const second = emptyFlush(daemon);
    addLease(second, leaseOf(run, 0, busy));
    const granted = addLease(second, leaseOf(run, 1, free));
    expect((await driveFlush(db.pool, second)).granted).toEqual([granted.id]);
    const end = emptyFlush(daemon);
    addSuccess(end, held);
    await driveFlush(db.pool, end);
    const third = emptyFlush(daemon);
    const again = addLease(third, leaseOf(run, 0, busy));
    expect((await driveFlush(db.pool, third)).granted).toEqual([again.id]);
  });

  test("of checks of a version that is being checked there is refused", async () => {
    const where = place();
    const [version] = await makeVersions(db.pool, [where]);
    const run = await insertRun(db.pool, daemon, [where, where]);
    const flush = emptyFlush(daemon);
    const checks = { kind: "checks" as const, versionId: version?.versionId ?? "" };
    const first = addLease(flush, leaseOf(run, 0, where, checks));
    addLease(flush, leaseOf(run, 1, where, checks));
    const { granted } = await driveFlush(db.pool, flush);
    expect(granted.length).toBe(1);
    expect(granted).toEqual([first.id]);
    const elsewhere = emptyFlush(daemon);
    const other = addLease(elsewhere, leaseOf(run, 1, where, { ...checks, location: "b" }));
    expect((await driveFlush(db.pool, elsewhere)).granted).toEqual([other.id]);
  });
});

describe("what a flush records", () => {
  test("has the sequence number of the event that says it", async () => {
    const [one, two] = [place(), place()];
    const leases = await makeVersions(db.pool, [one, two]);
    const rows = await rowsOf<{ version: string; said: string }>(
      `select v.id as version, e.payload ->> 'version' as said from versions v join events e using (seq)
       where v.id = any ($1) order by v.seq`,
      [leases.map(({ versionId }) => versionId)],
    );
    expect(rows.map(({ said }) => said)).toEqual(leases.map(({ versionId }) => versionId));
    expect(rows.map(({ version, said }) => version === said)).toEqual([true, true]);
  });

  test("twice is stored once: a result or a log that comes again", async () => {
    const where = place();
    const [lease] = await makeVersions(db.pool, [where]);
    if (lease === undefined) throw new Error("no lease");
    for (let n = 0; n < 2; n++) {
      const flush = emptyFlush(daemon);
      const event = flush.events.push({ kind: "check_completed", runId: lease.runId, assetKey: where });
      flush.results.push({
        id: randomUUID(),
        versionId: lease.versionId,
        assetKey: where,
        partitionKey: "",
        team: "a",
        name: "ok",
        checkVersion: 1,
        outcome: "passed",
        description: "",
        metadata: [],
        error: null,
        runId: lease.runId,
        attemptId: lease.id,
        event,
      });
      const body = Buffer.from("hello\u0000").toString("base64");
      flush.logs.push({ attemptId: lease.id, sequence: 1, stream: "stdout", atMs: 1_500, body, droppedBytes: 0 });
      await driveFlush(db.pool, flush);
    }
    expect(await rowsOf("select from check_results where attempt_id = $1", [lease.id])).toHaveLength(1);
    const logs = await rowsOf<{ body: Buffer; at: Date }>("select body, at from log_chunks where attempt_id = $1", [
      lease.id,
    ]);
    expect(logs.map(({ body, at }) => [body.toString(), at.getTime()])).toEqual([["hello\u0000", 1_500]]);
  });

  test("cannot contain NUL: the database refuses the whole batch, and nothing of it is left", async () => {
    const flush = emptyFlush(daemon);
    flush.events.push({ kind: "note", assetKey: "a/nul", payload: { text: "a\u0000b" } });
    await expect(driveFlush(db.pool, flush)).rejects.toMatchObject({ code: "22P05" });
    expect(await rowsOf("select from events where asset_key = 'a/nul'")).toEqual([]);
  });

  test("grants the leases of one computation all or none, and others for themselves", async () => {
    const [one, two, alone] = [place(), place(), place()];
    const run = await insertRun(db.pool, daemon, [one, two, alone]);
    const other = await insertRun(db.pool, daemon, [two]);
    const first = emptyFlush(daemon);
    addLease(first, leaseOf(other, 0, two));
    await driveFlush(db.pool, first);
    const flush = emptyFlush(daemon);
    const id = randomUUID();
    addLease(flush, leaseOf(run, 0, one, { id, computation: id, isWhole: true }));
    addLease(flush, leaseOf(run, 1, two, { computation: id, isWhole: true }));
    const single = addLease(flush, leaseOf(run, 2, alone));
    const { granted, base } = await driveFlush(db.pool, flush);
    expect(granted).toEqual([single.id]);
    // Nothing of it is left: no attempt, no event, no step in flight.
    const { rows } = await db.pool.query("select step_index from attempts where run_id = $1", [run]);
    expect(rows).toEqual([{ step_index: 2 }]);
    const events = await db.pool.query("select step_index from events where seq > $1", [base]);
    expect(events.rows).toEqual([{ step_index: 2 }]);
    const steps = await db.pool.query("select state, attempts from steps where run_id = $1 order by index", [run]);
    expect(steps.rows).toEqual([
      { state: "waiting", attempts: 0 },
      { state: "waiting", attempts: 0 },
      { state: "leased", attempts: 1 },
    ]);
  });

  test("adds steps to a run and leases them at once", async () => {
    const where = place();
    const [version] = await makeVersions(db.pool, [where]);
    const run = await insertRun(db.pool, daemon, [where]);
    const flush = emptyFlush(daemon);
    const versionId = version?.versionId ?? "";
    flush.newSteps.push({
      runId: run,
      index: 1,
      kind: "checks",
      assetKey: keyOf(where),
      partitionKey: "",
      location: "a",
      after: [0],
      edges: [],
      checks: ["ok"],
      versionId,
      computation: null,
    });
    const lease = addLease(flush, leaseOf(run, 1, where, { kind: "checks", versionId }));
    expect((await driveFlush(db.pool, flush)).granted).toEqual([lease.id]);
    expect(
      await rowsOf("select state, after, checks, version_id from steps where run_id = $1 and index = 1", [run]),
    ).toEqual([{ state: "leased", after: [0], checks: ["ok"], version_id: versionId }]);
  });
});

/** Resolves once somebody waits for a lock. */
async function waitsForLock(): Promise<void> {
  for (;;) {
    const text = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    if ((await db.pool.query(text)).rowCount !== 0) return;
  }
}

describe("a flush is empty", () => {
  test("only if no list of it has an entry, steps that a run adds among them", () => {
    const flush = emptyFlush("d");
    expect(isEmptyFlush({ ...flush, gates: { "a/one": 1 } })).toBe(true);
    for (const [name, part] of Object.entries(flush)) {
      if (Array.isArray(part)) expect(isEmptyFlush({ ...flush, [name]: [{}] }), name).toBe(false);
    }
  });
});
