import type pg from "pg";
import type { TagLimit } from "../domain/run-queue.ts";
import { daemonTtlSeconds } from "./daemons.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** Daemons that are alive, and the runs of the same team that ask for a slot before this one. */
export async function readPlace(db: Queryable, runId: string): Promise<{ daemons: number; ahead: number }> {
  const { rows } = await db.query<{ daemons: number; ahead: number }>(
    `select (select count(*)::integer from daemons where renewed_at > clock_timestamp() - make_interval(secs => $2)) as daemons,
       (select count(*)::integer from runs r, runs me where me.id = $1 and r.team = me.team and r.slot = 'wanted'
         and r.ended_at is null and (r.priority > me.priority
           or (r.priority = me.priority and (r.created_at, r.id) < (me.created_at, me.id)))) as ahead`,
    [runId, daemonTtlSeconds],
  );
  return rows[0] ?? { daemons: 0, ahead: 0 };
}

/** The runs that hold a slot under a limit, oldest first; `value`: of this one alone. */
export async function readTagged(
  db: Queryable,
  { key }: TagLimit,
  value: string | undefined,
  limit: number,
): Promise<{ held: number; runs: string[] }> {
  const { rows } = await db.query<{ held: number; runs: string[] }>(
    `select count(*)::integer as held, (coalesce(array_agg(id::text order by created_at), '{}'))[1:$3] as runs from runs
     where slot = 'held' and ended_at is null and tags ? $1 and ($2::text is null or tags ->> $1 = $2)`,
    [key, value ?? null, limit],
  );
  return rows[0] ?? { held: 0, runs: [] };
}

export interface WaitingStep {
  readonly index: number;
  readonly kind: "materialize" | "checks";
  readonly asset: string;
  readonly partition: string;
  readonly state: "waiting" | "retrying";
  readonly attempts: number;
  readonly location: string;
  readonly location_state: string | null;
  readonly last_seen_at: Date | null;
  /** Attempts at the location. */
  readonly in_flight: number;
  /** The run whose attempt is in the way. */
  readonly busy_run: string | null;
}

/**
 * The steps of a run that wait for no other step of it, in planned order, and how many do. What an attempt in the way is:
 * one of another run at the same asset partition, or at the checks of the same version there.
 */
export async function readWaitingSteps(
  db: Queryable,
  runId: string,
  limit: number,
): Promise<{ readonly steps: readonly WaitingStep[]; readonly others: number }> {
  const { rows } = await db.query<WaitingStep>(
    `select s.index, s.kind, s.asset_key as asset, s.partition_key as partition, s.state, s.attempts, s.location,
       l.state as location_state, l.last_seen_at,
       (select count(*)::integer from attempts a where a.location = s.location and a.state in ('leased', 'started', 'unknown'))
         as in_flight,
       case s.kind
         when 'materialize' then (select a.run_id from attempts a where a.asset_key = s.asset_key
           and a.partition_key = s.partition_key and a.kind = 'materialize' and a.state in ('leased', 'started', 'unknown'))
         else (select a.run_id from attempts a where a.version_id = s.version_id and a.location = s.location
           and a.kind = 'checks' and a.state in ('leased', 'started', 'unknown')) end as busy_run
     from steps s left join locations l on l.name = s.location
     where s.run_id = $1 and s.state in ('waiting', 'retrying')
       and not exists (select from steps b where b.run_id = s.run_id and b.index = any (s.after) and b.ended_at is null)
     order by s.index limit $2`,
    [runId, limit],
  );
  const { rows: counts } = await db.query<{ count: number }>(
    "select count(*)::integer as count from steps where run_id = $1 and state in ('waiting', 'retrying')",
    [runId],
  );
  return { steps: rows, others: (counts[0]?.count ?? 0) - rows.length };
}
