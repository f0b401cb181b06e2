import { type RangeSet, downstreamPartitions, rangeSet, upstreamPartitions } from "@headgate/model";
import { type VersionView, judge, neededOf } from "./gate.ts";
import { type AssetNode, type CheckNode, type Edge, type Graph, requiredChecks } from "./graph.ts";
import type { Reason } from "./reason.ts";

/*
 * Gates that are shut now, and what waits behind them. A gate is one check of one asset. What it holds back is followed
 * along edges and mapped partitions, in the way in which a plan of everything downstream would forecast it: all but
 * `lastValidated` readers, which go on with what was open before.
 */

/** A check that holds back the newest versions of some partitions. */
export interface ClosedGate {
  readonly node: AssetNode;
  readonly check: CheckNode;
  /** `notRun`: it has no result, and none is on its way. */
  readonly state: "failed" | "errored" | "notRun";
  readonly partitions: RangeSet;
  /** When the oldest of these versions was made. */
  readonly sinceMs: number;
  /** Of the first partition. */
  readonly reason: Reason;
}

/** What the blocking checks of one asset say of its newest versions. */
export interface AssetGates {
  readonly closed: readonly ClosedGate[];
  /** A check of a newest version has yet to say something. */
  readonly evaluating: boolean;
}

const stateOf = { checkFailed: "failed", checkErrored: "errored", checkNotRun: "notRun" } as const;

interface GrowingGate {
  readonly ordinals: number[];
  first: number;
  sinceMs: number;
  reason: Reason & { readonly kind: keyof typeof stateOf };
}

/** @param newest of each partition, by ordinal, its newest version that is not discarded */
export function assetGates(
  node: AssetNode,
  newest: Iterable<readonly [number, VersionView]>,
  nowMs: number,
): AssetGates {
  const gating = gatingChecks(node);
  if (gating.length === 0) return { closed: [], evaluating: false };
  const found = new Map<CheckNode, GrowingGate>();
  let evaluating = false;
  for (const [ordinal, version] of newest) {
    for (const reason of judge(node.key, version, gating, nowMs).reasons) {
      if (!("check" in reason)) continue;
      if (reason.kind === "pending") {
        evaluating = true;
        continue;
      }
      const check = gating.find(({ team, name }) => team === reason.team && name === reason.check);
      if (check === undefined) continue;
      const gate = found.get(check) ?? { ordinals: [], first: Infinity, sinceMs: Infinity, reason };
      found.set(check, gate);
      if (ordinal < gate.first) Object.assign(gate, { first: ordinal, reason });
      gate.ordinals.push(ordinal);
      gate.sinceMs = Math.min(gate.sinceMs, version.createdAtMs);
    }
  }
  const closed = [...found].map(([check, { ordinals, sinceMs, reason }]) => ({
    node,
    check,
    state: stateOf[reason.kind],
    partitions: rangeSet.from(ordinals),
    sinceMs,
    reason,
  }));
  return { closed, evaluating };
}

/** The checks of an asset that are required by its own team or by a team that reads it. */
function gatingChecks(node: AssetNode): readonly CheckNode[] {
  if (node.checks.length === 0) return node.checks;
  const teams = new Set([node.team, ...node.downstream.map((edge) => edge.downstream.team)]);
  const gating = new Set([...teams].flatMap((team) => requiredChecks(node, team)));
  return node.checks.filter((check) => gating.has(check));
}

/** The partitions of assets that a run could not make now because a gate upstream is shut, by asset. */
export type Blocked = ReadonlyMap<AssetNode, RangeSet>;

/** Edges that a gate shuts, and all that waits behind it, further gates on the way or not. */
export interface BlastRadius {
  readonly edges: readonly Edge[];
  readonly blocked: Blocked;
}

/** All that waits behind any of these gates. */
export function blockedBehind(graph: Graph, gates: readonly ClosedGate[], nowMs: number): Blocked {
  return follow(graph, gates, nowMs, undefined).blocked;
}

/**
 * What waits behind the gates of one asset, of what waits at all: where a reader needs some partitions of many, whatever else is shut
 * counts as well.
 *
 * @param all what waits behind all gates
 */
