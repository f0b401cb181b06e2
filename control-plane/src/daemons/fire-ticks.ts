import type pg from "pg";
import type { Graph, ScheduleNode } from "../domain/graph.ts";
import { dueTicks } from "../domain/schedule-ticks.ts";
import { type TickPlan, planTick } from "../domain/tick-plan.ts";
import { appendEvents } from "../storage/append-events.ts";
import { withTransaction } from "../storage/database.ts";
import { type PlannedTick, insertPlannedTicks, plannedTick, tickEvents } from "../storage/planned-ticks.ts";
import { type ScheduleState, lockSchedules, moveWatermarks } from "../storage/ticks.ts";

export interface FireOptions {
  readonly graph: Graph;
  readonly nowMs: number;
  readonly newId: () => string;
  /** A tick could not be planned for a reason of ours. */
  readonly failed: (error: unknown) => void;
}

/** What became of one schedule. */
export type Fired =
  /** Every due tick is written, or nothing was due. Infinite: it does not tick. */
  | { readonly kind: "done"; readonly nextMs: number }
  /** Ticks are left that are due. */
  | { readonly kind: "more" }
  /** The stored schedule is another one than the graph's: the graph is old. */
  | { readonly kind: "stale" }
  /** Somebody else is at it. */
  | { readonly kind: "busy" };

export interface FiredTicks {
  readonly fired: ReadonlyMap<string, Fired>;
  readonly ticks: number;
  readonly runs: number;
}

/** Stops taking ticks into a transaction that has so many steps. */
const stepsMax = 10_000;

/**
 * Writes the due ticks of these schedules, with the runs that they launch and how far each schedule has come, in one
 * transaction. What is due is judged by the stored watermark, under a lock: whoever does it twice, or after a kill, or at
 * the same moment elsewhere, finds nothing left to do. Locks: automations by name, last the event log.
 */
export async function fireTicks(pool: pg.Pool, names: readonly string[], options: FireOptions): Promise<FiredTicks> {
  return withTransaction(pool, async (tx) => {
    const fired = new Map<string, Fired>(names.map((name) => [name, { kind: "busy" }]));
    const planned: PlannedTick[] = [];
    const watermarks = new Map<string, number>();
    let steps = 0;
    for (const state of await lockSchedules(tx, names)) {
      if (steps >= stepsMax) {
        fired.set(state.name, { kind: "more" });
        continue;
      }
      const due = planDue(state, options, stepsMax - steps);
      fired.set(state.name, due.fired);
      planned.push(...due.planned);
      if (due.watermarkMs !== undefined) watermarks.set(state.name, due.watermarkMs);
      steps += due.steps;
    }
    const written = await insertPlannedTicks(tx, planned);
    await moveWatermarks(tx, watermarks);
    await appendEvents(tx, written.flatMap(tickEvents));
    return { fired, ticks: written.length, runs: written.reduce((sum, { runs }) => sum + runs.length, 0) };
  });
}

interface PlannedDue {
  readonly fired: Fired;
  readonly planned: readonly PlannedTick[];
  readonly watermarkMs?: number;
  readonly steps: number;
}

function planDue(state: ScheduleState, options: FireOptions, budget: number): PlannedDue {
  const { graph, nowMs, newId } = options;
  const node = graph.schedules.get(state.name);
  if (node === undefined || state.retired || node.times.text !== state.cadence) {
    return { fired: { kind: "stale" }, planned: [], steps: 0 };
  }
  if (!(state.isOn ?? !node.definition.startsOff)) return { fired: done(Infinity), planned: [], steps: 0 };
  const { fire, missed } = dueTicks(node.times, state.watermarkMs, nowMs, node.definition.catchUpMax);
  const planned: PlannedTick[] = [];
  let watermarkMs: number | undefined;
  if (missed !== undefined) {
    planned.push({
      tick: {
        id: newId(),
        automation: node.name,
        scheduledMs: missed.lastMs,
        state: "missed",
        definitionHash: node.hash,
        missedCount: missed.count,
        missedSinceMs: missed.firstMs,
        runCount: 0,
      },
      runs: [],
    });
    watermarkMs = missed.lastMs;
  }
  let steps = 0;
  for (const instantMs of fire) {
    if (steps >= budget) return { fired: { kind: "more" }, planned, steps, ...(watermarkMs && { watermarkMs }) };
    const one = plannedTick(node, { scheduledMs: instantMs }, plannedSafely(node, instantMs, options), newId);
    planned.push(one);
    steps += one.runs.reduce((sum, run) => sum + run.plan.steps.length, 1);
    watermarkMs = instantMs;
  }
  return {
    fired: done(node.times.after(Math.max(nowMs, state.watermarkMs))),
    planned,
    steps,
    ...(watermarkMs !== undefined && { watermarkMs }),
  };
}

const done = (nextMs: number): Fired => ({ kind: "done", nextMs });

/** One schedule that cannot be planned for a fault of ours costs its tick, and no tick of another. */
function plannedSafely(node: ScheduleNode, instantMs: number, { graph, nowMs, failed }: FireOptions): TickPlan {
  try {
    return planTick(graph, node, instantMs, nowMs);
  } catch (error) {
    failed(error);
    const message = error instanceof Error ? error.message : String(error);
    return {
      kind: "refused",
      code: "schedule.plan_failed",
      message,
      hint: "Report it, with the schedule's definition.",
    };
  }
}
