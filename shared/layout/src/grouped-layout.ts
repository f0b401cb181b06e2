import { type Box, boxPlaces } from "./box-places.ts";
import { canonicalGraph, tile, type GraphLayout, type GraphToLayOut } from "./graph-layout.ts";
import { layeredLayout } from "./layered-layout.ts";
import type { Edges } from "./neighbours.ts";

/** A box around the nodes of one group. */
export interface GroupBox extends Box {
  readonly group: string;
  readonly x: number;
  readonly y: number;
}

/** All edges from one group to another. */
export interface GroupEdge {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** It leads against the direction in which the boxes stand: groups may read each other in a circle. */
  readonly back: boolean;
}

export interface GroupedLayout extends GraphLayout {
  /** By name. */
  readonly boxes: readonly GroupBox[];
  /** By name of both ends. */
  readonly groupEdges: readonly GroupEdge[];
}

/** What lies between a box and its nodes; above them is the box's title. */
export const boxPadding = { side: 24, top: 64, bottom: 24 } as const;
/** Between what has edges inside of its group, and what has none. */
const looseGap = 40;

/**
 * All nodes in boxes, one a group, and the boxes from left to right along the edges between them. A graph without a
 * cycle may have groups that read each other in a circle: some edges between them then lead back.
 *
 * @param groups the group of each node
 */
export function groupedLayout(graph: GraphToLayOut, groups: readonly string[]): GroupedLayout {
  const count = graph.keys.length;
  const { given, edges } = canonicalGraph(graph);
  const names = [...new Set(groups)].sort();
  const numberOf = new Map(names.map((name, i) => [name, i]));
  const groupOf = Int32Array.from(given, (node) => numberOf.get(groups[node]!)!);
  const members: number[][] = names.map(() => []);
  for (let node = 0; node < count; node++) members[groupOf[node]!]!.push(node);
  const split = splitEdges(edges, groupOf, names.length);

  const contents = members.map((nodes, g) => insideOf(nodes, split.inside[g]!, count));
  const sizes = contents.map(({ width, height }) => ({
    width: width + 2 * boxPadding.side,
    height: height + boxPadding.top + boxPadding.bottom,
  }));
  const placed = boxPlaces(sizes, split.between);

  const x = new Int32Array(count);
  const y = new Int32Array(count);
  const passages = new Map<number, Int32Array>();
  for (const [g, content] of contents.entries()) {
    const left = placed.x[g]! + boxPadding.side;
    const top = placed.y[g]! + boxPadding.top;
    for (const [i, node] of members[g]!.entries()) {
      x[given[node]!] = left + content.x[i]!;
      y[given[node]!] = top + content.y[i]!;
    }
    for (const [i, ways] of content.passages) {
      const moved = ways.map((way, n) => way + (n % 3 === 2 ? top : left));
      passages.set(given[members[g]![i]!]!, moved);
    }
  }
  return {
    width: placed.width,
    height: placed.height,
    x,
    y,
    passages,
    boxes: names.map((group, g) => ({ group, x: placed.x[g]!, y: placed.y[g]!, ...sizes[g]! })),
    groupEdges: split.between.map(({ from, to, weight }, e) => ({
      from: names[from]!,
      to: names[to]!,
      count: weight,
      back: placed.back[e] === 1,
    })),
  };
}

/** The edges inside of each group, and those between groups as one edge a pair. */
function splitEdges({ from, to }: Edges, groupOf: Int32Array, groups: number) {
  const inside: { from: number[]; to: number[] }[] = Array.from({ length: groups }, () => ({ from: [], to: [] }));
  const weights = new Map<number, number>();
  for (let e = 0; e < from.length; e++) {
    const a = groupOf[from[e]!]!;
    const b = groupOf[to[e]!]!;
    if (a === b) {
      inside[a]!.from.push(from[e]!);
      inside[a]!.to.push(to[e]!);
    } else weights.set(a * groups + b, (weights.get(a * groups + b) ?? 0) + 1);
  }
  const between = [...weights]
    .sort(([a], [b]) => a - b)
    .map(([code, weight]) => ({ from: Math.floor(code / groups), to: code % groups, weight }));
  return { inside, between };
}

/**
 * The nodes of one group, numbered as in `nodes`: those with edges in ranks, the others below in rows.
 *
 * @param edges in the numbers of the whole graph, of `count` nodes
 */
function insideOf(nodes: readonly number[], edges: { from: readonly number[]; to: readonly number[] }, count: number) {
  const linked = new Uint8Array(count);
  for (const node of edges.from) linked[node] = 1;
  for (const node of edges.to) linked[node] = 1;
  const ranked: number[] = [];
  const loose: number[] = [];
  const numberOf = new Int32Array(count);
  for (const [i, node] of nodes.entries()) {
    if (linked[node] === 1) {
      numberOf[node] = ranked.length;
      ranked.push(i);
    } else loose.push(i);
  }
  const laid = layeredLayout(
    ranked.length,
    { from: Int32Array.from(edges.from, (n) => numberOf[n]!), to: Int32Array.from(edges.to, (n) => numberOf[n]!) },
    {
      widths: new Int32Array(ranked.length).fill(tile.width),
      heights: new Int32Array(ranked.length).fill(tile.height),
      columnGap: tile.columnGap,
      rowGap: tile.rowGap,
      rowsMax: rowsMaxOf(ranked.length),
    },
  );
  const x = new Int32Array(nodes.length);
  const y = new Int32Array(nodes.length);
  for (const [n, i] of ranked.entries()) {
    x[i] = laid.x[n]!;
    y[i] = laid.y[n]!;
  }
  const column = tile.width + tile.rowGap;
  const row = tile.height + tile.rowGap;
  const across = Math.max(Math.floor((laid.width + tile.rowGap) / column), Math.ceil(Math.sqrt(loose.length / 3)), 1);
  const top = ranked.length === 0 ? 0 : laid.height + looseGap;
  for (const [n, i] of loose.entries()) {
    x[i] = (n % across) * column;
    y[i] = top + Math.floor(n / across) * row;
  }
  const looseWidth = Math.max(Math.min(across, loose.length) * column - tile.rowGap, 0);
  const looseHeight = Math.max(Math.ceil(loose.length / across) * row - tile.rowGap, 0);
  return {
    x,
    y,
    width: Math.max(laid.width, looseWidth),
    height: loose.length === 0 ? laid.height : top + looseHeight,
    passages: new Map([...laid.passages].map(([n, ways]) => [ranked[n]!, ways])),
  };
}

/** A box becomes about as high as it is wide. */
function rowsMaxOf(nodes: number): number {
  return Math.max(Math.ceil(Math.sqrt(3.2 * nodes)), 8);
}
