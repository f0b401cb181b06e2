import type { AssetKey } from "@headgate/model";
import type { GraphError } from "./asset-graph.ts";
import { assetSite, refusedAt, type ClaimedAsset } from "./claimed-assets.ts";
import { cycle, refusedUpstream } from "./definition-problems.ts";
import type { DefinitionError } from "./definitions.ts";
import { cycleFrom, cyclesOf, type Adjacency, type Cycle } from "./graph-cycles.ts";
import type { LinkedEdges } from "./linked-edges.ts";

interface RefusalContext {
  /** The first error of each asset that is refused for what it says itself. */
  readonly own: ReadonlyMap<string, GraphError>;
  /** Why keys that nobody holds are not there. */
  readonly unclaimed: ReadonlyMap<string, GraphError>;
  readonly refuse: (error: GraphError) => void;
}

const cycleShownMax = 12;

/**
 * Refuses the members of cycles and whatever reads a refused asset, each with the first cause that its chain leads to.
 *
 * @returns the first cause of every refused asset
 */
export function refusalRoots(
  assets: readonly ClaimedAsset[],
  edges: LinkedEdges,
  readers: Adjacency,
  order: Int32Array,
  { own, unclaimed, refuse }: RefusalContext,
): ReadonlyMap<AssetKey, GraphError> {
  if (order.length === assets.length && own.size === 0 && edges.unclaimed.length === 0) return new Map();
  const roots: (GraphError | undefined)[] = assets.map(({ stored }) => own.get(stored.definition.key));
  const refuseAt = (number: number, problem: DefinitionError): void => {
    const error = errorOf(assets, number, problem);
    roots[number] ??= error;
    refuse(error);
  };
  const cycles = order.length === assets.length ? new Map<number, Cycle>() : cyclesOf(edges, order);
  for (const [number, through] of cycles) {
    const { nodes, left } = cycleFrom(through, cycleShownMax);
    refuseAt(
      number,
      cycle(
        siteOf(assets, number),
        nodes.map((node) => keyOf(assets, node)),
        left,
      ),
    );
  }
  for (const [number, upstream] of edges.unclaimed) {
    const root = unclaimed.get(upstream);
    if (root === undefined) continue;
    roots[number] ??= root;
    refuse(errorOf(assets, number, refusedUpstream(siteOf(assets, number), upstream, { key: root.key, error: root })));
  }
  spread(readers, roots);
  for (let reader = 0; reader < assets.length; reader++) {
    if (roots[reader] === undefined) continue;
    for (let e = edges.start[reader]!; e < edges.start[reader + 1]!; e++) {
      const upstream = edges.upstream[e]!;
      const root = roots[upstream];
      // The members of a cycle name each other already, and what reads itself is no news to itself.
      if (root === undefined || upstream === reader || (cycles.has(reader) && cycles.has(upstream))) continue;
      const problem = refusedUpstream(siteOf(assets, reader), keyOf(assets, upstream), { key: root.key, error: root });
      refuse(errorOf(assets, reader, problem));
    }
  }
  return new Map(roots.flatMap((root, number) => (root === undefined ? [] : [[keyOf(assets, number), root]])));
}

/** What reads a refused asset is refused, from the same root. */
function spread(readers: Adjacency, roots: (GraphError | undefined)[]): void {
  const queue: number[] = [];
  for (const [number, root] of roots.entries()) if (root !== undefined) queue.push(number);
  for (const number of queue) {
    for (let e = readers.start[number]!; e < readers.start[number + 1]!; e++) {
      const reader = readers.upstream[e]!;
      if (roots[reader] !== undefined) continue;
      roots[reader] = roots[number];
      queue.push(reader);
    }
  }
}

function keyOf(assets: readonly ClaimedAsset[], number: number): AssetKey {
  return assets[number]!.stored.definition.key;
}

function siteOf(assets: readonly ClaimedAsset[], number: number): ReturnType<typeof assetSite> {
  const { segment, stored } = assets[number]!;
  return assetSite(segment, stored);
}

function errorOf(assets: readonly ClaimedAsset[], number: number, problem: DefinitionError): GraphError {
  return refusedAt(assets[number]!.segment, keyOf(assets, number), problem);
}
