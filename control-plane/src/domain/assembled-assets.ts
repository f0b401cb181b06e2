import type { AssetKey } from "@headgate/model";
import type { AssetNode, CheckNode, Edge, GraphError } from "./asset-graph.ts";
import type { ClaimedAsset } from "./claimed-assets.ts";
import { resolvedAtLeast } from "./edge-mapping.ts";
import type { LinkedEdges } from "./linked-edges.ts";

/** A node whose lists are still being filled. */
export interface GrowingNode extends AssetNode {
  upstream: Edge[];
  downstream: Edge[];
  checks: readonly CheckNode[];
}

const noChecks: readonly CheckNode[] = Object.freeze([]);

/**
 * The nodes of what is not refused, upstream first, joined by their edges. A retired asset that nobody reads is left
 * out: there is nothing for it to serve.
 *
 * @param order of the numbers of `assets`, upstream first; refused ones may be missing from it
 */
export function assembledAssets(
  assets: readonly ClaimedAsset[],
  edges: LinkedEdges,
  order: Int32Array,
  refused: ReadonlyMap<AssetKey, GraphError>,
): GrowingNode[] {
  const read = new Uint8Array(assets.length);
  const kept = new Uint8Array(assets.length);
  // Readers first: whether a retired asset is read is known once all its readers are.
  for (let place = order.length - 1; place >= 0; place--) {
    const number = order[place]!;
    const { retired, stored } = assets[number]!;
    if (refused.has(stored.definition.key) || (retired && read[number] === 0)) continue;
    kept[number] = 1;
    for (let e = edges.start[number]!; e < edges.start[number + 1]!; e++) read[edges.upstream[e]!] = 1;
  }
  const nodes: GrowingNode[] = [];
  const byNumber = new Array<GrowingNode | undefined>(assets.length);
  for (const number of order) {
    if (kept[number] === 0) continue;
    const node = assetNode(assets[number]!, nodes.length);
    nodes.push(node);
    byNumber[number] = node;
    for (let e = edges.start[number]!; e < edges.start[number + 1]!; e++) {
      const upstream = byNumber[edges.upstream[e]!]!;
      const dependency = edges.dependencies[e]!;
      const { mapping, single } = edges.mappings[e]!;
      const atLeast = resolvedAtLeast(dependency, single);
      const edge: Edge = { dependency, upstream, downstream: node, mapping, atLeast, single };
      node.upstream.push(edge);
      upstream.downstream.push(edge);
    }
  }
  return nodes;
}

function assetNode({ stored, segment, retired, space }: ClaimedAsset, index: number): GrowingNode {
  const { definition, hash, error } = stored;
  return {
    index,
    key: definition.key,
    team: segment.team,
    location: segment.location,
    definition,
    hash,
    space: space!,
    upstream: [],
    downstream: [],
    checks: noChecks,
    retired,
    ...(error && { error }),
  };
}
