import type { Kysely } from "kysely";
import type { z } from "zod";
import type { Reason } from "../domain/reason.ts";
import { remedies } from "../domain/reason-text.ts";
import type { EventRow } from "../storage/events-read.ts";
import type { LogRow } from "../storage/logs-read.ts";
import type { RunRow } from "../storage/runs-read.ts";
import type { InputRow, Schema } from "../storage/schema.ts";
import { type AttemptRow, type StepRow, countSteps } from "../storage/steps-read.ts";
import type { ApiContext } from "./api-context.ts";
import type { attempt, input } from "./contract/asset.ts";
import type { event, logChunk, run, step } from "./contract/run.ts";
import { presentFailure } from "./present-failure.ts";
import { presentReason } from "./present-reason.ts";

export type RunAnswer = z.input<typeof run>;
export type StepAnswer = z.input<typeof step>;

export function presentTime(date: Date): string {
  return date.toISOString();
}

export function presentTimeOrNull(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}

export function presentRun(row: RunRow, steps: Partial<Record<StepRow["state"], number>> | undefined): RunAnswer {
  return {
    id: row.id,
    state: row.state,
    source: row.source,
    actor: row.actor,
    selection: row.selection,
    partitions: row.partitions,
    config: row.config,
    tags: row.tags,
    priority: row.priority,
    whenOpen: row.when_open,
    retryOf: row.retry_of,
    tick:
      row.tick_id === null || row.tick_automation === null
        ? null
        : {
            id: row.tick_id,
            automation: row.tick_automation,
            scheduledAt: presentTimeOrNull(row.tick_scheduled_at),
          },
    runKey: row.run_key,
    leftOut: row.left_out,
    stepCount: row.step_count,
    steps: steps ?? {},
    createdAt: presentTime(row.created_at),
    startedAt: presentTimeOrNull(row.started_at),
    endedAt: presentTimeOrNull(row.ended_at),
    cancelRequestedAt: presentTimeOrNull(row.cancel_requested_at),
    cancelRequestedBy: row.cancel_requested_by,
  };
}

/** Runs with their steps counted. */
export async function presentRuns(db: Kysely<Schema>, rows: readonly RunRow[]): Promise<RunAnswer[]> {
  const counts = await countSteps(
    db,
    rows.map((row) => row.id),
  );
  return rows.map((row) => presentRun(row, counts.get(row.id)));
}

/** An input that was recorded under a former key is told by the key of now. */
export function presentInput(context: ApiContext, row: InputRow): z.input<typeof input> {
  const { name, asset, mode, versions, leftOut } = row;
  return { name, asset: context.graph().renamed.get(asset) ?? asset, mode, versions, leftOut };
}

export function presentAttempt(context: ApiContext, row: AttemptRow): z.input<typeof attempt> {
  return {
    id: row.id,
    number: row.number,
    state: row.state,
    instance: row.instance_id,
    leasedAt: presentTime(row.leased_at),
    startedAt: presentTimeOrNull(row.started_at),
    endedAt: presentTimeOrNull(row.ended_at),
    error: presentFailure(row.error),
    inputs: row.inputs.map((input) => presentInput(context, input)),
  };
}

export function presentStep(context: ApiContext, row: StepRow, lastAttempt: AttemptRow | undefined): StepAnswer {
  const reasons = (row.reasons ?? []) as Reason[];
  return {
    index: row.index,
    kind: row.kind,
    asset: row.asset_key,
    partition: row.partition_key,
    location: row.location,
    state: row.state,
    after: row.after,
    checks: row.checks,
    version: row.version_id,
    attempts: row.attempts,
    lastAttempt: lastAttempt === undefined ? null : presentAttempt(context, lastAttempt),
    reasons: reasons.map((reason) => presentReason(context, reason)),
    remedies: [...remedies(reasons)],
    error: presentFailure(row.error),
    startedAt: presentTimeOrNull(row.started_at),
    endedAt: presentTimeOrNull(row.ended_at),
    computation: row.computation,
  };
}

export function presentEvent(row: EventRow): z.input<typeof event> {
  return {
    seq: row.seq,
    at: presentTime(row.at),
    kind: row.kind,
    run: row.run_id,
    step: row.step_index,
    asset: row.asset_key,
    partition: row.partition_key,
    location: row.location,
    payload: row.payload,
  };
}

export function presentLog(row: LogRow): z.input<typeof logChunk> {
  return {
    step: row.step,
    asset: row.assetKey,
    partition: row.partition,
    attempt: row.attempt,
    sequence: row.sequence,
    stream: row.stream,
    at: presentTime(row.at),
    text: row.body.toString("utf8"),
    droppedBytes: Number(row.droppedBytes),
  };
}
