import type pg from "pg";
import type { BackfillState, PartOutcome } from "../domain/backfill-state.ts";
import type { StoredRanges } from "../domain/stored-ranges.ts";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";

type Db = Pick<pg.Pool | pg.PoolClient, "query">;

/** By asset key. */
export type StoredProgress = Readonly<
  Record<string, { readonly [set in "target" | "inFlight" | PartOutcome]: StoredRanges }>
>;

export interface BackfillError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export interface BackfillRow {
  readonly id: string;
  readonly state: BackfillState;
  readonly actor: string;
  readonly selection: string;
  readonly partitions: string;
  readonly only_status: "missing" | "failed" | "blocked" | null;
  readonly partitions_per_run: number;
  readonly priority: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly when_open: boolean;
  readonly progress: StoredProgress;
  readonly error: BackfillError | null;
  readonly created_at: Date;
  readonly ended_at: Date | null;
}

export type NewBackfill = Omit<BackfillRow, "state" | "error" | "created_at" | "ended_at">;

export async function insertBackfill(tx: pg.PoolClient, backfill: NewBackfill): Promise<void> {
  await tx.query(
    `insert into backfills (id, state, actor, selection, partitions, only_status, partitions_per_run, priority, tags,
       when_open, progress) values ($1, 'running', $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      backfill.id,
      backfill.actor,
      backfill.selection,
      backfill.partitions,
      backfill.only_status,
      backfill.partitions_per_run,
      backfill.priority,
      JSON.stringify(backfill.tags),
      backfill.when_open,
      JSON.stringify(backfill.progress),
    ],
  );
}

/** Ids of those of which something can go on, oldest first: not of one that is paused and whose runs have ended. */
export async function openBackfills(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from backfills b where ended_at is null and (state <> 'paused'
       or exists (select from backfill_runs r where r.backfill_id = b.id and not r.is_counted)) order by id`,
  );
  return rows.map(({ id }) => id);
}

export async function readBackfill(db: Db, id: string): Promise<BackfillRow | undefined> {
  const { rows } = await db.query<BackfillRow>("select * from backfills where id = $1", [id]);
  return rows[0];
}

/** The row, locked until the commit: whoever changes a backfill or advances it has it alone. */
export async function lockBackfill(tx: pg.PoolClient, id: string): Promise<BackfillRow | undefined> {
  const { rows } = await tx.query<BackfillRow>("select * from backfills where id = $1 for update", [id]);
  return rows[0];
}

/** As `lockBackfill`; undefined also where somebody else is at it. */
export async function lockFreeBackfill(tx: pg.PoolClient, id: string): Promise<BackfillRow | undefined> {
  const { rows } = await tx.query<BackfillRow>(
    "select * from backfills where id = $1 and ended_at is null for update skip locked",
    [id],
  );
  return rows[0];
}

/** Newest first. */
export async function listBackfills(
  db: Db,
  state: BackfillState | undefined,
  page: PageRequest<string>,
): Promise<Page<BackfillRow, string>> {
  const { rows } = await db.query<BackfillRow>(
    `select * from backfills where ($1::text is null or state = $1) and ($2::uuid is null or id < $2)
     order by id desc limit $3`,
    [state ?? null, page.after ?? null, page.limit + 1],
  );
  return pageOf(rows, page.limit, (row) => row.id);
}

export async function updateBackfill(
  tx: pg.PoolClient,
  id: string,
  change: { readonly state: BackfillState; readonly progress: StoredProgress; readonly error?: BackfillError | null },
): Promise<void> {
  await tx.query(
    `update backfills set state = $2, progress = $3, error = $4,
       ended_at = case when $2 in ('running', 'paused', 'canceling') then null
         else coalesce(ended_at, clock_timestamp()) end where id = $1`,
    [id, change.state, JSON.stringify(change.progress), change.error == null ? null : JSON.stringify(change.error)],
  );
}

export async function insertBackfillRun(tx: pg.PoolClient, id: string, run: string): Promise<void> {
  await tx.query("insert into backfill_runs (run_id, backfill_id) values ($2, $1)", [id, run]);
}

export interface OpenRun {
  readonly run_id: string;
  readonly has_ended: boolean;
  /** Nothing of it can go on: it waits for a gate, a location or another run. */
  readonly is_idle: boolean;
}

/** The runs of a backfill whose end has not been counted, by id. */
export async function openRunsOf(tx: pg.PoolClient, id: string): Promise<OpenRun[]> {
  const { rows } = await tx.query<OpenRun>(
    `select b.run_id, r.ended_at is not null as has_ended, r.slot = 'released' as is_idle
     from backfill_runs b join runs r on r.id = b.run_id where b.backfill_id = $1 and not b.is_counted order by b.run_id`,
    [id],
  );
  return rows;
}

export interface EndedPart {
  readonly asset_key: string;
  readonly outcome: PartOutcome;
  readonly partition_keys: readonly string[];
}

/** What became of the partitions that these runs were to make. */
export async function endedParts(tx: pg.PoolClient, runs: readonly string[]): Promise<EndedPart[]> {
  const { rows } = await tx.query<EndedPart>(
    `select asset_key, case state when 'skipped' then 'failed' else state end as outcome,
       array_agg(partition_key) as partition_keys
     from steps where run_id = any ($1) and kind = 'materialize' group by 1, 2`,
    [runs],
  );
  return rows;
}

export async function markCounted(tx: pg.PoolClient, runs: readonly string[]): Promise<void> {
  if (runs.length === 0) return;
  await tx.query("update backfill_runs set is_counted = true where run_id = any ($1)", [runs]);
}

export interface RunCounts {
  readonly all: number;
  /** That have not ended. */
  readonly open: number;
}

/** How many runs these backfills have had; one that had none is missing. */
export async function countRunsOf(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, RunCounts>> {
  const { rows } = await db.query<RunCounts & { backfill_id: string }>(
    `select b.backfill_id, count(*)::integer as all, (count(*) filter (where r.ended_at is null))::integer as open
     from backfill_runs b join runs r on r.id = b.run_id where b.backfill_id = any ($1) group by 1`,
    [ids],
  );
  return new Map(rows.map(({ backfill_id: id, all, open }) => [id, { all, open }]));
}
