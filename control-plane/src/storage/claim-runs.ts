import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import { type QueueRules, type RunSlot, type TeamInQueue, chooseRuns } from "../domain/run-queue.ts";
import { withTransaction } from "./database.ts";
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
  readonly team: string;
  readonly priority: number;
  readonly createdAtMs: number;
  readonly slot: RunSlot;
}

export interface Claim {
  readonly daemon: string;
  readonly rules: QueueRules;
  /** The runs that the daemon has in memory. */
  readonly held: readonly string[];
  /** Of them, those that gave their slot back and ask for one again. */
  readonly wanting: readonly string[];
  /** How many more runs of a team may hold a slot at this daemon. */
  readonly roomOf: (team: string) => number;
  /** Runs taken at once, at most. */
  readonly max: number;
}

export interface Claimed {
  /** Runs to be read into memory. */
  readonly runs: readonly ClaimedRun[];
  /** Runs of `held` that have a slot again. */
  readonly resumed: readonly string[];
  /** More may be waiting. */
  readonly more: boolean;
}

/**
 * Starts the runs whose turn it is, raises their epoch, and takes over those that nobody has in memory: another daemon
 * left them, or this one forgot them. One transaction, with the same statements however long the queue is; who looks at
 * the queue has it alone, so that no limit is exceeded by two.
 */
export async function claimRuns(pool: pg.Pool, claim: Claim): Promise<Claimed> {
  const { daemon, rules, held, wanting, roomOf, max } = claim;
  // A commit of its own: runs are locked by id, and those that are taken below may have lower ones.
  if (wanting.length > 0) await setSlots(pool, daemon, wanting, "wanted", ["held", "released"]);
  return withTransaction(pool, async (tx) => {
    const queue = await readQueue(tx, daemon, rules, held, max);
    const tagged = new Map(queue.tagged.map(({ bucket, count }) => [bucket, count]));
    const teams = queue.teams.map(({ virtualStart, ...team }) => {
      return { ...team, room: roomOf(team.team), ...(virtualStart === null ? {} : { virtualStart }) };
    });
    const choice = chooseRuns(rules, teams, tagged, max);
    const inMemory = new Set(held);
    const runs = [...queue.left, ...choice.runs.filter((id) => !queue.left.includes(id))];
    if (runs.length === 0) return { runs: [], resumed: [], more: false };
    const resumes = choice.runs.filter((id) => inMemory.has(id));
    const starts = choice.runs;
    const { virtualStarts } = choice;
    const text = "select id from take_runs($1) id";
    const taken = await tx.query<{ id: string }>(text, [
      JSON.stringify({ daemon, runs, starts, resumes, virtualStarts }),
    ]);
    const ids = taken.rows.map(({ id }) => id);
    // What tag limits hold back may have hidden others from this look.
    const begun = choice.runs.length;
    const hidden = begun > 0 && begun < queue.looked && teams.some(({ waiting }) => waiting.length >= queue.looked);
    return {
      runs: await readClaimed(
        tx,
        ids.filter((id) => !inMemory.has(id)),
      ),
      resumed: ids.filter((id) => inMemory.has(id)),
      more: hidden || begun === max || queue.left.length >= max,
    };
  });
}

interface QueueView {
  /** How many of a team's runs it has looked at, at most. */
  readonly looked: number;
  readonly left: readonly string[];
  readonly teams: readonly (Omit<TeamInQueue, "room" | "virtualStart"> & { readonly virtualStart: number | null })[];
  readonly tagged: readonly { readonly bucket: string; readonly count: number }[];
}

async function readQueue(
  tx: pg.PoolClient,
  daemon: string,
  { maxRuns, tagLimits }: QueueRules,
  held: readonly string[],
  max: number,
): Promise<QueueView> {
  const limits = tagLimits.map((limit, index) => ({ index, ...limit }));
  const { rows } = await tx.query<{ queue: QueueView }>("select read_queue($1) as queue", [
    JSON.stringify({ daemon, held, max, maxRuns, tagLimits: limits }),
  ]);
  const [row] = rows;
  if (row === undefined) throw new Error("read_queue returned no row");
  return row.queue;
}

async function readClaimed(tx: pg.PoolClient, ids: readonly string[]): Promise<ClaimedRun[]> {
  const { rows } = await tx.query<{
    id: string;
    state: Schema["runs"]["state"];
    epoch: number;
    tags: Record<string, string>;
    config: Record<string, unknown>;
    when_open: boolean;
    cancel_requested: boolean;
    team: string;
    priority: number;
    created_at: Date;
    slot: RunSlot;
  }>(
    `select id, state, epoch, tags, config, when_open, cancel_requested_at is not null as cancel_requested, team, priority,
       created_at, slot from runs where id = any ($1) order by priority desc, created_at, id`,
    [ids],
  );
  return rows.map((row) => ({
    id: row.id,
    state: row.state,
    epoch: row.epoch,
    tags: row.tags,
    config: row.config,
    whenOpen: row.when_open,
    cancelRequested: row.cancel_requested,
    team: row.team,
    priority: row.priority,
    createdAtMs: row.created_at.getTime(),
    slot: row.slot,
  }));
}

/** Gives back the slots of runs of which nothing can go on at the moment. */
export async function releaseSlots(db: Queryable, daemon: string, ids: readonly string[]): Promise<void> {
  await setSlots(db, daemon, ids, "released", ["held"]);
}

async function setSlots(
  db: Queryable,
  daemon: string,
  ids: readonly string[],
  to: RunSlot,
  from: RunSlot[],
): Promise<void> {
  await db.query(
    `with mine as (select id from runs where id = any ($2) and driver = $1 and slot = any ($4) and ended_at is null
       order by id for no key update)
     update runs r set slot = $3 from mine where r.id = mine.id`,
    [daemon, ids, to, from],
  );
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
  readonly pool: string | null;
}

/** The attempts in flight of these runs. */
export async function readInFlight(db: Queryable, runIds: readonly string[]): Promise<StoredAttempt[]> {
  const { rows } = await db.query<StoredAttempt>(
    `select a.id, a.run_id, a.step_index, a.number, a.epoch, a.kind, a.asset_key, a.partition_key, a.location,
       a.instance_id, a.version_id, a.state, a.inputs, a.sequence, a.computation, a.is_whole, a.pool,
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
