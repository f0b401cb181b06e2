import { rangeSet } from "@headgate/model";
import type { AssetNode, Graph } from "../graph.ts";
import type { Reason } from "../reason.ts";
import { type KnownRoots, judgePartition, rootReasons } from "../root-reasons.ts";
import type { ConditionFacts } from "./condition-facts.ts";
import type { AssetEvaluation } from "./evaluate-conditions.ts";

/** A partition that a condition wants, and what keeps it from being requested, to the root. */
export interface HeldBack {
  readonly node: AssetNode;
  readonly partition: string;
  readonly reasons: readonly Reason[];
}

/**
 * Why partitions of one asset are held back: at most `max` of them, the newest.
 *
 * @param known what was found of assets upstream, so that a long chain is followed once and not once a partition
 */
export function heldBack(
  graph: Graph,
  facts: ConditionFacts,
  { node, held }: Pick<AssetEvaluation, "node" | "held">,
  max: number,
  known: KnownRoots,
): readonly HeldBack[] {
  const found: HeldBack[] = [];
  const own = new Map<string, readonly Reason[]>();
  const rootsOf: KnownRoots = (asset, partition) => (asset === node.key ? own.get(partition) : known(asset, partition));
  for (const ordinal of rangeSet.ordinals(newest(held, max))) {
    const verdict = judgePartition(node, ordinal, facts, facts.nowMs);
    if (verdict.kind === "open" || verdict.kind === "unknown") continue;
    const partition = node.space.keyAt(ordinal);
    const roots = rootReasons(graph, verdict.reasons, facts, facts.nowMs, rootsOf);
    const reasons = roots.kind === "roots" ? roots.reasons : verdict.reasons;
    own.set(partition, reasons);
    found.push({ node, partition, reasons });
  }
  return found;
}

/** The last `max` of a set. */
function newest(set: readonly (readonly [number, number])[], max: number): readonly (readonly [number, number])[] {
  const kept: (readonly [number, number])[] = [];
  let left = max;
  for (const [start, end] of [...set].reverse()) {
    if (left === 0) break;
    const from = Math.max(start, end - left);
    kept.unshift([from, end]);
    left -= end - from;
  }
  return kept;
}
