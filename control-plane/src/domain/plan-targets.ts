import { type AssetKey, type RangeSet, parseAssetKey, parsePartitions, rangeSet } from "@headgate/model";
import type { AssetNode, Graph } from "./graph.ts";
import { type PlanRefusal, refuse } from "./planned-step.ts";
import { parseSelection, select } from "./selection.ts";

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

export type TargetsResult =
  | {
      readonly ok: true;
      readonly targets: readonly PlanTarget[];
      /** External assets of the selection. */
      readonly leftOut: readonly AssetKey[];
    }
  | PlanRefusal;

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
export function selectNodes(graph: Graph, request: PlanRequest): AssetNode[] | PlanRefusal {
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

export function partitionTargets(
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
