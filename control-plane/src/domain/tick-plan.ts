import {
  type AssetKey,
  type ClosedWindow,
  closedWindows,
  formatPartitions,
  rangeSet,
  timeWindowsOf,
  windowText,
} from "@headgate/model";
import type { AssetNode, Graph, ScheduleNode } from "./asset-graph.ts";
import { configRefusal } from "./config-refusal.ts";
import type { GateView } from "./gate.ts";
import { planSteps } from "./plan.ts";
import { type PlanTarget, selectNodes } from "./plan-targets.ts";
import { type Plan, type PlanRefusal, refuse } from "./planned-step.ts";

/** The most windows that one tick makes; a schedule that ticks less often than that asks for a backfill. */
const windowsMax = 1_000;
/** A selection of at most so many assets is written out as their keys. */
const namedMax = 20;

/** A run that a tick launches. */
export interface TickRun {
  readonly selection: string;
  /** '' where nothing is partitioned, or every partition is asked for. */
  readonly partitions: string;
  readonly plan: Plan;
}

/** What a tick comes to. */
export type TickPlan =
  | { readonly kind: "launch"; readonly runs: readonly TickRun[] }
  /** There is nothing to do, and nothing is wrong. */
  | { readonly kind: "skip"; readonly reason: string }
  | ({ readonly kind: "refused" } & Pick<PlanRefusal, "code" | "message" | "hint">);

/** What a schedule launches, as the graph stands. */
export interface TickTargets {
  readonly ok: true;
  /** Of the schedule's team, and computed here. */
  readonly nodes: readonly AssetNode[];
  readonly external: readonly AssetKey[];
}

/** Nothing is known of versions: a tick asks for runs, and the gate judges when their steps are ready. */
const blind: GateView = { versions: () => undefined };

/** What a schedule selects of its team. */
export function tickTargets(graph: Graph, { team, definition }: ScheduleNode): TickTargets | PlanRefusal {
  const { selection } = definition;
  const selected = selectNodes(graph, {
    selection: isOfTeam(selection, team) ? selection : `(${selection}) and team:${team}`,
  });
  if (!Array.isArray(selected)) return selected;
  const nodes = selected.filter((node) => node.definition.external === undefined);
  const external = selected.filter((node) => node.definition.external !== undefined).map(({ key }) => key);
  if (nodes.length > 0) return { ok: true, nodes, external };
  const message = `Every asset of ${definition.selection} is external: reported, and not made by a run.`;
  return refuse("asset.external", message, "Select what is computed from them.");
}

/** A list of the team's own keys, as most targets are: found without a look at every asset of every team. */
function isOfTeam(selection: string, team: string): boolean {
  return selection.split(" or ").every((key) => key.startsWith(`${team}/`) && /^[a-z0-9_/-]+$/.test(key));
}

/**
 * What the tick of an instant launches: one run, or one for each time window of the targets that closed after the cron's
 * instant before, up to and including this one. So every window belongs to one tick, whenever that is fired.
 *
 * @param nowMs which upstream partitions there are is judged at this time
 */
export function planTick(graph: Graph, schedule: ScheduleNode, instantMs: number, nowMs: number): TickPlan {
  const targets = tickTargets(graph, schedule);
  if (!targets.ok) return refused(targets);
  const { definition, times } = schedule;
  if (!definition.partitioned) return plannedWhole(graph, schedule, targets, nowMs);
  const windowed = windowsOfTargets(targets.nodes);
  if ("code" in windowed) return refused(windowed);
  const windows = closedWindows(windowed, times.before(instantMs), instantMs, windowsMax + 1);
  if (windows.length > windowsMax) {
    const message = `More than ${windowsMax} windows closed since the tick before.`;
    return refused(refuse("schedule.too_many_windows", message, "Tick more often, or use coarser partitions."));
  }
  const runs: TickRun[] = [];
  for (const window of windows) {
    const run = plannedWindow(graph, schedule, targets, window, nowMs);
    if (run === undefined) continue;
    if ("code" in run) return refused(run);
    runs.push(run);
  }
  if (runs.length > 0) return { kind: "launch", runs };
  const reason =
    windows.length === 0
      ? "no window of the target closed since the tick before"
      : `the target has no partition ${windows.map(({ key }) => key).join(", ")}`;
  return { kind: "skip", reason };
}

