import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { EdgeRow, InputRow, Schema } from "./schema.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

export interface ClaimedRun {
  readonly id: string;
  readonly state: Schema["runs"]["state"];
  readonly epoch: number;
  readonly tags: Record<string, string>;
  readonly config: Record<string, unknown>;
  readonly whenOpen: boolean;
  readonly cancelRequested: boolean;
}

/**
 * Takes runs that nobody drives, most urgent first, raises their epoch and, where they were queued, starts them. So it
 * does with runs that this daemon drives by the database, and not by its memory (`held`). One transaction; the log's
 * lock is taken last.
 */
export async function claimRuns(
  db: Queryable,
  daemon: string,
  limit: number,
  held: readonly string[],
): Promise<ClaimedRun[]> {
  const { rows } = await db.query<{
    id: string;
    state: Schema["runs"]["state"];
    epoch: number;
    tags: Record<string, string>;
    config: Record<string, unknown>;
    when_open: boolean;
    cancel_requested: boolean;
  }>(
    `with open as (
       select id, state from runs where ended_at is null and (driver is null or driver = $1) and id <> all ($3::uuid[])
         order by priority desc, created_at limit $2 for no key update skip locked),
     claimed as (
       update runs r set driver = $1, epoch = r.epoch + 1, started_at = coalesce(r.started_at, clock_timestamp()),
           state = case when r.state = 'queued' then 'started' else r.state end
         from open where r.id = open.id
         returning r.id, r.state, r.epoch, r.tags, r.config, r.when_open, r.cancel_requested_at is not null as cancel_requested,
           open.state = 'queued' as fresh, r.priority, r.created_at),
     logged as (
       select append_events(jsonb_agg(jsonb_build_object(
         'kind', case when fresh then 'run_started' else 'run_taken_over' end, 'runId', id,
         'payload', jsonb_build_object('epoch', epoch)))) as base from claimed having count(*) > 0)
     select c.* from claimed c left join logged on true order by priority desc, created_at`,
    [daemon, limit, held],
  );
  return rows.map((row) => ({
    id: row.id,
    state: row.state,
    epoch: row.epoch,
    tags: row.tags,
    config: row.config,
    whenOpen: row.when_open,
    cancelRequested: row.cancel_requested,
  }));
}

export interface StoredStep {
  readonly run_id: string;
  readonly index: number;
  readonly kind: "materialize" | "checks";
  readonly asset_key: AssetKey;
  readonly partition_key: string;
  readonly location: string;
  readonly state: Schema["steps"]["state"];
  readonly after: number[];
  readonly edges: EdgeRow[];
  readonly checks: string[];
  readonly version_id: string | null;
  readonly attempts: number;
  readonly reasons: unknown[] | null;
  /** Of its attempts, those that threw or timed out, and those that crashed or were lost. */
  readonly thrown: number;
  readonly crashed: number;
  /** Index of the first step that is computed together with this one. */
  readonly computation: number | null;
}

export async function readSteps(db: Queryable, runIds: readonly string[]): Promise<StoredStep[]> {
  const { rows } = await db.query<StoredStep>(
    `select s.run_id, s.index, s.kind, s.asset_key, s.partition_key, s.location, s.state, s.after, s.edges, s.checks,
       s.version_id, s.attempts, s.reasons, s.computation, coalesce(a.thrown, 0)::integer as thrown,
       coalesce(a.crashed, 0)::integer as crashed
     from steps s
     left join (
       select run_id, step_index, count(*) filter (where state in ('failed', 'timedOut')) as thrown,
         count(*) filter (where state in ('crashed', 'lost')) as crashed
       from attempts where run_id = any ($1) group by run_id, step_index) a
       on a.run_id = s.run_id and a.step_index = s.index
     where s.run_id = any ($1) order by s.run_id, s.index`,
    [runIds],
  );
  return rows;
}

export interface StoredAttempt {
  readonly id: string;
  readonly run_id: string;
  readonly step_index: number;
  readonly number: number;
  readonly epoch: number;
  readonly kind: "materialize" | "checks";
  readonly asset_key: AssetKey;
  readonly partition_key: string;
  readonly location: string;
  readonly instance_id: string;
  readonly version_id: string;
  readonly state: "leased" | "started" | "unknown";
  readonly inputs: InputRow[];
  readonly sequence: number;
  /** The value was reported durable: its version exists. */
  readonly computed: boolean;
  /** Names of the checks whose results are stored. */
  readonly checked: readonly string[];
  /** Id of the first attempt that was leased together with this one. */
  readonly computation: string | null;
  /** How many were leased together; 0 where it was leased alone. */
  readonly leased_together: number;
  /** The versions of its computation are recorded together or not at all. */
  readonly is_whole: boolean;
}

/** The attempts in flight of these runs. */
export async function readInFlight(db: Queryable, runIds: readonly string[]): Promise<StoredAttempt[]> {
  const { rows } = await db.query<StoredAttempt>(
    `select a.id, a.run_id, a.step_index, a.number, a.epoch, a.kind, a.asset_key, a.partition_key, a.location,
       a.instance_id, a.version_id, a.state, a.inputs, a.sequence, a.computation, a.is_whole,
       case when a.computation is null then 0 else (select count(*)::integer from attempts m
         where m.run_id = a.run_id and m.computation = a.computation) end as leased_together,
       exists (select from versions v where v.attempt_id = a.id) as computed,
       array(select name from check_results c where c.attempt_id = a.id) as checked
     from attempts a where a.run_id = any ($1) and a.state in ('leased', 'started', 'unknown')
     order by a.run_id, a.step_index`,
    [runIds],
  );
  return rows;
}

/** What runs have read so far, for their pins. */
export async function readPins(
  db: Queryable,
  runIds: readonly string[],
): Promise<{ run_id: string; inputs: InputRow[] }[]> {
  const { rows } = await db.query<{ run_id: string; inputs: InputRow[] }>(
    "select run_id, inputs from attempts where run_id = any ($1) and inputs <> '[]' order by leased_at",
    [runIds],
  );
  return rows;
}

/** Of these runs, those that made or checked a version whose gate shut. */
export async function readClosed(db: Queryable, runIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ run_id: string }>(
    "select distinct run_id from events where run_id = any ($1) and kind = 'gate_closed'",
    [runIds],
  );
  return new Set(rows.map((row) => row.run_id));
}

/** Runs of this daemon that somebody asked to cancel. */
export async function readCancelRequests(db: Queryable, daemon: string): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    "select id from runs where driver = $1 and ended_at is null and cancel_requested_at is not null",
    [daemon],
  );
  return rows.map((row) => row.id);
}

/** Of these attempts, those that have ended: what their instances still hold of them may be dropped. */
export async function readEnded(db: Queryable, attemptIds: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    "select id from attempts where id = any ($1) and state not in ('leased', 'started', 'unknown')",
    [attemptIds],
  );
  return rows.map((row) => row.id);
}
