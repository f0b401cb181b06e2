import type { Dimension } from "./space.ts";
import { rangeSet } from "./range-set.ts";
import type { RangeSet } from "./range-set.ts";

type Range = readonly [start: number, end: number];

/** All combinations of some ordinals of each dimension, slowest first. */
export type Box = readonly RangeSet[];

/**
 * A set of partitions as disjoint boxes, without listing them: whole rows of the slowest dimension are one box, and
 * rows that hold the same are one as well. Linear in the ranges of `set`.
 */
export function boxesOf(slowestFirst: readonly Dimension[], set: RangeSet): Box[] {
  if (set.length === 0) return [];
  const [slowest, ...faster] = slowestFirst;
  if (slowest === undefined) return [[]];
  if (faster.length === 0) return [[set]];
  return rowsOf(set, slowest.stride).flatMap(({ rows, inRow }) =>
    boxesOf(faster, inRow).map((box): Box => [rangeSet.from(rows), ...box]),
  );
}

/** The partitions of these boxes. A box costs what its ranges cost: one, where all but the slowest dimension are whole. */
export function fromBoxes(slowestFirst: readonly Dimension[], boxes: Iterable<Box>): RangeSet {
  const ranges: Range[] = [];
  for (const box of boxes) for (const range of rangesOf(slowestFirst, box)) ranges.push(range);
  return rangeSet.from(ranges);
}

function rangesOf(slowestFirst: readonly Dimension[], box: Box): RangeSet {
  const [slowest, ...faster] = slowestFirst;
  const [rows = rangeSet.empty, ...rest] = box;
  if (slowest === undefined || faster.length === 0) return rows;
  const inRow = rangesOf(faster, rest);
  const { stride } = slowest;
  if (inRow.length === 0 || rows.length === 0) return rangeSet.empty;
  if (rangeSet.size(inRow) === stride) return rows.map(([start, end]): Range => [start * stride, end * stride]);
  const ranges: Range[] = [];
  for (const row of rangeSet.ordinals(rows)) {
    for (const [start, end] of inRow) ranges.push([row * stride + start, row * stride + end]);
  }
  return rangeSet.from(ranges);
}

/** Rows of `length` partitions, grouped by what of a row is in the set. */
function rowsOf(set: RangeSet, length: number): { rows: Range[]; inRow: RangeSet }[] {
  const groups = new Map<string, { rows: Range[]; inRow: RangeSet }>();
  const add = (start: number, end: number, inRow: RangeSet): void => {
    const identity = inRow.join(";");
    const group = groups.get(identity);
    if (group === undefined) groups.set(identity, { rows: [[start, end]], inRow });
    else group.rows.push([start, end]);
  };
  const whole = rangeSet.range(0, length);
  /** Of the row `at`, which is in the set in part. */
  let parts: Range[] = [];
  let at = -1;
  const close = (): void => {
    if (parts.length > 0) add(at, at + 1, parts);
    parts = [];
  };
  for (const [start, end] of set) {
    for (let next = start; next < end;) {
      const row = Math.floor(next / length);
      const rowStart = row * length;
      if (next === rowStart && end - next >= length) {
        const rowsEnd = Math.floor(end / length);
        close();
        add(row, rowsEnd, whole);
        next = rowsEnd * length;
        continue;
      }
      if (row !== at) close();
      at = row;
      const stop = Math.min(end, rowStart + length);
      parts.push([next - rowStart, stop - rowStart]);
      next = stop;
    }
  }
  close();
  return [...groups.values()];
}
