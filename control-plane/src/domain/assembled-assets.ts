import type { AssetKey } from "@headgate/model";
import type { AssetNode, CheckNode, Edge, GraphError } from "./asset-graph.ts";
import type { ClaimedAsset } from "./claimed-assets.ts";
import { resolvedAtLeast } from "./edge-mapping.ts";
import type { LinkedEdges } from "./linked-edges.ts";

/** A node whose checks are still to come. */
export interface GrowingNode extends AssetNode {
  checks: CheckNode[];
}

interface UnlinkedNode extends GrowingNode {
  readonly upstream: Edge[];
  readonly downstream: Edge[];
}

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
  const readersOf = new Int32Array(assets.length);
  const kept = new Uint8Array(assets.length);
  // Readers first: whether a retired asset is read is known once all its readers are.
  for (let place = order.length - 1; place >= 0; place--) {
    const number = order[place]!;
    const { retired, stored } = assets[number]!;
    if (refused.has(stored.definition.key) || (retired && readersOf[number] === 0)) continue;
    kept[number] = 1;
    for (let e = edges.start[number]!; e < edges.start[number + 1]!; e++) readersOf[edges.upstream[e]!]!++;
  }
  const nodes: GrowingNode[] = [];
  const byNumber = new Array<UnlinkedNode>(assets.length);
  const linked = new Int32Array(assets.length);
  for (const number of order) {
    if (kept[number] === 0) continue;
    const first = edges.start[number]!;
    const count = edges.start[number + 1]! - first;
    const node = assetNode(assets[number]!, nodes.length, count, readersOf[number]!);
    nodes.push(node);
    byNumber[number] = node;
    for (let i = 0; i < count; i++) {
      const upstreamNumber = edges.upstream[first + i]!;
      const upstream = byNumber[upstreamNumber]!;
      const dependency = edges.dependencies[first + i]!;
      const { mapping, single } = edges.mappings[first + i]!;
      const atLeast = resolvedAtLeast(dependency, single);
      const edge: Edge = { dependency, upstream, downstream: node, mapping, atLeast, single };
      node.upstream[i] = edge;
      upstream.downstream[linked[upstreamNumber]!++] = edge;
    }
  }
  return nodes;
}

/** The lists are made in their final lengths: there are many, and mostly short. */
function assetNode(
  { stored, segment, retired, space }: ClaimedAsset,
  index: number,
  upstreamCount: number,
  downstreamCount: number,
): UnlinkedNode {
  const { definition, hash, error } = stored;
  return {
    index,
    key: definition.key,
    team: segment.team,
    location: segment.location,
    definition,
    hash,
    space: space!,
    upstream: new Array<Edge>(upstreamCount),
    downstream: new Array<Edge>(downstreamCount),
    checks: [],
    retired,
    ...(error && { error }),
  };
}
