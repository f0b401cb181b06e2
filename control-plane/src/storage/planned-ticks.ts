import type pg from "pg";
import type { ScheduleNode } from "../domain/asset-graph.ts";
import type { TickPlan } from "../domain/tick-plan.ts";
import type { NewEvent } from "./append-events.ts";
import { type NewRun, insertRuns, runQueued } from "./create-run.ts";
import { type NewTick, insertTicks } from "./ticks.ts";

const runIdsInEventMax = 20;

/** A tick with what it launches. */
export interface PlannedTick {
  readonly tick: NewTick;
  readonly runs: readonly NewRun[];
}

/** The rows of a tick: of an instant, or asked for by somebody. */
export function plannedTick(
  node: ScheduleNode,
  cause: { readonly scheduledMs: number } | { readonly askedBy: string },
  plan: TickPlan,
  newId: () => string,
): PlannedTick {
  const { name: automation, hash: definitionHash, definition } = node;
  const head = {
    id: newId(),
    automation,
    definitionHash,
    scheduledMs: "scheduledMs" in cause ? cause.scheduledMs : null,
    ...("askedBy" in cause ? { askedBy: cause.askedBy } : {}),
  };
  switch (plan.kind) {
    case "skip":
      return { tick: { ...head, state: "skipped", reason: plan.reason, runCount: 0 }, runs: [] };
    case "refused": {
      const { code, message, hint } = plan;
      return { tick: { ...head, state: "failed", error: { code, message, hint }, runCount: 0 }, runs: [] };
    }
    case "launch": {
      const { config, tags, priority } = definition;
      const runs = plan.runs.map((run): NewRun => ({
        ...run,
        id: newId(),
        source: "schedule",
        actor: "askedBy" in cause ? cause.askedBy : `schedule:${automation}`,
        config,
        tags,
        priority,
        tickId: head.id,
      }));
      return { tick: { ...head, state: "launched", runCount: runs.length }, runs };
    }
  }
}

const eventKinds = { launched: "tick_launched", skipped: "tick_skipped", missed: "tick_missed", failed: "tick_failed" };

/** What the log says of a tick and its runs. */
export function tickEvents({ tick, runs }: PlannedTick): NewEvent[] {
  const { id, automation, scheduledMs, state } = tick;
  const event: NewEvent = {
    kind: eventKinds[state],
    payload: {
      automation,
      automationKind: "schedule",
      tick: id,
      scheduledAt: scheduledMs === null ? null : new Date(scheduledMs).toISOString(),
      ...(tick.askedBy === undefined ? {} : { askedBy: tick.askedBy }),
      ...(runs.length === 0
        ? {}
        : { runs: runs.slice(0, runIdsInEventMax).map((run) => run.id), runCount: runs.length }),
      ...(tick.reason === undefined ? {} : { reason: tick.reason }),
      ...(tick.error === undefined ? {} : { error: tick.error }),
      ...(tick.missedSinceMs === undefined
        ? {}
        : { missedCount: tick.missedCount, missedSince: new Date(tick.missedSinceMs).toISOString() }),
    },
  };
  return [event, ...runs.map(runQueued)];
}

/** Writes ticks that have ended, and the runs of those that nobody had fired before; returns these. */
export async function insertPlannedTicks(tx: pg.PoolClient, planned: readonly PlannedTick[]): Promise<PlannedTick[]> {
  const written = await insertTicks(
    tx,
    planned.map(({ tick }) => tick),
  );
  const fresh = planned.filter(({ tick }) => written.has(tick.id));
  await insertRuns(
    tx,
    fresh.flatMap(({ runs }) => runs),
  );
  return fresh;
}
