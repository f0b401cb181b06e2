import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claimRuns, readClosed, readInFlight, readSteps } from "../../control-plane/src/storage/claim-runs.ts";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { deleteDaemon, deleteDeadDaemons, renewDaemon } from "../../control-plane/src/storage/daemons.ts";
import { createRun } from "../../control-plane/src/storage/create-run.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { claimBy, newDaemon } from "../support/drive-rows.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase({ max: 10 });
  await db.pool.query("select ensure_event_partitions()");
});
afterAll(() => db.drop());

async function queue(count: number, priority = 0): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const id = randomUUID();
    ids.push(id);
    await withTransaction(db.pool, (tx) =>
      createRun(tx, { id, source: "manual", actor: "ada", selection: "s", priority, plan: { steps: [] } }),
    );
  }
  return ids;
}

async function endAll(): Promise<void> {
  await db.pool.query("update runs set state = 'succeeded', ended_at = now(), driver = null where ended_at is null");
}

describe("claiming runs", () => {
  test("with two daemons at once gives each run to one of them, and says so once", async () => {
    const runs = await queue(60);
    const daemons = [await newDaemon(db.pool), await newDaemon(db.pool)];
    const claimed = await Promise.all(
      daemons.flatMap((daemon) =>
        Array.from({ length: 4 }, () => claimRuns(db.pool, claimBy(daemon, { max: runs.length / 6 }))),
      ),
    );
    const taken = claimed.flatMap((claim) => claim.runs).map((run) => run.id);
    // A daemon that claims twice without telling what it holds is given its own again: of others' it gets none.
    const { rows } = await db.pool.query<{ id: string; driver: string; epoch: number }>(
      "select id, driver, epoch from runs where ended_at is null and driver is not null",
    );
    expect(new Set(taken)).toEqual(new Set(rows.map(({ id }) => id)));
    const owners = new Map(rows.map(({ id, driver }) => [id, driver]));
    for (const [n, { runs: list }] of claimed.entries()) {
      for (const { id } of list) expect(owners.get(id)).toBe(daemons[Math.floor(n / 4)]);
    }
    await endAll();
  });

  test("leaves what is held alone, takes the most urgent first, and no more than asked for", async () => {
    const low = await queue(2, 0);
    const high = await queue(2, 5);
    const daemon = await newDaemon(db.pool);
    const { runs: first } = await claimRuns(db.pool, claimBy(daemon, { max: 3 }));
    expect(first.map(({ id }) => id)).toEqual([...high, low[0]]);
    expect(first.map(({ state, epoch }) => [state, epoch])).toEqual([
      ["started", 1],
      ["started", 1],
      ["started", 1],
    ]);
    const second = await claimRuns(db.pool, claimBy(daemon, { held: first.map(({ id }) => id) }));
    expect(second.runs.map(({ id }) => id)).toEqual([low[1]]);
    expect((await claimRuns(db.pool, claimBy(daemon, { held: [...low, ...high] }))).runs).toEqual([]);
    await endAll();
  });

  test("after its daemon's row is gone gives a run to another one, under a higher epoch", async () => {
    const [run] = await queue(1);
    const [one, two] = [await newDaemon(db.pool), await newDaemon(db.pool)];
    await claimRuns(db.pool, claimBy(one));
    expect((await claimRuns(db.pool, claimBy(two))).runs).toEqual([]);
    await deleteDaemon(db.pool, one);
    expect((await claimRuns(db.pool, claimBy(two))).runs).toMatchObject([{ id: run, epoch: 2, state: "started" }]);
    const { rows } = await db.pool.query(
      "select kind, payload -> 'epoch' as epoch from events where run_id = $1 order by seq",
      [run],
    );
    expect(rows).toEqual([
      { kind: "run_queued", epoch: null },
      { kind: "run_started", epoch: 1 },
      { kind: "run_taken_over", epoch: 2 },
    ]);
    await endAll();
  });

  test("appends no event when there is nothing to claim", async () => {
    const daemon = await newDaemon(db.pool);
    const newest = async () => (await db.pool.query("select max(seq) as seq from events")).rows;
    const before = await newest();
    expect((await claimRuns(db.pool, claimBy(daemon))).runs).toEqual([]);
    expect(await newest()).toEqual(before);
  });

  test("of a run that is to be canceled says so", async () => {
    const [run] = await queue(1);
    await db.pool.query("update runs set cancel_requested_at = now() where id = $1", [run]);
    const daemon = await newDaemon(db.pool);
    expect((await claimRuns(db.pool, claimBy(daemon))).runs).toMatchObject([{ id: run, cancelRequested: true }]);
    await endAll();
  });
});

describe("what a run that is claimed brings", () => {
  test("tries counted apart, attempts in flight with what is stored of them, and whether a gate has shut", async () => {
    const [run = ""] = await queue(1);
    const attempts = [
      ["failed", 1],
      ["timedOut", 2],
      ["crashed", 3],
      ["lost", 4],
      ["leased", 5],
    ] as const;
    await db.pool.query(
      "insert into steps (run_id, index, kind, asset_key, location, state, attempts) values ($1, 0, 'materialize', 'a/one', 'a', 'leased', 5)",
      [run],
    );
    for (const [state, number] of attempts) {
      await db.pool.query(
        `insert into attempts (id, run_id, step_index, number, epoch, kind, asset_key, partition_key, location, instance_id, version_id, state, sequence)
         values (gen_random_uuid(), $1, 0, $2::integer, 1, 'materialize', 'a/one', '', 'a', 'i', gen_random_uuid(), $3, $2::integer)`,
        [run, number, state],
      );
    }
    expect(await readSteps(db.pool, [run])).toMatchObject([{ index: 0, attempts: 5, thrown: 2, crashed: 2 }]);
    expect(await readInFlight(db.pool, [run])).toMatchObject([
      { number: 5, state: "leased", sequence: 5, computed: false },
    ]);
    expect(await readClosed(db.pool, [run])).toEqual(new Set());
    const shut = JSON.stringify([{ kind: "gate_closed", runId: run }]);
    await withTransaction(db.pool, (tx) => tx.query("select append_events($1)", [shut]));
    expect(await readClosed(db.pool, [run])).toEqual(new Set([run]));
    await endAll();
  });
});

describe("daemons", () => {
  test("that did not renew in time, or are proven gone, are deleted by others and never by themselves", async () => {
    const [old, gone, fresh, self] = await Promise.all([0, 1, 2, 3].map(() => newDaemon(db.pool)));
    await db.pool.query("update daemons set renewed_at = clock_timestamp() - interval '11 s' where id = any ($1)", [
      [old, self],
    ]);
    const deleted = await deleteDeadDaemons(db.pool, self, [gone ?? ""]);
    expect(deleted.sort()).toEqual([old, gone].sort());
    expect(await renewDaemon(db.pool, fresh ?? "")).toBe(true);
    expect(await renewDaemon(db.pool, self ?? "")).toBe(true);
    expect(await renewDaemon(db.pool, old ?? "")).toBe(false);
  });
});
