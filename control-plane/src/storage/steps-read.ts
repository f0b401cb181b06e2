import { type Kysely, type Selectable, sql } from "kysely";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";
import type { Schema } from "./schema.ts";

export type StepRow = Selectable<Schema["steps"]>;
export type AttemptRow = Selectable<Schema["attempts"]>;

/** In planned order; the position is the step's index. */
export async function listSteps(
  db: Kysely<Schema>,
  runId: string,
  state: StepRow["state"] | undefined,
  page: PageRequest<number>,
): Promise<Page<StepRow, number>> {
  let query = db
    .selectFrom("steps")
    .selectAll()
    .where("run_id", "=", runId)
    .orderBy("index")
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where("index", ">", page.after);
  if (state !== undefined) query = query.where("state", "=", state);
  return pageOf(await query.execute(), page.limit, (row) => row.index);
}

export async function readAttempt(db: Kysely<Schema>, id: string): Promise<AttemptRow | undefined> {
  return db.selectFrom("attempts").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The newest attempt of each of these steps of a run, by the step's index. */
export async function lastAttempts(
  db: Kysely<Schema>,
  runId: string,
  indexes: readonly number[],
): Promise<ReadonlyMap<number, AttemptRow>> {
  if (indexes.length === 0) return new Map();
  const rows = await db
    .selectFrom("attempts")
    .selectAll()
    .distinctOn("step_index")
    .where("run_id", "=", runId)
    .where("step_index", "in", indexes)
    .orderBy("step_index")
    .orderBy("number", "desc")
    .execute();
  return new Map(rows.map((row) => [row.step_index, row]));
}

/** How many steps of each run are in each state. */
export async function countSteps(
  db: Kysely<Schema>,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, Partial<Record<StepRow["state"], number>>>> {
  const counts = new Map<string, Partial<Record<StepRow["state"], number>>>();
  if (runIds.length === 0) return counts;
  const rows = await db
    .selectFrom("steps")
    .select(({ fn }) => ["run_id", "state", fn.countAll<number>().as("count")])
    .where("run_id", "in", runIds)
    .groupBy(["run_id", "state"])
    .execute();
  for (const { run_id, state, count } of rows) counts.set(run_id, { ...counts.get(run_id), [state]: count });
  return counts;
}

/** The partitions that steps of a run made, as `asset` and partition, where the step succeeded. */
export async function succeededSteps(db: Kysely<Schema>, runId: string): Promise<readonly StepRow[]> {
  return db.selectFrom("steps").selectAll().where("run_id", "=", runId).where("state", "=", "succeeded").execute();
}

/** The assets that a run has steps of, in the order of their first step. */
export async function assetsOfRun(db: Kysely<Schema>, runId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("steps")
    .select(({ fn }) => ["asset_key", fn.min("index").as("first")])
    .where("run_id", "=", runId)
    .groupBy("asset_key")
    .orderBy("first")
    .execute();
  return rows.map((row) => row.asset_key);
}

export interface ActivityRow {
  readonly assetKey: string;
  readonly partition: string;
  readonly inFlight: boolean;
  readonly setback: "computeFailed" | "blocked" | undefined;
  readonly atMs: number;
}

/**
 * What happened to the partitions of these assets beside their versions: whether a step is at work on it, and the last
 * time that it could not be made. One row a partition that has any of the two.
 */
export async function listActivity(db: Kysely<Schema>, assets: readonly string[]): Promise<readonly ActivityRow[]> {
  if (assets.length === 0) return [];
  const { rows } = await sql<{
    asset_key: string;
    partition_key: string;
    in_flight: boolean;
    setback: "computeFailed" | "blocked" | null;
    at_ms: string | number;
  }>`
    select asset_key, partition_key, bool_or(in_flight) as in_flight,
      (array_agg(setback order by at desc) filter (where setback is not null))[1] as setback,
      floor(extract(epoch from coalesce(max(at) filter (where setback is not null), to_timestamp(0))) * 1000)::bigint as at_ms
    from (
      select asset_key, partition_key, true as in_flight, null::text as setback, null::timestamptz as at
        from steps where ended_at is null and kind = 'materialize' and asset_key = any (${assets})
          and state in ('leased', 'started', 'retrying', 'unknown')
      union all
      select * from (select distinct on (asset_key, partition_key) asset_key, partition_key, false,
          case state when 'failed' then 'computeFailed' when 'blocked' then 'blocked' end, ended_at
        from steps where ended_at is not null and kind = 'materialize' and asset_key = any (${assets})
          and state in ('failed', 'blocked', 'succeeded')
        order by asset_key, partition_key, ended_at desc) ended
      union all
      select * from (select distinct on (asset_key, partition_key) asset_key, partition_key, false, 'blocked', created_at
        from decisions where asset_key = any (${assets}) and source = 'automation'
        order by asset_key, partition_key, seq desc) decided
    ) activity
    group by asset_key, partition_key
    having bool_or(in_flight) or count(setback) > 0`.execute(db);
  return rows.map((row) => ({
    assetKey: row.asset_key,
    partition: row.partition_key,
    inFlight: row.in_flight,
    setback: row.setback ?? undefined,
    atMs: Number(row.at_ms),
  }));
}

/** The last step of a partition that ended as failed, canceled or skipped, if it is the last that ended at all. */
export async function lastFailure(
  db: Kysely<Schema>,
  assetKey: string,
  partition: string,
): Promise<StepRow | undefined> {
  const last = await db
    .selectFrom("steps")
    .selectAll()
    .where("asset_key", "=", assetKey)
    .where("partition_key", "=", partition)
    .where("kind", "=", "materialize")
    .where("ended_at", "is not", null)
    .orderBy("ended_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return last !== undefined && (last.state === "failed" || last.state === "canceled" || last.state === "skipped")
    ? last
    : undefined;
}
