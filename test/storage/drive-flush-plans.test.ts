import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FlushResult, driveFlush, emptyFlush } from "../../control-plane/src/storage/drive-flush.ts";
import { readGateState } from "../../control-plane/src/storage/gate-state.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { addLease, addSuccess, insertGates, insertRun, leaseOf, newDaemon } from "../support/drive-rows.ts";
import { keyOf } from "../support/graph-definitions.ts";

const tables = ["attempts", "steps", "versions", "check_results", "events_0", "asset_gate"];
const rowCount = 50_000;

let db: TestDatabase;
/** One connection, as the drive has it: its plans are kept from the first hop to the last. */
let connection: pg.Client;
beforeAll(async () => {
  db = await testDatabase();
  await db.pool.query("select ensure_event_partitions()");
  for (const table of tables) await db.pool.query(`alter table ${table} set (autovacuum_enabled = false)`);
  connection = new pg.Client({ connectionString: db.url });
  await connection.connect();
});
afterAll(async () => {
  await connection.end();
  await db.drop();
});

/** A chain of so many hops, with gates, versions and results. */
async function chain(name: string, hops: number): Promise<void> {
  const daemon = await newDaemon(db.pool);
  const places = Array.from({ length: hops }, (_, n) => `${name}/n${String(n)}`);
  await insertGates(db.pool, places);
  const run = await insertRun(db.pool, daemon, places);
  let epochs: FlushResult["epochs"] = {};
  for (const [n, place] of [...places, ""].entries()) {
    const before = emptyFlush(daemon);
    const above = places[n - 1];
    const lease = leases.at(-1);
    if (above !== undefined && lease !== undefined) {
      addSuccess(before, lease);
      before.bumps.push(above);
      before.gates[above] = epochs[above] ?? 0;
      before.results.push({
        id: randomUUID(),
        versionId: lease.versionId,
        assetKey: above,
        partitionKey: "",
        team: name,
        name: "ok",
        checkVersion: 1,
        outcome: "passed",
        description: "",
        metadata: [],
        error: null,
        runId: run,
        attemptId: lease.id,
        event: 1,
      });
    }
    const gateAssets = above === undefined ? [] : [above];
    if (place !== "") leases.push(addLease(before, leaseOf(run, n, place, { gateAssets })));
    const result = await driveFlush(connection, before);
    expect(result.granted.length).toBe(place === "" ? 0 : 1);
    epochs = result.epochs;
  }
}
const leases: ReturnType<typeof leaseOf>[] = [];

/** Rows that the connection read by going through whole tables, so far. */
async function rowsScanned(): Promise<Record<string, number>> {
  await connection.query("select pg_stat_force_next_flush()");
  await connection.query("select");
  const { rows } = await db.pool.query<{ relname: string; read: number }>(
    "select relname, seq_tup_read as read from pg_stat_user_tables where relname = any ($1) order by 1",
    [tables],
  );
  return Object.fromEntries(rows.map(({ relname, read }) => [relname, Number(read)]));
}

async function fill(): Promise<void> {
  const run = await insertRun(db.pool, null, []);
  const values = [run, rowCount];
  for (const text of [
    "insert into steps (run_id, index, kind, asset_key, location, state, ended_at) select $1, n, 'materialize', 'big/n' || n, 'big', 'succeeded', now() from generate_series(1, $2::integer) n",
    "insert into attempts (id, run_id, step_index, number, epoch, kind, asset_key, partition_key, location, instance_id, version_id, state, ended_at) select gen_random_uuid(), $1, n, 1, 1, 'materialize', 'big/n' || n, '', 'big', 'i', gen_random_uuid(), 'succeeded', now() from generate_series(1, $2::integer) n",
    "insert into asset_gate (asset_key) select 'big/n' || n from generate_series(1, $2::integer) n where $1::uuid is not null",
    "insert into versions (id, asset_key, partition_key, seq, run_id, attempt_id, location, code_version, data_version) select version_id, asset_key, '', 1, run_id, id, 'big', '1', '1' from attempts where run_id = $1 and $2::integer > 0",
    "insert into check_results (id, version_id, asset_key, partition_key, team, name, check_version, outcome, run_id, attempt_id, seq) select gen_random_uuid(), version_id, asset_key, '', 'big', 'ok', 1, 'passed', run_id, id, 1 from attempts where run_id = $1 and $2::integer > 0",
    "select append_events((select jsonb_agg(jsonb_build_object('kind', 'x', 'runId', $1::uuid)) from generate_series(1, $2::integer)))",
  ])
    await db.pool.query(text, values);
}

describe("the plans of a hop", () => {
  test("that were made on empty and on small tables still use indexes when the tables have grown", async () => {
    await chain("empty", 12);
    await db.pool.query("analyze");
    await chain("small", 12);
    await readGateState(connection, [keyOf("small/n1")]);
    await fill();
    const before = await rowsScanned();
    await chain("grown", 20);
    await readGateState(connection, [keyOf("grown/n1")]);
    expect(await rowsScanned()).toEqual(before);
    await db.pool.query("analyze");
    await chain("analyzed", 20);
    const { partitions } = (await readGateState(connection, [keyOf("big/n7")])).get(keyOf("big/n7"))!;
    expect([...partitions.keys()]).toEqual([""]);
    expect(await rowsScanned()).toEqual(before);
  });
});
