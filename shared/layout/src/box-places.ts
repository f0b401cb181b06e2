import { backEdges } from "./back-edges.ts";
import { layeredLayout } from "./layered-layout.ts";
import { longestPathRanks } from "./longest-path-ranks.ts";

export interface Box {
  readonly width: number;
  readonly height: number;
}

export interface BoxEdge {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

export interface BoxPlaces {
  readonly x: Int32Array;
  readonly y: Int32Array;
  readonly width: number;
  readonly height: number;
  /** 1 for each edge that leads back. */
  readonly back: Uint8Array;
}

const columnGap = 96;
const rowGap = 64;
/** Width to height that a screen has; and between these a picture is left as its edges want it. */
const wanted = 1.5;
const flattest = 2.2;
/** The direction of a few boxes is worth more than their size. */
const few = 10;
const flattestOfFew = 4;
const steepest = 0.7;

/**
 * Boxes from left to right along the edges between them: in ranks where that gives a picture that fits a screen, else in
 * columns that take in one rank after the other. An edge that does not lead back never leads to a column further left.
 */
export function boxPlaces(boxes: readonly Box[], edges: readonly BoxEdge[]): BoxPlaces {
  const all = { from: Int32Array.from(edges, (edge) => edge.from), to: Int32Array.from(edges, (edge) => edge.to) };
  const weights = edges.map((edge) => edge.weight);
  const back = backEdges(boxes.length, all, weights);
  const forward = { from: all.from.filter((_, e) => back[e] === 0), to: all.to.filter((_, e) => back[e] === 0) };
  const ranked = layeredLayout(boxes.length, forward, {
    widths: boxes.map(({ width }) => width),
    heights: boxes.map(({ height }) => height),
    columnGap,
    rowGap,
  });
  const widest = boxes.length < few ? flattestOfFew : flattest;
  const fits = ranked.width <= widest * ranked.height && ranked.width >= steepest * ranked.height;
  if (boxes.length < 3 || fits) return { ...ranked, back };
  return { ...inColumns(boxes, longestPathRanks(boxes.length, forward), ranked.y), back };
}

function inColumns(boxes: readonly Box[], ranks: Int32Array, heights: Int32Array): Omit<BoxPlaces, "back"> {
  const area = boxes.reduce((sum, { width, height }) => sum + (width + columnGap) * (height + rowGap), 0);
  const heightMax = Math.max(Math.sqrt(area / wanted), ...boxes.map(({ height }) => height));
  const order = [...boxes.keys()].sort((a, b) => ranks[a]! - ranks[b]! || heights[a]! - heights[b]! || a - b);
  const columns: { boxes: number[]; width: number; height: number }[] = [];
  for (const box of order) {
    const { width, height } = boxes[box]!;
    let column = columns.at(-1);
    if (column === undefined || column.height + rowGap + height > heightMax) {
      column = { boxes: [], width: 0, height: -rowGap };
      columns.push(column);
    }
    column.boxes.push(box);
    column.width = Math.max(column.width, width);
    column.height += rowGap + height;
  }
  const x = new Int32Array(boxes.length);
  const y = new Int32Array(boxes.length);
  const height = Math.max(...columns.map((column) => column.height));
  let left = 0;
  for (const column of columns) {
    let top = Math.round((height - column.height) / 2);
    for (const box of column.boxes) {
      x[box] = left;
      y[box] = top;
      top += boxes[box]!.height + rowGap;
    }
    left += column.width + columnGap;
  }
  return { x, y, width: left - columnGap, height };
}
