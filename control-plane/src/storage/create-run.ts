import { formatPartitions } from "@headgate/model";
import type pg from "pg";
import type { Plan, PlannedStep } from "../domain/planned-step.ts";
import { teamOfRun } from "../domain/run-queue.ts";
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
  await tx.query(
    `insert into runs (id, state, source, actor, selection, partitions, config, tags, priority, when_open, retry_of,
       step_count, left_out, team)
     values ($1, 'queued', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      run.id,
      run.source,
      run.actor,
      run.selection,
      run.partitions ?? "",
      JSON.stringify(run.config ?? {}),
      JSON.stringify(run.tags ?? {}),
      run.priority ?? 0,
      run.whenOpen ?? false,
      run.retryOf ?? null,
      run.plan.steps.length,
      run.plan.leftOut ?? [],
      teamOfRun(run.plan.steps),
    ],
  );
  await tx.query(
    `insert into steps (run_id, index, kind, asset_key, partition_key, location, state, after, edges, checks, version_id,
       computation)
     select "runId", index, kind, "assetKey", "partitionKey", location, 'waiting',
       array(select jsonb_array_elements_text(after)::integer), edges, checks, "versionId",
       computation
     from jsonb_to_recordset($1::jsonb) as x ("runId" uuid, index integer, kind text, "assetKey" text,
       "partitionKey" text, location text, after jsonb, edges jsonb, checks jsonb, "versionId" uuid,
       computation integer)`,
    [JSON.stringify(run.plan.steps.map((step) => stepRow(run.id, step)))],
  );
  await tx.query("insert into audit (actor, action, subject, details) values ($1, 'run.create', $2, $3)", [
    run.actor,
    run.id,
    JSON.stringify({ source: run.source, selection: run.selection, partitions: run.partitions ?? "" }),
  ]);
}

/** Appends the run_queued events; last in the transaction. */
export async function appendRunQueued(tx: pg.PoolClient, runs: readonly NewRun[]): Promise<void> {
  const entries = runs.map((run) => ({
    kind: "run_queued",
    runId: run.id,
    payload: { source: run.source, actor: run.actor, selection: run.selection, steps: run.plan.steps.length },
  }));
  await tx.query("select append_events($1)", [JSON.stringify(entries)]);
}
