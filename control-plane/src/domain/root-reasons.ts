import { type AssetKey, rangeSet, upstreamPartitions } from "@headgate/model";
import { type GateView, type Pins, judgeGate } from "./gate.ts";
import type { AssetNode, Edge, Graph } from "./graph.ts";
import { type Reason, reasonIdentity } from "./reason.ts";

const noPins: Pins = new Map();

/** The upstream partition keys that one partition of an asset reads through an edge. */
export function mappedPartitions(edge: Edge, ordinal: number, nowMs: number): string[] {
  const { mapping, upstream, downstream } = edge;
  const set = upstreamPartitions(mapping, upstream.space, downstream.space, rangeSet.of(ordinal), nowMs);
  return [...rangeSet.ordinals(set)].map((n) => upstream.space.keyAt(n));
}

export type Roots =
  | { readonly kind: "roots"; readonly reasons: readonly Reason[] }
  /** These assets must be known first. */
  | { readonly kind: "unknown"; readonly assets: readonly AssetKey[] };

/** What keeps a partition from being materialized, where it was found out before. */
export type KnownRoots = (asset: AssetKey, partition: string) => readonly Reason[] | undefined;

/** Of roots that are taken over from another partition: a long chain hands on no more. */
const handedOnMax = 100;

/**
 * Follows every "never materialized" to what keeps that partition from being materialized: the check that shut, the
 * version that is pending. What nothing shuts stays as it is.
 *
 * @param known roots of partitions that need not be followed again
 */
export function rootReasons(
  graph: Graph,
  reasons: readonly Reason[],
  view: GateView,
  nowMs: number,
  known: KnownRoots = () => undefined,
): Roots {
  const seen = new Set<string>();
  const roots = new Map<string, Reason>();
  const unknown = new Set<AssetKey>();
  const queue: Reason[] = [...reasons];
  for (let reason = queue.shift(); reason !== undefined; reason = queue.shift()) {
    const id = reasonIdentity(reason);
    if (seen.has(id)) continue;
    seen.add(id);
    const found = reason.kind === "neverMaterialized" ? known(reason.asset, reason.partition) : undefined;
    if (found !== undefined) {
      for (const root of found.slice(0, Math.max(handedOnMax - roots.size, 0))) roots.set(reasonIdentity(root), root);
      continue;
    }
    const deeper = reason.kind === "neverMaterialized" ? closedBy(graph, reason, view, nowMs) : [];
    if (!Array.isArray(deeper)) for (const asset of deeper.unknown) unknown.add(asset);
    else if (deeper.length === 0) roots.set(id, reason);
    else queue.push(...deeper);
  }
  if (unknown.size > 0) return { kind: "unknown", assets: [...unknown] };
  return { kind: "roots", reasons: [...roots.values()] };
}

function closedBy(
  graph: Graph,
  missing: { asset: AssetKey; partition: string },
  view: GateView,
  nowMs: number,
): Reason[] | { unknown: readonly AssetKey[] } {
  const node = graph.asset(missing.asset);
  const ordinal = node?.space.ordinalOf(missing.partition);
  if (node === undefined || ordinal === undefined) return [];
  const verdict = judgePartition(node, ordinal, view, nowMs);
  switch (verdict.kind) {
    case "open":
      return [];
    case "wait":
    case "closed":
      return [...verdict.reasons];
    case "unknown":
      return { unknown: verdict.assets };
  }
}

/** The gate in front of one partition of an asset, as it stands now. */
export function judgePartition(node: AssetNode, ordinal: number, view: GateView, nowMs: number) {
  return judgeGate(node.upstream, (edge) => mappedPartitions(edge, ordinal, nowMs), view, noPins, nowMs);
}

/** Why this partition could not be materialized now, to the root; empty when its gate is open. */
export function why(
  graph: Graph,
  node: AssetNode,
  partition: string,
  view: GateView,
  nowMs: number,
): readonly Reason[] {
  const ordinal = node.space.ordinalOf(partition);
  if (ordinal === undefined) return [];
  const verdict = judgePartition(node, ordinal, view, nowMs);
  if (verdict.kind !== "closed" && verdict.kind !== "wait") return [];
  const roots = rootReasons(graph, verdict.reasons, view, nowMs);
  return roots.kind === "roots" ? roots.reasons : verdict.reasons;
}

/** Every asset upstream of these, themselves included. */
export function ancestors(nodes: Iterable<AssetNode>): AssetNode[] {
  const found = new Set<AssetNode>(nodes);
  for (const node of found) for (const edge of node.upstream) found.add(edge.upstream);
  return [...found];
}