export function blastRadius(graph: Graph, gates: readonly ClosedGate[], all: Blocked, nowMs: number): BlastRadius {
  return follow(graph, gates, nowMs, all);
}

function follow(graph: Graph, gates: readonly ClosedGate[], nowMs: number, within: Blocked | undefined): BlastRadius {
  const gatesOf = new Map<AssetNode, ClosedGate[]>();
  for (const gate of gates) gatesOf.set(gate.node, [...(gatesOf.get(gate.node) ?? []), gate]);
  const blocked = new Map<AssetNode, RangeSet>();
  const edges: Edge[] = [];
  for (const node of reachedFrom(graph, gates)) {
    let held = rangeSet.empty;
    for (const edge of node.upstream) {
      if (!holdsBack(edge) || edge.upstream === node) continue;
      const shut = shutBy(gatesOf.get(edge.upstream) ?? [], node);
      if (!rangeSet.isEmpty(shut)) edges.push(edge);
      held = rangeSet.union(
        held,
        heldBack(edge, rangeSet.union(shut, blocked.get(edge.upstream) ?? rangeSet.empty), within, nowMs),
      );
    }
    held = alongItself(node, held, shutBy(gatesOf.get(node) ?? [], node), nowMs);
    if (!rangeSet.isEmpty(held)) blocked.set(node, held);
  }
  return { edges, blocked };
}

function holdsBack({ dependency }: Edge): boolean {
  return dependency.mode !== "lastValidated";
}

/** Assets with a gate and all downstream of them, upstream first. */
function reachedFrom(graph: Graph, gates: readonly ClosedGate[]): AssetNode[] {
  const reached = new Set(gates.map(({ node }) => node));
  for (const node of reached) {
    for (const edge of node.downstream) if (holdsBack(edge)) reached.add(edge.downstream);
  }
  return [...reached].sort((a, b) => a.index - b.index);
}

/** The partitions that these gates of one asset shut for a reader. */
function shutBy(gates: readonly ClosedGate[], reader: AssetNode): RangeSet {
  let shut = rangeSet.empty;
  for (const { node, check, partitions } of gates) {
    if (requiredChecks(node, reader.team).includes(check)) shut = rangeSet.union(shut, partitions);
  }
  return shut;
}

/** The partitions of the reader that an edge holds back while these upstream partitions cannot be read. */
function heldBack(edge: Edge, shut: RangeSet, within: Blocked | undefined, nowMs: number): RangeSet {
  const { mapping, upstream, downstream } = edge;
  const touched = downstreamPartitions(mapping, upstream.space, downstream.space, shut, nowMs);
  if (rangeSet.isEmpty(touched) || edge.atLeast === 0) return touched;
  // One gate of several: which partitions have too few left is known.
  if (within !== undefined) return rangeSet.intersection(touched, within.get(downstream) ?? rangeSet.empty);
  const held: number[] = [];
  for (const ordinal of rangeSet.ordinals(touched)) {
    const mapped = upstreamPartitions(mapping, upstream.space, downstream.space, rangeSet.of(ordinal), nowMs);
    const left = rangeSet.size(rangeSet.difference(mapped, shut));
    if (left < neededOf(edge, rangeSet.size(mapped))) held.push(ordinal);
  }
  return rangeSet.from(held);
}

/** An asset that reads its own earlier partitions is held back from the first one on. */
function alongItself(node: AssetNode, held: RangeSet, shut: RangeSet, nowMs: number): RangeSet {
  const own = node.upstream.filter((edge) => edge.upstream === node && holdsBack(edge));
  let all = held;
  let newly = own.length === 0 ? rangeSet.empty : rangeSet.union(held, shut);
  while (!rangeSet.isEmpty(newly)) {
    const from = newly;
    const next = own.map((edge) => heldBack(edge, from, undefined, nowMs));
    newly = rangeSet.difference(
      next.reduce((a, b) => rangeSet.union(a, b), rangeSet.empty),
      all,
    );
    all = rangeSet.union(all, newly);
  }
  return all;
}
