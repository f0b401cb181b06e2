import { rangeSet } from "@headgate/model";
import { type GateView, type Pins, judgeEdge, judgeGate, neededOf, pinKey } from "./gate.ts";
import type { AssetNode, Edge, Graph } from "./graph.ts";
import type { Reason } from "./reason.ts";
import { mappedPartitions, rootReasons } from "./root-reasons.ts";

/*
 * `when.onMissing()`: requests a partition that has no version, once its gate is open and nothing upstream that it reads
 * is on its way. On its way is what is requested, what a run is making, and what its own condition could still request;
 * so a reader of many partitions is computed once, from all that can be had, and what a closed gate holds back does not
 * keep it waiting.
 */

/** What the condition reads beside versions. */
export interface AutomationView extends GateView {
  /** A run that has not ended is to make this partition. */
  inProgress(node: AssetNode, partition: string): boolean;
  /** It was requested before with exactly these inputs. */
  requested(node: AssetNode, partition: string, fingerprint: string): boolean;
}

export interface AutomationRequest {
  readonly node: AssetNode;
  readonly ordinal: number;
  readonly partition: string;
  /** Identifies what it would read; a request is made once for each. */
  readonly fingerprint: string;
}

export interface HeldBack {
  readonly node: AssetNode;
  readonly partition: string;
  readonly reasons: readonly Reason[];
}

export interface OnMissingEvaluation {
  readonly requests: readonly AutomationRequest[];
  /** Missing, and a gate keeps it from being requested. */
  readonly held: readonly HeldBack[];
}

const noPins: Pins = new Map();

/** Evaluates every onMissing condition of the graph. `fingerprintOf` makes a short identity of a list of texts. */
export function evaluateOnMissing(
  graph: Graph,
  view: AutomationView,
  fingerprintOf: (parts: readonly string[]) => string,
  nowMs: number,
): OnMissingEvaluation {
  const requests: AutomationRequest[] = [];
  const held: HeldBack[] = [];
  /** Of what is held, so that a long chain is followed once and not once a partition. */
  const rootsOf = new Map<string, readonly Reason[]>();
  /** Partitions that are on their way, by asset; conditions are evaluated upstream first. */
  const coming = new Map<AssetNode, Set<string>>();
  const isComing = (node: AssetNode, partition: string): boolean =>
    coming.get(node)?.has(partition) === true || view.inProgress(node, partition);
  for (const node of graph.order) {
    if (node.definition.automation === undefined || node.retired) continue;
    const onTheirWay = new Set<string>();
    coming.set(node, onTheirWay);
    for (const ordinal of rangeSet.ordinals(rangeSet.range(0, node.space.count(nowMs)))) {
      const partition = node.space.keyAt(ordinal);
      if ((view.versions(node.key, partition) ?? []).length > 0 || view.inProgress(node, partition)) continue;
      const partitionsOf = cached((edge: Edge) => mappedPartitions(edge, ordinal, nowMs));
      if (node.upstream.some((edge) => partitionsOf(edge).some((key) => isComing(edge.upstream, key)))) {
        if (canStillOpen(node, partitionsOf, view, isComing, nowMs)) onTheirWay.add(partition);
        continue;
      }
      const verdict = judgeGate(node.upstream, partitionsOf, view, noPins, nowMs);
      if (verdict.kind === "open") {
        const read = verdict.edges.flatMap((edge) => edge.versions.map((pinned) => pinned.version.id));
        const fingerprint = fingerprintOf([node.hash, ...read]);
        if (view.requested(node, partition, fingerprint)) continue;
        requests.push({ node, ordinal, partition, fingerprint });
        onTheirWay.add(partition);
      } else if (verdict.kind !== "unknown") {
        const roots = rootReasons(graph, verdict.reasons, view, nowMs, (asset, key) => rootsOf.get(pinKey(asset, key)));
        const reasons = roots.kind === "roots" ? roots.reasons : verdict.reasons;
        rootsOf.set(pinKey(node.key, partition), reasons);
        held.push({ node, partition, reasons });
      }
    }
  }
  return { requests, held };
}

/** True if every edge would be satisfied once what is on its way had arrived. */
function canStillOpen(
  node: AssetNode,
  partitionsOf: (edge: Edge) => readonly string[],
  view: GateView,
  isComing: (node: AssetNode, partition: string) => boolean,
  nowMs: number,
): boolean {
  return node.upstream.every((edge) => {
    const partitions = partitionsOf(edge);
    const needed = neededOf(edge, partitions.length);
    const usable = partitions.filter(
      (key) =>
        isComing(edge.upstream, key) || judgeEdge({ ...edge, atLeast: 0 }, [key], view, noPins, nowMs).kind === "open",
    );
    return usable.length >= needed;
  });
}

function cached(compute: (edge: Edge) => readonly string[]): (edge: Edge) => readonly string[] {
  const known = new Map<Edge, readonly string[]>();
  return (edge) => {
    let partitions = known.get(edge);
    if (partitions === undefined) known.set(edge, (partitions = compute(edge)));
    return partitions;
  };
}
