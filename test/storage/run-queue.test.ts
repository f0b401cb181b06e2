import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type QueueRules, noQueueRules } from "../../control-plane/src/domain/run-queue.ts";
import { type Claim, claimRuns, releaseSlots } from "../../control-plane/src/storage/claim-runs.ts";
import { openDatabase } from "../../control-plane/src/storage/database.ts";
import { deleteDaemon } from "../../control-plane/src/storage/daemons.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { claimBy, newDaemon } from "../support/drive-rows.ts";

let db: TestDatabase;
/** One connection: its plans are made on an empty queue, and kept. */
let single: ReturnType<typeof openDatabase>;
let daemon: string;
beforeAll(async () => {
  db = await testDatabase({ max: 10 });
  await db.pool.query("select ensure_event_partitions()");
  await db.pool.query("alter table runs set (autovacuum_enabled = false)");
  single = openDatabase(db.url, { max: 1 });
  daemon = await newDaemon(db.pool);
  for (let n = 0; n < 12; n++) await claimRuns(single.pool, claimBy(daemon));
});
afterAll(async () => {
  await single.close();
  await db.drop();
});
afterEach(async () => {
  await db.pool.query("delete from runs");
  await db.pool.query("delete from queue_teams");
});

/** Queues runs of a team, the first first; returns their ids in this order. */
async function queue(
  team: string,
  count: number,
  more: { readonly priority?: number; readonly tags?: Record<string, string> } = {},
): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await db.pool.query(
    `insert into runs (id, state, source, actor, selection, step_count, team, priority, tags, created_at)
     select id, 'queued', 'manual', 'ada', 's', 1, $2, $3, $4, now() + n * interval '1 ms'
     from unnest($1::uuid[]) with ordinality as x (id, n)`,
    [ids, team, more.priority ?? 0, JSON.stringify(more.tags ?? {})],
  );
  return ids;
}

const end = (ids: readonly string[]) =>
  db.pool.query("update runs set state = 'succeeded', ended_at = now(), driver = null where id = any ($1)", [ids]);

const limited = (maxRuns: number, more: Partial<QueueRules> = {}): QueueRules => ({
  ...noQueueRules,
  ...more,
  maxRuns,
});

/** What a daemon has in memory grows by what it claims. */
async function claim(held: string[], more: Partial<Claim> = {}): Promise<string[]> {
  const { runs } = await claimRuns(single.pool, claimBy(daemon, { held, ...more }));
  const ids = runs.map(({ id }) => id);
  held.push(...ids);
  return ids;
}

/** The statements that a claim sends, and the rows of runs that it reads. */
async function costOf(work: () => Promise<unknown>): Promise<{ statements: number; rows: number }> {
  const read = async () => {
    await single.pool.query("select pg_stat_force_next_flush()");
    await single.pool.query("select");
    const { rows } = await db.pool.query<{ rows: number }>(
      "select seq_tup_read + idx_tup_fetch as rows from pg_stat_user_tables where relname = 'runs'",
    );
    return rows[0]?.rows ?? 0;
  };
  const before = await read();
  const client = (await single.pool.connect()) as unknown as Pick<pg.PoolClient, "release"> & {
    query: (...args: unknown[]) => unknown;
  };
  const { query } = client;
  let statements = 0;
  client.query = (...args: unknown[]) => {
    statements++;
    return query.apply(client, args as never);
  };
  client.release();
  try {
    await work();
  } finally {
    client.query = query;
  }
  return { statements, rows: (await read()) - before };
}

describe("a queue of 10,000 runs of one team", () => {
  test("lets another team's only run be the next, at what it costs when nothing is queued", async () => {
    const held: string[] = [];
    const rules = limited(20);
    await queue("a", 20);
    await claim(held, { rules });
    const idle = await costOf(() => claim(held, { rules }));
    const many = await queue("a", 10_000);
    const [only] = await queue("b", 1);
    const full = await costOf(() => claim(held, { rules }));
    expect(full.statements).toBe(idle.statements);
    expect(full.rows - idle.rows).toBeLessThan(10); // One look a team that waits.
    await end(held.splice(0, 1));
    await end(held.splice(0, 1));
    const taking = await costOf(async () =>
      expect((await claim(held, { rules })).sort()).toEqual([only, many[0]].sort()),
    );
    expect(taking.rows).toBeLessThan(300);
    // A new team has a share of ten: the next slots go to it as long as it asks.
    const [second] = await queue("b", 1);
    await end(held.splice(0, 1));
    expect(await claim(held, { rules })).toEqual([second]);
    // With statistics of a queue that was empty and of one that is full, in turns.
    await db.pool.query("analyze runs");
    expect((await costOf(() => claim(held, { rules }))).rows).toBeLessThan(300);
  });

  test("does not keep a daemon from a run of another team when its own runs fill the daemon", async () => {
    const held: string[] = [];
    await queue("a", 1_000);
    const roomOf = (team: string) => (team === "a" ? 0 : 500);
    const [only] = await queue("b", 1);
    expect(await claim(held, { roomOf })).toEqual([only]);
  });
});

