import { longestPathRanks } from "./longest-path-ranks.ts";
import type { Edges } from "./neighbours.ts";
import { orderedRanks } from "./ordered-ranks.ts";
import { placedApart } from "./placed-apart.ts";
import { rankedItems, type RankedItems } from "./ranked-items.ts";

export interface LayeredOptions {
  /** Of each node. */
  readonly widths: ArrayLike<number>;
  readonly heights: ArrayLike<number>;
  readonly columnGap: number;
  readonly rowGap: number;
  /** A rank with more nodes than this stands in several columns; absent: in one. All nodes must be equally large then. */
  readonly rowsMax?: number;
}

/** Where the nodes stand: left upper corners in whole numbers from 0. */
export interface LayeredLayout {
  readonly x: Int32Array;
  readonly y: Int32Array;
  readonly width: number;
  readonly height: number;
  /**
   * For each node the ranks through which its long edges pass on a way that is kept free: where the rank begins and ends
   * and how far down the way is, three numbers a rank, in the order of the ranks.
   */
  readonly passages: ReadonlyMap<number, Int32Array>;
}

/** What a passage takes of the height. */
const passageHeight = 4;
const rounds = 6;
/** Passages are held straight, at the cost of nodes. */
const passageWeight = 6;

/** Ranks from left to right, in each an order with few crossings, heights near those of the neighbours. */
export function layeredLayout(nodes: number, edges: Edges, options: LayeredOptions): LayeredLayout {
  const items = rankedItems(longestPathRanks(nodes, edges), edges);
  const rows = orderedRanks(items).map((rank) => rowsOf(rank, items, options));
  const middles = middlesOf(rows, items, options);
  const heightOf = (item: number): number => (item < nodes ? options.heights[item]! : passageHeight);
  let top = Infinity;
  let bottom = -Infinity;
  for (let item = 0; item < middles.length; item++) {
    top = Math.min(top, middles[item]! - heightOf(item) / 2);
    bottom = Math.max(bottom, middles[item]! + heightOf(item) / 2);
  }
  if (nodes === 0) top = bottom = 0;
  const x = new Int32Array(nodes);
  const y = Int32Array.from({ length: nodes }, (_, node) => Math.round(middles[node]! - heightOf(node) / 2 - top));
  const begins = new Int32Array(rows.length);
  const ends = new Int32Array(rows.length);
  let left = 0;
  for (const [r, rank] of rows.entries()) {
    begins[r] = left;
    for (const column of columnsOf(rank)) {
      let width = 0;
      for (const item of column) {
        if (item >= nodes) continue;
        x[item] = left;
        width = Math.max(width, options.widths[item]!);
      }
      ends[r] = left + width;
      left += width + options.columnGap;
    }
  }
  const free = rows.map((rank) => rank.every((row) => row.length === 1));
  const passages = new Map<number, Int32Array>();
  for (let node = 0; node < nodes; node++) {
    const ways: number[] = [];
    for (let n = 0; n < items.passagesOf[node]!; n++) {
      const item = items.firstPassage[node]! + n;
      const r = items.rankOf[item]!;
      if (free[r]) ways.push(begins[r]!, ends[r]!, Math.round(middles[item]! - top));
    }
    if (ways.length > 0) passages.set(node, Int32Array.from(ways));
  }
  const width = Math.max(left - options.columnGap, 0);
  return { x, y, width, height: Math.ceil(bottom - top), passages };
}

/** What stands at one height of a rank: one item, or as many nodes as the rank has columns. */
type Row = readonly number[];

/** The rows of a rank from top to bottom. In a rank of several columns passages stand nowhere: edges lie under it. */
function rowsOf(rank: Int32Array, { nodes }: RankedItems, { rowsMax = Infinity }: LayeredOptions): Row[] {
  const inRank = [...rank];
  const real = inRank.filter((item) => item < nodes);
  const columns = Math.ceil(real.length / rowsMax);
  if (columns <= 1) return inRank.map((item) => [item]);
  const rows: Row[] = [];
  for (let i = 0; i < real.length; i += columns) rows.push(real.slice(i, i + columns));
  return rows;
}

function columnsOf(rows: readonly Row[]): number[][] {
  const columns: number[][] = [];
  for (const row of rows) for (const [c, item] of row.entries()) (columns[c] ??= []).push(item);
  return columns;
}

/** The height of the middle of each item. Alternately near what is before and what is after, at last near both. */
function middlesOf(rows: readonly Row[][], items: RankedItems, options: LayeredOptions): Float64Array {
  const { nodes, before, after } = items;
  const middles = new Float64Array(items.rankOf.length);
  const heightOf = (row: Row): number => (row[0]! < nodes ? options.heights[row[0]!]! : passageHeight);
  const weightOf = (row: Row): number => (row[0]! < nodes ? row.length : passageWeight);
  const shapes = rows.map((rank) => ({
    rank,
    apart: rank.map((row, i) => {
      const above = i === 0 ? undefined : rank[i - 1];
      if (above === undefined) return 0;
      const gap = row[0]! < nodes && above[0]! < nodes ? options.rowGap : options.rowGap / 2;
      return (heightOf(above) + heightOf(row)) / 2 + gap;
    }),
    weights: rank.map(weightOf),
  }));
  for (const { rank, apart, weights } of shapes) {
    const even = placedApart(new Float64Array(rank.length), weights, apart);
    for (const [i, row] of rank.entries()) for (const item of row) middles[item] = even[i]!;
  }
  const meanOf = (row: Row, lists: readonly RankedItems["before"][]): number => {
    let sum = 0;
    let seen = 0;
    for (const item of row) {
      for (const { start, list } of lists) {
        for (let i = start[item]!; i < start[item + 1]!; i++, seen++) sum += middles[list[i]!]!;
      }
    }
    return seen === 0 ? middles[row[0]!]! : sum / seen;
  };
  for (let round = 0; round < rounds; round++) {
    const last = round >= rounds - 2;
    const lists = last ? [before, after] : [round % 2 === 0 ? before : after];
    for (const { rank, apart, weights } of round % 2 === 0 ? shapes : shapes.toReversed()) {
      const wished = rank.map((row) => meanOf(row, lists));
      const placed = placedApart(wished, weights, apart);
      for (const [i, row] of rank.entries()) for (const item of row) middles[item] = placed[i]!;
    }
  }
  return middles;
}