function plannedWhole(graph: Graph, schedule: ScheduleNode, targets: TickTargets, nowMs: number): TickPlan {
  const windowed = targets.nodes.find((node) => timeWindowsOf(node.space.definition) !== undefined);
  if (windowed !== undefined) {
    const message = `${windowed.key} has time windows, and every tick would make all of them.`;
    return refused(refuse("schedule.partitioned_target", message, "Write `partitioned: true` in the schedule."));
  }
  const all = targets.nodes.map((node) => ({ node, set: rangeSet.range(0, node.space.count(nowMs)) }));
  if (all.every(({ set }) => rangeSet.size(set) === 0)) return { kind: "skip", reason: "the target has no partition" };
  const run = plannedRun(graph, schedule, targets, all, nowMs);
  return "code" in run ? refused(run) : { kind: "launch", runs: [run] };
}

/** The time windows that all partitioned targets share. */
function windowsOfTargets(nodes: readonly AssetNode[]) {
  let first: { readonly key: AssetKey; readonly windows: NonNullable<ReturnType<typeof timeWindowsOf>> } | undefined;
  for (const { key, space } of nodes) {
    const windows = timeWindowsOf(space.definition);
    if (windows === undefined) continue;
    first ??= { key, windows };
    if (windowText(first.windows) === windowText(windows)) continue;
    const message = `${first.key} has the windows ${windowText(first.windows)}, and ${key} ${windowText(windows)}.`;
    return refuse("schedule.partitions_differ", message, "Make a schedule for each.");
  }
  if (first !== undefined) return first.windows;
  const message = "No asset of the target has time windows.";
  return refuse("schedule.not_partitioned", message, "Leave `partitioned` out of the schedule.");
}

/** Undefined: none of the targets has that window. */
function plannedWindow(
  graph: Graph,
  schedule: ScheduleNode,
  targets: TickTargets,
  window: ClosedWindow,
  nowMs: number,
): TickRun | PlanRefusal | undefined {
  let has = false;
  const sets = targets.nodes.map((node): PlanTarget => {
    if (timeWindowsOf(node.space.definition) === undefined) {
      return { node, set: rangeSet.range(0, node.space.count(nowMs)) };
    }
    const set = rangeSet.range(...node.space.overlapping(window.startMs, window.endMs));
    if (rangeSet.size(set) > 0) has = true;
    return { node, set };
  });
  return has ? plannedRun(graph, schedule, targets, sets, nowMs) : undefined;
}

function plannedRun(
  graph: Graph,
  { team, definition }: ScheduleNode,
  { external }: TickTargets,
  sets: readonly PlanTarget[],
  nowMs: number,
): TickRun | PlanRefusal {
  const asked = sets.filter(({ set }) => rangeSet.size(set) > 0);
  const planned = planSteps(graph, asked, blind, nowMs);
  if (!planned.ok) return planned;
  const plan = external.length === 0 ? planned.plan : { ...planned.plan, leftOut: external };
  const wrong = configRefusal(graph, definition.config, plan);
  if (wrong !== undefined) return wrong;
  const windowed = asked.find(
    ({ node }) => definition.partitioned && timeWindowsOf(node.space.definition) !== undefined,
  );
  return {
    // What is launched is asked for again by a retry: other teams' assets must not come in by it.
    selection:
      asked.length <= namedMax
        ? asked.map(({ node }) => node.key).join(" or ")
        : `(${definition.selection}) and team:${team}`,
    partitions: windowed === undefined ? "" : formatPartitions(windowed.node.space, windowed.set),
    plan,
  };
}

function refused({ code, message, hint }: PlanRefusal): TickPlan {
  return { kind: "refused", code, message, hint };
}
