import { edgesOf, type GraphModel } from "./graph-model.ts";
import type { GraphState } from "./graph-state.ts";

/** The assets around one: so many edges up and so many down, itself included, in ascending order. */
export function neighbourhood(model: GraphModel, centre: number, up: number, down: number): number[] {
  const found = new Set([centre]);
  const walk = (rounds: number, next: (asset: number) => Iterable<number>) => {
    let frontier = [centre];
    const seen = new Set(frontier);
    for (let round = 0; round < rounds && frontier.length > 0; round++) {
      frontier = frontier.flatMap((asset) => [...next(asset)]).filter((asset) => !seen.has(asset) && seen.add(asset));
      for (const asset of frontier) found.add(asset);
    }
  };
  walk(up, (asset) => upstreamOf(model, asset));
  walk(down, (asset) => downstreamOf(model, asset));
  return [...found].sort((a, b) => a - b);
}

export function* upstreamOf(model: GraphModel, asset: number): Generator<number> {
  for (const edge of edgesOf(model.into, asset)) yield model.from[edge]!;
}

export function* downstreamOf(model: GraphModel, asset: number): Generator<number> {
  for (const edge of edgesOf(model.outOf, asset)) yield model.to[edge]!;
}

/** The way from an asset that waits up to a gate that is closed. */
export interface WayToGate {
  /** From the asset to the one whose gate is closed. */
  readonly assets: readonly number[];
  /** An edge between each two of them. */
  readonly edges: readonly number[];
}

/** For each gate that holds the asset back the shortest way to it, nearest first. */
export function waysToGates(model: GraphModel, state: GraphState, asset: number): WayToGate[] {
  if (state.shaded[asset] !== 1) return [];
  const cameBy = new Map<number, number>([[asset, -1]]);
  const ways: WayToGate[] = [];
  for (const at of cameBy.keys()) {
    for (const edge of edgesOf(model.into, at)) {
      const above = model.from[edge]!;
      if (model.mode[edge] !== 0 || cameBy.has(above)) continue;
      if (state.shutEdge[edge] === 1) {
        ways.push(wayBack(model, cameBy, at, edge));
        cameBy.set(above, edge);
      } else if (state.shaded[above] === 1) cameBy.set(above, edge);
    }
  }
  return ways;
}

function wayBack(model: GraphModel, cameBy: ReadonlyMap<number, number>, from: number, shut: number): WayToGate {
  const assets = [model.from[shut]!, from];
  const edges = [shut];
  for (let edge = cameBy.get(from) ?? -1; edge !== -1; edge = cameBy.get(model.to[edge]!) ?? -1) {
    edges.push(edge);
    assets.push(model.to[edge]!);
  }
  return { assets: assets.reverse(), edges: edges.reverse() };
}
