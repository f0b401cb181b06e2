import { rangeSet, upstreamPartitions } from "@headgate/model";
import { checksWithAsset, foreignChecks, stepsPerPartition } from "./check-steps.ts";
import { computedTogether, entangledStep, expanded } from "./computed-together.ts";
import { type GateView, type Pins, judgeGate, neededOf } from "./gate.ts";
import { type AssetNode, type Edge, type Graph, requiredChecks } from "./graph.ts";
import { type PlanRequest, type PlanTarget, planTargets } from "./plan-targets.ts";
import {
  type Forecast,
  type PlanResult,
  type PlannedEdge,
  type PlannedStep,
  refuse,
  stepsMax,
  tooLarge,
} from "./planned-step.ts";
import { type Reason, distinctReasons } from "./reason.ts";
import { type KnownRoots, rootReasons } from "./root-reasons.ts";

/** What a run of this request would do, and what would be blocked and why. Changes nothing. */
export function plan(graph: Graph, request: PlanRequest, view: GateView, nowMs: number): PlanResult {
  const result = planTargets(graph, request, nowMs);
  if (!result.ok) return result;
  const planned = planSteps(graph, result.targets, view, nowMs);
  if (!planned.ok || result.leftOut.length === 0) return planned;
  return { ok: true, plan: { ...planned.plan, leftOut: result.leftOut } };
}

/** The steps for these targets, upstream first. */
export function planSteps(graph: Graph, targets: readonly PlanTarget[], view: GateView, nowMs: number): PlanResult {
  const expansion = expanded(graph, targets);
  if (!expansion.ok) return expansion;
  const count = expansion.targets.reduce((sum, { node, set }) => sum + rangeSet.size(set) * stepsPerPartition(node), 0);
  if (count > stepsMax) return tooLarge(count);
  const steps: PlannedStep[] = [];
  const made = new Map<AssetNode, Map<number, { step: PlannedStep; checks: PlannedStep[] }>>();
  for (const { node, set, added } of [...expansion.targets].sort((a, b) => a.node.index - b.node.index)) {
    const ofNode = new Map<number, { step: PlannedStep; checks: PlannedStep[] }>();
    made.set(node, ofNode);
    for (const ordinal of rangeSet.ordinals(set)) {
      const planned = planStep(graph, node, ordinal, steps.length, made, view, nowMs);
      const step: PlannedStep = rangeSet.has(added, ordinal) ? { ...planned, added: true } : planned;
      steps.push(step);
      const checks = foreignChecks(node, step, steps.length);
      steps.push(...checks);
      ofNode.set(ordinal, { step, checks });
    }
  }
  const joined = computedTogether(graph, steps);
  const entangled = joined.some(({ computation }) => computation !== undefined) ? entangledStep(joined) : undefined;
  if (entangled !== undefined) {
    const message = `One call computes ${entangled.asset} together with what it comes after.`;
    const hint = `headgate location show ${entangled.location} says which definitions did not load.`;
    return refuse("asset.set_entangled", message, hint);
  }
  return { ok: true, plan: { steps: joined } };
}

/** Asset, then partition ordinal, to the step that makes it and the steps that check it elsewhere. */
type MadeSteps = ReadonlyMap<AssetNode, ReadonlyMap<number, { step: PlannedStep; checks: PlannedStep[] }>>;

function planStep(
  graph: Graph,
  node: AssetNode,
  ordinal: number,
  index: number,
  made: MadeSteps,
  view: GateView,
  nowMs: number,
): PlannedStep {
  const after: number[] = [];
  const edges: PlannedEdge[] = [];
  const inherited: Reason[] = [];
  const external = new Map<Edge, readonly string[]>();
  for (const edge of node.upstream) {
    const set = upstreamPartitions(edge.mapping, edge.upstream.space, node.space, rangeSet.of(ordinal), nowMs);
    edges.push({ edge, set });
    const inRun = made.get(edge.upstream);
    const gating = new Set(requiredChecks(edge.upstream, node.team).map((check) => check.location));
    const falls = edge.dependency.mode !== "lastValidated" && edge.atLeast === 0;
    /** Partitions that this run does not make, and how many it does. */
    const others: string[] = [];
    let coming = 0;
    for (const n of rangeSet.ordinals(set)) {
      const entry = inRun?.get(n);
      if (entry !== undefined) {
        after.push(entry.step.index);
        for (const check of entry.checks) if (gating.has(check.location)) after.push(check.index);
        if (entry.step.forecast.kind !== "blocked") {
          coming++;
          continue;
        }
        if (falls) inherited.push(...entry.step.forecast.reasons);
      }
      others.push(edge.upstream.space.keyAt(n));
    }
    const needed = neededOf(edge, others.length + coming) - coming;
    if (coming === 0) external.set(edge, others);
    else if (needed > 0) external.set({ ...edge, atLeast: needed }, others);
  }
  const forecast =
    inherited.length > 0
      ? ({ kind: "blocked", reasons: distinctReasons(inherited) } as const)
      : forecastOf(graph, external, view, nowMs, knownRoots(graph, made));
  return {
    index,
    kind: "materialize",
    asset: node.key,
    team: node.team,
    location: node.location,
    partition: node.space.keyAt(ordinal),
    after,
    edges,
    checks: checksWithAsset(node),
    forecast,
  };
}

/** What the plan has already found to be blocked: a long chain with holes is followed once. */
function knownRoots(graph: Graph, made: MadeSteps): KnownRoots {
  return (asset, partition) => {
    const node = graph.asset(asset);
    const ordinal = node?.space.ordinalOf(partition);
    if (node === undefined || ordinal === undefined) return undefined;
    const forecast = made.get(node)?.get(ordinal)?.step.forecast;
    return forecast?.kind === "blocked" ? forecast.reasons : undefined;
  };
}

const noPins: Pins = new Map();

/** How the gate stands for what is read from outside the run; what the run makes itself is open once it is made. */
function forecastOf(
  graph: Graph,
  external: ReadonlyMap<Edge, readonly string[]>,
  view: GateView,
  nowMs: number,
  known: KnownRoots,
): Forecast {
  const partitionsOf = (edge: Edge): readonly string[] => external.get(edge) ?? [];
  const verdict = judgeGate([...external.keys()], partitionsOf, view, noPins, nowMs);
  switch (verdict.kind) {
    case "open":
      return { kind: "runs" };
    case "wait":
      return { kind: "waits", reasons: verdict.reasons };
    case "closed": {
      const roots = rootReasons(graph, verdict.reasons, view, nowMs, known);
      return { kind: "blocked", reasons: roots.kind === "roots" ? roots.reasons : verdict.reasons };
    }
    case "unknown":
      return { kind: "runs" };
  }
}
