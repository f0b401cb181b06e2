import type { z } from "zod";
import type { ScheduleNode } from "../domain/graph.ts";
import { type AutomationRow, type TickRow, lastTicks, readAutomations, runsOfTicks } from "../storage/ticks-read.ts";
import type { ApiContext } from "./api-context.ts";
import type { schedule, tick } from "./contract/schedule.ts";
import { presentDefinitionProblem } from "./present-asset.ts";
import { presentTime, presentTimeOrNull } from "./present-run.ts";

export type ScheduleAnswer = z.input<typeof schedule>;
export type TickAnswer = z.input<typeof tick>;

const runsShownMax = 20;

/** Schedules as they stand, in the order given. */
export async function presentSchedules(
  context: ApiContext,
  nodes: readonly ScheduleNode[],
  db = context.db,
): Promise<ScheduleAnswer[]> {
  const names = nodes.map(({ name }) => name);
  const rows = await readAutomations(db, names);
  const last = await lastTicks(db, names);
  const ticks = await presentTicks(context, [...last.values()], db);
  const byName = new Map(ticks.map((one) => [one.automation, one]));
  // One that was defined this moment may have no row where this replica looks; it is there the next time.
  return nodes.flatMap((node) => {
    const row = rows.get(node.name);
    return row === undefined ? [] : [presentSchedule(context, node, row, byName.get(node.name))];
  });
}

function presentSchedule(
  context: ApiContext,
  node: ScheduleNode,
  row: AutomationRow,
  lastTick: TickAnswer | undefined,
): ScheduleAnswer {
  const { name, team, location, definition, times, hash } = node;
  const { errors, warnings } = context.graph();
  const on = row.is_on ?? !definition.startsOff;
  const watermark = row.watermark ?? new Date(0);
  const nextMs = on ? times.after(watermark.getTime()) : Infinity;
  return {
    name,
    team,
    location,
    description: definition.description,
    crons: [...definition.crons],
    timezone: times.timezone,
    selection: definition.selection,
    partitioned: definition.partitioned,
    config: definition.config,
    tags: definition.tags,
    priority: definition.priority,
    catchUpMax: definition.catchUpMax,
    on,
    switchedBy: row.switched_by,
    switchedAt: presentTimeOrNull(row.switched_at),
    doneUntil: presentTime(watermark),
    nextAt: nextMs === Infinity ? null : presentTime(new Date(nextMs)),
    nextLocal: nextMs === Infinity ? null : times.format(nextMs),
    lastTick: lastTick ?? null,
    problems: [...errors, ...warnings]
      .filter((problem) => problem.kind === "schedule" && problem.key === name && problem.location === location)
      .map((problem) => presentDefinitionProblem(problem.kind, problem.key, problem)),
    hash,
  };
}

/** Ticks with the runs that they launched. */
export async function presentTicks(
  context: ApiContext,
  rows: readonly TickRow[],
  db = context.db,
): Promise<TickAnswer[]> {
  const runs = await runsOfTicks(
    db,
    rows.filter(({ run_count }) => run_count > 0).map(({ id }) => id),
    runsShownMax,
  );
  return rows.map((row) => ({
    id: row.id,
    automation: row.automation,
    scheduledAt: presentTimeOrNull(row.scheduled_at),
    askedBy: row.asked_by,
    state: row.state,
    reason: row.reason,
    error: row.error === null ? null : { code: row.error.code, message: row.error.message, hint: row.error.hint },
    missedCount: row.missed_count,
    missedSince: presentTimeOrNull(row.missed_since),
    runCount: row.run_count,
    runs: [...(runs.get(row.id) ?? [])],
    definitionHash: row.definition_hash,
    createdAt: presentTime(row.created_at),
    endedAt: presentTimeOrNull(row.ended_at),
  }));
}
