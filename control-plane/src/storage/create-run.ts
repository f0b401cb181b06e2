import { formatPartitions } from "@headgate/model";
import type pg from "pg";
import type { Plan, PlannedStep } from "../domain/planned-step.ts";
import { teamOfRun } from "../domain/run-queue.ts";
import { type NewEvent, appendEvents } from "./append-events.ts";
import type { EdgeRow, Schema } from "./schema.ts";

export interface NewRun {
  readonly id: string;
  readonly source: Schema["runs"]["source"];
  readonly actor: string;
  readonly selection: string;
  readonly partitions?: string;
  readonly config?: Record<string, unknown>;
  readonly tags?: Record<string, string>;
  readonly priority?: number;
  readonly whenOpen?: boolean;
  readonly retryOf?: string;
  /** The tick that launches it, whose row is written before. */
  readonly tickId?: string;
  readonly plan: Plan;
}

/** A planned step as it is stored; shared with the steps that a driver adds while the run goes on. */
export function stepRow(runId: string, step: PlannedStep) {
  const edges: EdgeRow[] = step.edges.map(({ edge, set }) => ({
    name: edge.dependency.name,
    asset: edge.upstream.key,
    mode: edge.dependency.mode,
    atLeast: edge.atLeast,
    single: edge.single,
    partitions: formatPartitions(edge.upstream.space, set),
  }));
  return {
    runId,
    index: step.index,
    kind: step.kind,
    assetKey: step.asset,
    partitionKey: step.partition,
    location: step.location,
    after: step.after,
    edges,
    checks: step.checks,
    versionId: step.versionId ?? null,
    computation: step.computation?.first ?? null,
  };
}

/**
 * Writes a queued run, its steps, its audit row and, last, its event, in the caller's transaction. The caller notifies
 * "headgate_runs" after the commit.
 */
export async function createRun(tx: pg.PoolClient, run: NewRun): Promise<void> {
  await insertRun(tx, run);
  await appendRunQueued(tx, [run]);
}

/** The rows of a run without its event, for a transaction that creates several. */
export async function insertRun(tx: pg.PoolClient, run: NewRun): Promise<void> {
  await insertRuns(tx, [run]);
}

/** As `insertRun` for many; in one statement, since whatever reacts to something waits for it. */
export async function insertRuns(tx: pg.PoolClient, runs: readonly NewRun[]): Promise<void> {
  if (runs.length === 0) return;
  await tx.query(
    `with runs_made as (
         insert into runs (id, state, source, actor, selection, partitions, config, tags, priority, when_open, retry_of,
           step_count, left_out, team, tick_id)
         select id, 'queued', source, actor, selection, partitions, config, tags, priority, "whenOpen", "retryOf",
           "stepCount", array(select jsonb_array_elements_text("leftOut")), team, "tickId"
         from jsonb_to_recordset($1::jsonb) as x (id uuid, source text, actor text, selection text, partitions text,
           config jsonb, tags jsonb, priority integer, "whenOpen" boolean, "retryOf" uuid, "stepCount" integer,
           "leftOut" jsonb, team text, "tickId" uuid)),
       steps_made as (
         insert into steps (run_id, index, kind, asset_key, partition_key, location, state, after, edges, checks,
           version_id, computation)
         select "runId", index, kind, "assetKey", "partitionKey", location, 'waiting',
           array(select jsonb_array_elements_text(after)::integer), edges, checks, "versionId", computation
         from jsonb_to_recordset($2::jsonb) as x ("runId" uuid, index integer, kind text, "assetKey" text,
           "partitionKey" text, location text, after jsonb, edges jsonb, checks jsonb, "versionId" uuid,
           computation integer))
     insert into audit (actor, action, subject, details)
       select actor, 'run.create', subject, details
       from jsonb_to_recordset($3::jsonb) as x (actor text, subject text, details jsonb)`,
    [JSON.stringify(runs.map(runRow)), JSON.stringify(runs.flatMap(stepRows)), JSON.stringify(runs.map(auditRow))],
  );
}

export function stepRows(run: NewRun) {
  return run.plan.steps.map((step) => stepRow(run.id, step));
}

export function auditRow({ actor, id, source, selection, partitions = "" }: NewRun) {
  return { actor, subject: id, details: { source, selection, partitions } };
}

export function runRow(run: NewRun) {
  const { id, source, actor, selection, plan } = run;
  return {
    id,
    source,
    actor,
    selection,
    partitions: run.partitions ?? "",
    config: run.config ?? {},
    tags: run.tags ?? {},
    priority: run.priority ?? 0,
    whenOpen: run.whenOpen ?? false,
    retryOf: run.retryOf ?? null,
    stepCount: plan.steps.length,
    leftOut: plan.leftOut ?? [],
    team: teamOfRun(plan.steps),
    tickId: run.tickId ?? null,
  };
}

/** Appends the run_queued events; last in the transaction. */
export async function appendRunQueued(tx: pg.PoolClient, runs: readonly NewRun[]): Promise<void> {
  await appendEvents(tx, runs.map(runQueued));
}

/** What the log says of a run that is created. */
export function runQueued({ id, source, actor, selection, plan, tickId }: NewRun): NewEvent {
  const tick = tickId === undefined ? {} : { tick: tickId };
  return { kind: "run_queued", runId: id, payload: { source, actor, selection, steps: plan.steps.length, ...tick } };
}
