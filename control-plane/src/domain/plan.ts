import {
  type AssetKey,
  type RangeSet,
  parseAssetKey,
  parsePartitions,
  rangeSet,
  upstreamPartitions,
} from "@headgate/model";
import {
  type PlannedComputation,
  computeTogether,
  computationKey,
  entangledStep,
  expanded,
} from "./computed-together.ts";
import { type GateView, type Pins, judgeGate, neededOf } from "./gate.ts";
import { type AssetNode, type CheckNode, type Edge, type Graph, requiredChecks } from "./graph.ts";
import { type Reason, distinctReasons } from "./reason.ts";
import { type KnownRoots, rootReasons } from "./root-reasons.ts";
import { parseSelection, select } from "./selection.ts";

/** The most steps that a run may have. */
export const stepsMax = 50_000;

export interface PlanRequest {
  readonly selection: string;
  /** As `parsePartitions` reads them; absent: every partition there is. */
  readonly partitions?: string;
}

/** What a plan is made for: partitions of one asset. */
export interface PlanTarget {
  readonly node: AssetNode;
  readonly set: RangeSet;
}

/** An edge of a planned step with its mapped partitions, resolved once. */
export interface PlannedEdge {
  readonly edge: Edge;
  readonly set: RangeSet;
}

export type Forecast =
  | { readonly kind: "runs" }
  | { readonly kind: "waits"; readonly reasons: readonly Reason[] }
  | { readonly kind: "blocked"; readonly reasons: readonly Reason[] };

export interface PlannedStep {
  readonly index: number;
  readonly kind: "materialize" | "checks";
  readonly asset: AssetKey;
  readonly team: string;
  readonly location: string;
  /** '' where the asset is not partitioned. */
  readonly partition: string;
  /** Steps of this run that must have ended before it. */
  readonly after: readonly number[];
  readonly edges: readonly PlannedEdge[];
  /** Names of the checks that it runs: its own location's (materialize), or those of this step (checks). */
  readonly checks: readonly string[];
  /** The version to check; absent: the one that the step in `after` makes. */
  readonly versionId?: string;
  /** Absent: it is computed alone. */
  readonly computation?: PlannedComputation;
  /** Nobody asked for it: what was asked for cannot be computed without it. */
  readonly added?: true;
  readonly forecast: Forecast;
}

export interface Plan {
  readonly steps: readonly PlannedStep[];
  /** External assets of the selection: they are reported, and no step makes them. */
  readonly leftOut?: readonly AssetKey[];
}

