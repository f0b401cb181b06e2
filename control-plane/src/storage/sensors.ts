import type pg from "pg";
import type { StepError } from "../domain/attempt-report.ts";
import type { EvaluationLog, RequestedRun } from "../domain/evaluation.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** When a sensor is to be looked at. */
export interface SensorState {
  readonly name: string;
  /** What somebody said; null: the definition decides. */
  readonly isOn: boolean | null;
  /** Negative: it is due. */
  readonly dueInMs: number;
  /** Somebody asked for an evaluation, or the answer to one waits to be carried out. */
  readonly hasOpenTick: boolean;
}

/** Every sensor that is defined. */
export async function readSensors(db: Queryable): Promise<SensorState[]> {
  const { rows } = await db.query<SensorState>(
    `select a.name, a.is_on as "isOn", t.id is not null as "hasOpenTick",
         coalesce(extract(epoch from a.due_at - clock_timestamp()) * 1000, 0)::double precision as "dueInMs"
       from automations a
       left join ticks t on t.automation = a.name and t.scheduled_at is null and t.ended_at is null
       where a.kind = 'sensor' and a.retired_at is null`,
  );
  return rows;
}

/** A request with the id that its run has, or will have. */
export interface ReservedRun extends RequestedRun {
  readonly runId: string;
}

/** An answer that waits to be carried out. */
export interface StoredAnswer {
  readonly requests: readonly ReservedRun[];
  readonly cursor?: string;
  readonly log: EvaluationLog;
}

/** A sensor that this daemon evaluates, and no other. */
export interface SensorClaim {
  readonly name: string;
  readonly daemon: string;
  /** JSON. */
  readonly cursor: string | null;
  readonly revision: number;
  /** In a row. */
  readonly failures: number;
  /** An open tick, which this evaluation ends. */
  readonly tick?:
    undefined | { readonly id: string; readonly askedBy: string | null; readonly answer: StoredAnswer | null };
}

export interface WantedSensor {
  readonly name: string;
  /** How long nobody else may claim it. */
  readonly claimMs: number;
  readonly startsOff: boolean;
  /** Whether it is due or not. */
  readonly atOnce: boolean;
}

/** The clock of whoever waited until it is due may be ahead by as much. */
const toleranceMs = 20;

/** Claims those of these sensors that are on and due, or have an open tick, and that nobody else has claimed. */
export async function claimSensors(
  db: Queryable,
  daemon: string,
  wanted: readonly WantedSensor[],
): Promise<SensorClaim[]> {
  const { rows } = await db.query<Omit<SensorClaim, "daemon" | "tick"> & { tick: SensorClaim["tick"] | null }>(
    `with wanted as (
       select a.name, x."claimMs", t.id, t.asked_by, t.answer from automations a
         join jsonb_to_recordset($2) as x (name text, "claimMs" double precision, "startsOff" boolean, "atOnce" boolean)
           on x.name = a.name
         left join ticks t on t.automation = a.name and t.scheduled_at is null and t.ended_at is null
         where a.kind = 'sensor' and a.retired_at is null
           and (a.claimed_by is null or a.claimed_until < clock_timestamp())
           and (t.id is not null or coalesce(a.is_on, not x."startsOff")
             and (x."atOnce" or a.due_at is null or a.due_at <= clock_timestamp() + $3 * interval '1 ms'))
         order by a.name for no key update of a skip locked)
     update automations a
       set claimed_by = $1, claimed_until = clock_timestamp() + w."claimMs" * interval '1 ms'
       from wanted w where w.name = a.name
       returning a.name, a.cursor, a.cursor_revision as revision, a.failures,
         case when w.id is not null
           then jsonb_build_object('id', w.id, 'askedBy', w.asked_by, 'answer', w.answer) end as tick`,
    [daemon, JSON.stringify(wanted), toleranceMs],
  );
  return rows.map(({ tick, ...claim }) => ({ ...claim, daemon, tick: tick ?? undefined }));
}

/** Gives a sensor back as it was. It is due after so long, if it was due before. */
export async function releaseSensor(db: Queryable, { name, daemon }: SensorClaim, afterMs: number): Promise<void> {
  await db.query(
    `update automations set claimed_by = null, claimed_until = null,
         due_at = greatest(due_at, clock_timestamp() + $3 * interval '1 ms')
       where name = $1 and claimed_by = $2`,
    [name, daemon, afterMs],
  );
}

