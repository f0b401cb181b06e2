import type { AssetNode } from "../graph.ts";
import { cronsOf } from "./condition.ts";
import { nextTickMs } from "./cron-ticks.ts";

/**
 * When a condition of these assets could next become another by time alone: a cron ticks, or a time window of the asset or
 * of what it reads ends. Infinite if never.
 */
export function nextInstantMs(nodes: readonly AssetNode[], nowMs: number): number {
  let nextMs = Infinity;
  for (const node of nodes) {
    const { automation } = node.definition;
    if (automation === undefined) continue;
    for (const cron of cronsOf(automation)) nextMs = Math.min(nextMs, nextTickMs(cron, nowMs));
    for (const { space } of [node, ...node.upstream.map((edge) => edge.upstream)]) {
      nextMs = Math.min(nextMs, space.windowAt(space.count(nowMs))?.endMs ?? Infinity);
    }
  }
  return nextMs;
}