export interface PlanRefusal {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export type PlanResult = { readonly ok: true; readonly plan: Plan } | PlanRefusal;

export type TargetsResult =
  | {
      readonly ok: true;
      readonly targets: readonly PlanTarget[];
      /** External assets of the selection. */
      readonly leftOut: readonly AssetKey[];
    }
  | PlanRefusal;

function refuse(code: string, message: string, hint: string): PlanRefusal {
  return { ok: false, code, message, hint };
}

function tooLarge(count: number): PlanRefusal {
  const hint = "Use a backfill, or select fewer partitions.";
  return refuse("run.too_large", `The run would have ${count} steps; ${stepsMax} is the most.`, hint);
}

/** Which partitions of which assets a request asks to make. External assets are left out, unless they are all of it. */
export function planTargets(graph: Graph, request: PlanRequest, nowMs: number): TargetsResult {
  const selected = selectNodes(graph, request);
  if (!Array.isArray(selected)) return selected;
  const made = selected.filter((node) => node.definition.external === undefined);
  const leftOut = selected.filter((node) => node.definition.external !== undefined).map((node) => node.key);
  const [external] = leftOut;
  if (made.length === 0 && external !== undefined) {
    const what = leftOut.length === 1 ? `${external} is external` : `Every asset of ${request.selection} is external`;
    const hint = `npx headgate asset report ${external} reports a version; its readers are selected with ${external}+.`;
    return refuse("asset.external", `${what}: reported, and not made by a run.`, hint);
  }
  const targets = partitionTargets(made, request, nowMs);
  return Array.isArray(targets) ? { ok: true, targets, leftOut } : targets;
}

/** The assets that a request selects, external ones among them. */
function selectNodes(graph: Graph, request: PlanRequest): AssetNode[] | PlanRefusal {
  const parsed = parseSelection(request.selection);
  if (!parsed.ok) return refuse("selection.invalid", parsed.message, parsed.hint);
  const { nodes, unknown } = select(graph, parsed.selection);
  const stranger = unknown[0];
  if (stranger !== undefined) {
    if (parseAssetKey(stranger.key) === undefined) return refuse("selection.empty", stranger.message, stranger.hint);
    const refused = graph.errors.find((error) => error.kind === "asset" && error.key === stranger.key);
    if (refused !== undefined) {
      return refuse("asset.refused", `${stranger.key} is defined but refused: ${refused.message}`, refused.hint);
    }
    const now = graph.renamed.get(stranger.key);
    if (now !== undefined) return refuse("asset.unknown", `${stranger.key} is called ${now} now.`, `Select ${now}.`);
    const near = stranger.suggestions.length > 0 ? `Did you mean ${stranger.suggestions.join(" or ")}?` : "";
    const hint = near || "`headgate asset list` prints the assets there are.";
    return refuse("asset.unknown", `No asset ${stranger.key} is defined in any code location.`, hint);
  }
  if (nodes.length === 0) {
    const hint = "`headgate asset list` prints the assets there are.";
    return refuse("selection.empty", `The selection ${request.selection} matches no asset.`, hint);
  }
  const retired = nodes.find((node) => node.retired);
  if (retired !== undefined) {
    const hint = `Define it in ${retired.location} again, or leave it out of the selection.`;
    return refuse("asset.retired", `${retired.key} is retired: ${retired.location} no longer defines it.`, hint);
  }
  return [...nodes];
}

function partitionTargets(
  nodes: readonly AssetNode[],
  request: PlanRequest,
  nowMs: number,
): PlanTarget[] | PlanRefusal {
  const text = request.partitions;
  if (text !== undefined && text !== "" && nodes.every((node) => node.space.definition === undefined)) {
    return refuse(
      "partitions.not_partitioned",
      `No asset of ${request.selection} is partitioned.`,
      "Leave partitions out.",
    );
  }
  const targets: PlanTarget[] = [];
  for (const node of nodes) {
    if (text === undefined || text === "" || node.space.definition === undefined) {
      targets.push({ node, set: rangeSet.range(0, node.space.count(nowMs)) });
      continue;
    }
    const partitions = parsePartitions(node.space, text, nowMs);
    if (!partitions.ok) return refuse("partitions.invalid", `${node.key}: ${partitions.message}`, partitions.hint);
    targets.push({ node, set: partitions.set });
  }
  return targets;
}

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
  const computations = new Map<string, number[]>();
  for (const { node, set, added } of [...expansion.targets].sort((a, b) => a.node.index - b.node.index)) {
    const ofNode = new Map<number, { step: PlannedStep; checks: PlannedStep[] }>();
    made.set(node, ofNode);
    for (const ordinal of rangeSet.ordinals(set)) {
      const planned = planStep(graph, node, ordinal, steps.length, made, view, nowMs);
      const step: PlannedStep = rangeSet.has(added, ordinal) ? { ...planned, added: true } : planned;
      steps.push(step);
      const computation = computationKey(node, step.partition);
      if (computation !== undefined)
        computations.set(computation, [...(computations.get(computation) ?? []), step.index]);
      const checks = foreignChecks(node, step, steps.length);
      steps.push(...checks);
      ofNode.set(ordinal, { step, checks });
    }
  }
  if (computations.size > 0) {
    for (const indexes of computations.values()) computeTogether(graph, steps, indexes);
    const entangled = entangledStep(steps);
    if (entangled !== undefined) {
      const message = `One call computes ${entangled.asset} together with what it comes after.`;
      const hint = `headgate location show ${entangled.location} says which definitions did not load.`;
      return refuse("asset.set_entangled", message, hint);
    }
  }
  return { ok: true, plan: { steps } };
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

/** The step that makes it, and those that check it elsewhere. */
function stepsPerPartition(node: AssetNode): number {
  return 1 + byLocation(node.checks.filter((check) => check.location !== node.location)).length;
}

/** Checks of other locations are steps of their own, one a location, after the step that makes the version. */
function foreignChecks(node: AssetNode, step: PlannedStep, firstIndex: number): PlannedStep[] {
  return byLocation(node.checks.filter((check) => check.location !== node.location)).map(([location, checks], n) =>
    checkStep(node, step.partition, location, checks, firstIndex + n, [step.index]),
  );
}

/** False for what is required and defined by nobody, and for what others report: it can be waived, never run. */
export function isRunnable(check: CheckNode): boolean {
  return check.location !== "" && check.definition.reportedBy === undefined;
}

/** Names of the checks that run with the asset, in its step: those of its own location. */
export function checksWithAsset(node: AssetNode): string[] {
  return node.checks.filter((check) => check.location === node.location && isRunnable(check)).map(({ name }) => name);
}

function byLocation(checks: readonly CheckNode[]): [string, CheckNode[]][] {
  const groups = new Map<string, CheckNode[]>();
  for (const check of checks) {
    if (!isRunnable(check)) continue;
    const group = groups.get(check.location);
    if (group === undefined) groups.set(check.location, [check]);
    else group.push(check);
  }
  return [...groups];
}

function checkStep(
  node: AssetNode,
  partition: string,
  location: string,
  checks: readonly CheckNode[],
  index: number,
  after: readonly number[],
  versionId?: string,
): PlannedStep {
  return {
    index,
    kind: "checks",
    asset: node.key,
    team: checks[0]?.team ?? node.team,
    location,
    partition,
    after,
    edges: [],
    checks: checks.map((check) => check.name),
    ...(versionId === undefined ? {} : { versionId }),
    forecast: { kind: "runs" },
  };
}

/** Steps that run these checks of an existing version, one a location; `index` is that of the first. */
export function planMissingChecks(
  node: AssetNode,
  partition: string,
  versionId: string,
  checks: readonly CheckNode[],
  index: number,
): PlannedStep[] {
  return byLocation(checks).map(([location, group], n) =>
    checkStep(node, partition, location, group, index + n, [], versionId),
  );
}

function notRunnable(node: AssetNode, checks: readonly CheckNode[]): PlanRefusal {
  const names = checks.map((check) => check.name).join(", ");
  const what = checks.length === 1 ? `The check ${names} of ${node.key}` : `Each check of ${node.key} (${names})`;
  const by = checks[0]?.definition.reportedBy;
  if (by === "compute") {
    const hint = `npx headgate materialize ${node.key} makes a version with a new result.`;
    return refuse("check.not_runnable", `${what} is reported by compute, and cannot be run by itself.`, hint);
  }
  if (by === "api") {
    const hint = `npx headgate check report ${node.key} ${checks[0]?.name ?? ""} reports a result for a version.`;
    return refuse("check.not_runnable", `${what} is reported by API, and cannot be run.`, hint);
  }
  const hint = `npx headgate asset show ${node.key} lists its checks.`;
  return refuse("check.not_runnable", `${what} is required, and defined by nobody.`, hint);
}

export interface ChecksRequest {
  readonly asset: string;
  /** Absent: every check of the asset. */
  readonly check?: string;
  readonly partitions?: string;
  /** Absent: the newest version of each partition. */
  readonly versionId?: string;
}

/** A run that only checks versions that exist. */
export function planChecks(graph: Graph, request: ChecksRequest, view: GateView, nowMs: number): PlanResult {
  const { partitions } = request;
  const selection = { selection: `"${request.asset}"`, ...(partitions === undefined ? {} : { partitions }) };
  const selected = selectNodes(graph, selection);
  if (!Array.isArray(selected)) return selected;
  const targets = partitionTargets(selected, selection, nowMs);
  if (!Array.isArray(targets)) return targets;
  const steps: PlannedStep[] = [];
  for (const { node, set } of targets) {
    const checks = node.checks.filter((check) => request.check === undefined || check.name === request.check);
    if (checks.length === 0) {
      const known = node.checks.map((check) => check.name).join(", ") || "none";
      return refuse("check.unknown", `${node.key} has no check ${request.check ?? ""}.`, `Its checks: ${known}.`);
    }
    if (!checks.some(isRunnable)) return notRunnable(node, checks);
    for (const ordinal of rangeSet.ordinals(set)) {
      const partition = node.space.keyAt(ordinal);
      const versions = view.versions(node.key, partition) ?? [];
      const version = request.versionId === undefined ? versions[0] : versions.find((v) => v.id === request.versionId);
      if (version !== undefined) steps.push(...planMissingChecks(node, partition, version.id, checks, steps.length));
    }
  }
  if (steps.length > stepsMax) return tooLarge(steps.length);
  if (steps.length === 0) {
    const external = targets.some(({ node }) => node.definition.external !== undefined);
    const hint = `npx headgate ${external ? "asset report" : "materialize"} ${request.asset} makes a version to check.`;
    return refuse("check.no_version", `${request.asset} has no version to check there.`, hint);
  }
  return { ok: true, plan: { steps } };
}