/** What an evaluation that asks for nothing came to. */
export interface QuietTick {
  readonly claim: SensorClaim;
  /** Of the tick, if there is none open. */
  readonly id: string;
  readonly definitionHash: string;
  readonly state: "skipped" | "failed";
  readonly reason: string;
  readonly error?: Pick<StepError, "code" | "message" | "hint">;
  readonly cursor?: string;
  readonly failures: number;
  /** From now to when it is due again. */
  readonly delayMs: number;
  readonly log: EvaluationLog;
}

/**
 * Ends evaluations that ask for nothing. A skip with the reason of the one before shares its row. Returns the names of
 * the sensors whose claims still held: nothing is written of the others. Locks: automations by name, ascending.
 */
export async function settleQuiet(db: Queryable, ticks: readonly QuietTick[]): Promise<Set<string>> {
  const rows = ticks.map(({ claim, id, definitionHash, state, reason, error, cursor, failures, delayMs, log }) => ({
    name: claim.name,
    daemon: claim.daemon,
    revision: claim.revision,
    tick: claim.tick?.id ?? null,
    id,
    hash: definitionHash,
    state,
    reason,
    error: error ?? null,
    cursor: cursor ?? null,
    failures,
    delayMs,
    log: log.text,
    dropped: log.droppedBytes,
  }));
  const { rows: settled } = await db.query<{ name: string }>(
    `with given as (
       select * from jsonb_to_recordset($1) as x (name text, daemon uuid, revision bigint, tick uuid, id uuid, hash text,
         state text, reason text, error jsonb, cursor text, failures integer, "delayMs" double precision, log text,
         dropped bigint)),
     locked as (
       select a.name, a.cursor as before from automations a join given g on g.name = a.name
         where a.claimed_by = g.daemon and a.cursor_revision = g.revision order by a.name for no key update of a),
     settled as (
       update automations a set claimed_by = null, claimed_until = null, evaluated_at = clock_timestamp(),
           due_at = clock_timestamp() + g."delayMs" * interval '1 ms', failures = g.failures,
           cursor = coalesce(g.cursor, a.cursor), cursor_revision = a.cursor_revision + (g.cursor is not null)::integer
         from given g join locked l on l.name = g.name where a.name = g.name
         returning a.name, l.before),
     ended as (
       update ticks t set state = g.state, reason = g.reason, error = g.error, cursor_before = s.before,
           cursor_after = coalesce(g.cursor, s.before), log = g.log, log_dropped_bytes = g.dropped,
           evaluated_at = clock_timestamp(), ended_at = clock_timestamp()
         from given g join settled s on s.name = g.name where t.id = g.tick),
     joined as (
       update ticks t set evaluation_count = t.evaluation_count + 1, ended_at = clock_timestamp(), log = g.log,
           log_dropped_bytes = g.dropped, cursor_after = coalesce(g.cursor, s.before)
         from given g join settled s on s.name = g.name
           cross join lateral (select n.id from ticks n where n.automation = g.name order by n.id desc limit 1) newest
         where t.id = newest.id and g.tick is null and g.state = 'skipped' and t.state = 'skipped'
           and t.reason = g.reason and t.definition_hash = g.hash and t.asked_by is null
         returning t.automation),
     added as (
       insert into ticks (id, automation, state, definition_hash, reason, error, cursor_before, cursor_after, log,
           log_dropped_bytes, daemon, evaluated_at, ended_at)
         select g.id, g.name, g.state, g.hash, g.reason, g.error, s.before, coalesce(g.cursor, s.before), g.log, g.dropped,
           g.daemon, clock_timestamp(), clock_timestamp()
         from given g join settled s on s.name = g.name
         where g.tick is null and not exists (select from joined j where j.automation = g.name))
     select name from settled`,
    [JSON.stringify(rows)],
  );
  return new Set(settled.map(({ name }) => name));
}

