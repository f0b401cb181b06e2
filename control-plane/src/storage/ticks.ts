import type pg from "pg";
import type { DefinitionErrorRow, Schema } from "./schema.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** How far a schedule has come, and whether it is on. */
export interface ScheduleState {
  readonly name: string;
  /** What somebody said; null: the definition decides. */
  readonly isOn: boolean | null;
  readonly retired: boolean;
  readonly cadence: string;
  readonly watermarkMs: number;
}

interface ScheduleRow {
  readonly name: string;
  readonly is_on: boolean | null;
  readonly retired: boolean;
  readonly cadence: string;
  readonly watermark: Date;
}

const scheduleColumns = "name, is_on, retired_at is not null as retired, cadence, watermark";

const scheduleState = ({ name, is_on, retired, cadence, watermark }: ScheduleRow): ScheduleState => ({
  name,
  isOn: is_on,
  retired,
  cadence,
  watermarkMs: watermark.getTime(),
});

/** Every schedule that is defined. */
export async function readSchedules(db: Queryable): Promise<ScheduleState[]> {
  const { rows } = await db.query<ScheduleRow>(
    `select ${scheduleColumns} from automations where kind = 'schedule' and retired_at is null`,
  );
  return rows.map(scheduleState);
}

/** Those of these schedules that nobody else has locked; they stay as they are until the transaction ends. */
export async function lockSchedules(tx: Queryable, names: readonly string[]): Promise<ScheduleState[]> {
  const { rows } = await tx.query<ScheduleRow>(
    `select ${scheduleColumns} from automations where name = any ($1) and kind = 'schedule' order by name
       for no key update skip locked`,
    [names],
  );
  return rows.map(scheduleState);
}

/** Times in Unix milliseconds. */
export interface NewTick {
  readonly id: string;
  readonly automation: string;
  /** Null: somebody asked for it by hand. */
  readonly scheduledMs: number | null;
  readonly askedBy?: string;
  readonly state: Exclude<Schema["ticks"]["state"], "requested" | "evaluated">;
  readonly definitionHash: string;
  readonly reason?: string;
  readonly error?: DefinitionErrorRow;
  readonly missedCount?: number;
  readonly missedSinceMs?: number;
  readonly runCount: number;
}

/** Writes ticks that have ended; returns the ids of those that nobody had fired before. */
export async function insertTicks(tx: Queryable, ticks: readonly NewTick[]): Promise<Set<string>> {
  if (ticks.length === 0) return new Set();
  const { rows } = await tx.query<{ id: string }>(
    `insert into ticks (id, automation, scheduled_at, asked_by, state, definition_hash, reason, error, missed_count,
         missed_since, run_count, ended_at)
       select id, automation, to_timestamp("scheduledMs" / 1000), "askedBy", state, "definitionHash",
         coalesce(reason, ''), error, "missedCount", to_timestamp("missedSinceMs" / 1000), "runCount", clock_timestamp()
       from jsonb_to_recordset($1) as x (id uuid, automation text, "scheduledMs" double precision, "askedBy" text,
         state text, "definitionHash" text, reason text, error jsonb, "missedCount" integer,
         "missedSinceMs" double precision, "runCount" integer)
     on conflict do nothing returning id`,
    [JSON.stringify(ticks)],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Instants up to and including these are dealt with. A watermark never goes back. */
export async function moveWatermarks(tx: Queryable, watermarks: ReadonlyMap<string, number>): Promise<void> {
  if (watermarks.size === 0) return;
  await tx.query(
    `update automations a set watermark = greatest(a.watermark, to_timestamp(x.ms / 1000))
       from unnest($1::text[], $2::double precision[]) x (name, ms) where a.name = x.name`,
    [[...watermarks.keys()], [...watermarks.values()]],
  );
}