describe("limits", () => {
  test("hold across daemons that claim at the same moment", async () => {
    const two = await newDaemon(db.pool);
    await queue("a", 60, { tags: { source: "erp" } });
    await queue("b", 60);
    const rules = limited(17, {
      teams: { b: { weight: 1, maxRuns: 5 } },
      tagLimits: [{ key: "source", perValue: true, limit: 9 }],
    });
    const claims = Array.from({ length: 8 }, (_, n) =>
      claimRuns(db.pool, claimBy(n % 2 === 0 ? daemon : two, { rules })),
    );
    await Promise.all(claims);
    const { rows } = await db.pool.query(
      "select team, count(*)::integer as held from runs where slot = 'held' group by 1 order by 1",
    );
    expect(rows).toEqual([
      { team: "a", held: 9 },
      { team: "b", held: 5 },
    ]);
    await deleteDaemon(db.pool, two);
  });

  test("of a tag hold back what has it and nothing else, wherever it stands in the queue", async () => {
    const held: string[] = [];
    const acme = await queue("a", 150, { tags: { customer: "acme" }, priority: 5 });
    const globex = await queue("a", 2, { tags: { customer: "globex" } });
    const plain = await queue("a", 1);
    const rules: QueueRules = { teams: {}, tagLimits: [{ key: "customer", perValue: true, limit: 1 }] };
    const first = await claimRuns(single.pool, claimBy(daemon, { rules, held }));
    expect([first.runs.map(({ id }) => id), first.more]).toEqual([acme.slice(0, 1), true]);
    held.push(acme[0] ?? "");
    expect(await claim(held, { rules })).toEqual([globex[0], ...plain]);
    await end([acme[0] ?? ""]);
    expect(await claim(held, { rules })).toEqual([acme[1]]);
    const any: QueueRules = { teams: {}, tagLimits: [{ key: "customer", perValue: false, limit: 2 }] };
    expect(await claim(held, { rules: any })).toEqual([]);
  });
});

describe("a run that waits", () => {
  test("gives its slot to another, and gets the next that comes free before what was queued later", async () => {
    const two = await newDaemon(db.pool);
    const held: string[] = [];
    const rules = limited(1);
    const [first = "", second = "", third = ""] = await queue("a", 3);
    expect(await claim(held, { rules })).toEqual([first]);
    await releaseSlots(db.pool, daemon, [first]);
    expect(await claim(held, { rules })).toEqual([second]);
    // It asks again while the other one has the slot.
    const asking = () => claimRuns(single.pool, claimBy(daemon, { rules, held, wanting: [first] }));
    expect(await asking()).toEqual({ runs: [], resumed: [], more: false });
    await end([second]);
    // Another daemon leaves the slot to it: it cannot go on there.
    expect((await claimRuns(db.pool, claimBy(two, { rules }))).runs).toEqual([]);
    const resumed = await asking();
    expect([resumed.runs, resumed.resumed]).toEqual([[], [first]]);
    const { rows } = await db.pool.query("select epoch, slot from runs where id = $1", [first]);
    expect(rows).toEqual([{ epoch: 1, slot: "held" }]);
    // Whoever takes it over takes the slot with it, although none is free.
    await deleteDaemon(db.pool, daemon);
    const taken = await claimRuns(db.pool, claimBy(two, { rules }));
    expect(taken.runs).toMatchObject([{ id: first, epoch: 2, slot: "held" }]);
    await end([first]);
    expect((await claimRuns(db.pool, claimBy(two, { rules }))).runs).toMatchObject([{ id: third }]);
    await expect(claimRuns(db.pool, claimBy(daemon))).resolves.toEqual({ runs: [], resumed: [], more: false });
    daemon = await newDaemon(db.pool);
  });
});