/** Locks a sensor whose claim still holds, and whose cursor nobody has set meanwhile. */
export async function holdClaim(tx: pg.PoolClient, { name, daemon, revision }: SensorClaim): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select from automations where name = $1 and claimed_by = $2 and cursor_revision = $3 and retired_at is null
       for no key update`,
    [name, daemon, revision],
  );
  return rowCount === 1;
}

/** Which of these run keys have their run. */
export async function answeredRunKeys(db: Queryable, sensor: string, runKeys: readonly string[]): Promise<Set<string>> {
  if (runKeys.length === 0) return new Set();
  const { rows } = await db.query<{ run_key: string }>(
    "select run_key from run_keys where sensor = $1 and run_key = any ($2)",
    [sensor, runKeys],
  );
  return new Set(rows.map((row) => row.run_key));
}

/** Takes run keys for good. Throws if one of them is taken. */
export async function insertRunKeys(
  tx: pg.PoolClient,
  sensor: string,
  keys: readonly { readonly runKey: string; readonly runId: string }[],
): Promise<void> {
  if (keys.length === 0) return;
  await tx.query(
    `insert into run_keys (sensor, run_key, run_id)
       select $1, "runKey", "runId" from jsonb_to_recordset($2) as x ("runKey" text, "runId" uuid)`,
    [sensor, JSON.stringify(keys)],
  );
}

/** Stores an answer whose partitions are there from now on, and whose runs are still to come. */
export async function storeAnswer(
  tx: pg.PoolClient,
  claim: SensorClaim,
  tick: { readonly id: string; readonly definitionHash: string },
  answer: StoredAnswer,
): Promise<void> {
  await tx.query(
    `insert into ticks (id, automation, state, definition_hash, answer, cursor_before, daemon, evaluated_at)
       values ($1, $2, 'evaluated', $3, $4, $5, $6, clock_timestamp())
       on conflict (id) do update set state = 'evaluated', definition_hash = excluded.definition_hash,
         answer = excluded.answer, cursor_before = excluded.cursor_before, daemon = excluded.daemon,
         evaluated_at = excluded.evaluated_at`,
    [tick.id, claim.name, tick.definitionHash, JSON.stringify(answer), claim.cursor, claim.daemon],
  );
}

/** A request that no run could be planned for. */
export interface RefusedRequest extends Pick<RequestedRun, "runKey" | "targets" | "partitions"> {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** What an evaluation that asks for runs came to. */
export interface LaunchedTick {
  readonly claim: SensorClaim;
  readonly id: string;
  readonly definitionHash: string;
  readonly state: "launched" | "skipped" | "failed";
  readonly reason: string;
  readonly error?: Pick<StepError, "code" | "message" | "hint">;
  readonly cursor?: string;
  readonly runCount: number;
  readonly repeatedCount: number;
  readonly refused: readonly RefusedRequest[];
  readonly delayMs: number;
  readonly log: EvaluationLog;
}

const refusedListedMax = 100;

/** Writes the row of a tick, before the runs that name it. */
export async function endTick(tx: pg.PoolClient, tick: LaunchedTick): Promise<void> {
  const { claim, id, definitionHash, state, reason, error, cursor, refused, log } = tick;
  await tx.query(
    `insert into ticks (id, automation, state, definition_hash, reason, error, cursor_before, cursor_after, run_count,
         repeated_count, refused, refused_count, log, log_dropped_bytes, daemon, evaluated_at, ended_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, clock_timestamp(), clock_timestamp())
       on conflict (id) do update set state = excluded.state, definition_hash = excluded.definition_hash,
         reason = excluded.reason, error = excluded.error, cursor_before = excluded.cursor_before,
         cursor_after = excluded.cursor_after, run_count = excluded.run_count, refused = excluded.refused,
         repeated_count = excluded.repeated_count, refused_count = excluded.refused_count, log = excluded.log,
         log_dropped_bytes = excluded.log_dropped_bytes, daemon = excluded.daemon, answer = null,
         evaluated_at = coalesce(ticks.evaluated_at, excluded.evaluated_at), ended_at = excluded.ended_at`,
    [
      id,
      claim.name,
      state,
      definitionHash,
      reason,
      error === undefined ? null : JSON.stringify(error),
      claim.cursor,
      cursor ?? claim.cursor,
      tick.runCount,
      tick.repeatedCount,
      JSON.stringify(refused.slice(0, refusedListedMax)),
      refused.length,
      log.text,
      log.droppedBytes,
      claim.daemon,
    ],
  );
}

/** Moves a sensor on to its next evaluation, from another cursor if there is one, and gives it back. */
export async function advanceSensor(tx: pg.PoolClient, { claim, cursor, delayMs }: LaunchedTick): Promise<void> {
  await tx.query(
    `update automations set claimed_by = null, claimed_until = null, evaluated_at = clock_timestamp(), failures = 0,
         due_at = clock_timestamp() + $2 * interval '1 ms', cursor = coalesce($3, cursor),
         cursor_revision = cursor_revision + ($3::text is not null)::integer
       where name = $1`,
    [claim.name, delayMs, cursor ?? null],
  );
}
