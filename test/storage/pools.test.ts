import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withTransaction } from "../../control-plane/src/storage/database.ts";
import { type LeaseEntry, driveFlush, emptyFlush } from "../../control-plane/src/storage/drive-flush.ts";
import { listHolders, listPools, setPool } from "../../control-plane/src/storage/pools.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { addLease, insertRun, leaseOf, newDaemon } from "../support/drive-rows.ts";

let db: TestDatabase;
let count = 0;
beforeAll(async () => {
  db = await testDatabase();
  await db.pool.query("select ensure_event_partitions()");
});
afterAll(() => db.drop());

/** Asks for leases of new runs' steps in the pool; returns the places of those that were granted, and of the others. */
async function ask(
  daemon: string,
  pool: string,
  asked: readonly (Partial<LeaseEntry> & { readonly at: number })[],
): Promise<{ granted: number[]; full: number[]; leases: LeaseEntry[] }> {
  const flush = emptyFlush(daemon);
  flush.pools.push(pool);
  const run = await insertRun(
    db.pool,
    daemon,
    asked.map(() => `p/n${count++}`),
  );
  const leases = asked.map(({ at, ...more }, n) => {
    const place = { pool, priority: 0, createdAtMs: 1_700_000_000_000 + at, ...more };
    return addLease(flush, leaseOf(run, n, `p/n${count - asked.length + n}`, place));
  });
  const { granted, full } = await driveFlush(db.pool, flush);
  const placesOf = (ids: readonly string[]) =>
    leases.flatMap(({ id }, n) => (ids.includes(id) ? (asked[n]?.at ?? []) : []));
  return { granted: placesOf(granted), full: placesOf(full), leases };
}

async function settle(daemon: string, leases: readonly LeaseEntry[]): Promise<void> {
  const flush = emptyFlush(daemon);
  for (const { id } of leases) flush.ended.push({ id, state: "lost", error: null, sequence: 1 });
  await driveFlush(db.pool, flush);
}

const limit = (pool: string, slots: number) => withTransaction(db.pool, (tx) => setPool(tx, pool, slots, "ada"));

test("a pool grants as many slots as it has, by priority and age, and an attempt of unknown fate keeps its own", async () => {
  const daemon = await newDaemon(db.pool);
  await limit("age", 2);
  const asked = await ask(daemon, "age", [{ at: 3 }, { at: 2 }, { at: 9, priority: 1 }]);
  expect([asked.granted, asked.full]).toEqual([[2, 9], [3]]);
  const [, first] = asked.leases;
  await db.pool.query("update attempts set state = 'unknown' where id = $1", [first?.id]);
  expect((await ask(daemon, "age", [{ at: 4 }])).granted).toEqual([]);
  await settle(daemon, first === undefined ? [] : [first]);
  expect((await ask(daemon, "age", [{ at: 4 }, { at: 5 }])).granted).toEqual([4]);
  expect(await listPools(db.pool)).toMatchObject([{ name: "age", slots: 2, held: 2, setBy: "ada" }]);
  const holders = (await listHolders(db.pool, "age", 10)).map(({ state, location }) => [state, location]);
  expect(holders).toEqual([
    ["leased", "p"],
    ["leased", "p"],
  ]);
});

test("what one call computes has one slot", async () => {
  const daemon = await newDaemon(db.pool);
  await limit("call", 1);
  const computation = randomUUID();
  const together = await ask(daemon, "call", [
    { at: 1, computation, id: computation },
    { at: 1, computation },
    { at: 2 },
  ]);
  expect([together.granted, together.full]).toEqual([[1, 1], [2]]);
});

test("a lease on an old gate takes no slot from the next", async () => {
  const daemon = await newDaemon(db.pool);
  await limit("stale", 1);
  await db.pool.query("insert into asset_gate (asset_key, epoch) values ('p/moved', 7)");
  const flush = emptyFlush(daemon);
  flush.pools.push("stale");
  flush.gates["p/moved"] = 6;
  const run = await insertRun(db.pool, daemon, ["p/old", "p/fresh"]);
  const place = { pool: "stale", priority: 0, createdAtMs: 0 };
  addLease(flush, leaseOf(run, 0, "p/old", { ...place, gateAssets: ["p/moved"] }));
  const fresh = addLease(flush, leaseOf(run, 1, "p/fresh", place));
  expect(await driveFlush(db.pool, flush)).toMatchObject({ granted: [fresh.id], full: [] });
});

test("a daemon leaves a slot to the step of another that is before its own, as long as that one asks", async () => {
  const [one, two] = [await newDaemon(db.pool), await newDaemon(db.pool)];
  await limit("turns", 1);
  const { leases } = await ask(one, "turns", [{ at: 1 }]);
  expect((await ask(two, "turns", [{ at: 2 }])).granted).toEqual([]);
  await settle(one, leases);
  expect((await ask(one, "turns", [{ at: 3 }])).granted).toEqual([]);
  expect((await ask(one, "turns", [{ at: 4, priority: 1 }])).granted).toEqual([4]);
  await db.pool.query("update attempts set state = 'lost', ended_at = now() where pool = 'turns'");
  await db.pool.query("update pool_lines set asked_at = now() - interval '6 s' where daemon = $1", [two]);
  expect((await ask(one, "turns", [{ at: 5 }])).granted).toEqual([5]);
  expect((await db.pool.query("select from pool_lines where pool = 'turns' and daemon = $1", [one])).rowCount).toBe(0);
  await db.pool.query("delete from daemons where id = $1", [two]);
  expect((await db.pool.query("select from pool_lines where pool = 'turns'")).rowCount).toBe(0);
});
