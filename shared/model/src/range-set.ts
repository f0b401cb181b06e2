/**
 * A set of partition ordinals (whole numbers from 0) as half-open ranges, sorted, disjoint and not adjacent, so that
 * equal sets have equal ranges and a million partitions cost what their ranges cost. Immutable: every operation
 * returns a set of its own or one of its arguments.
 */
export type RangeSet = readonly Range[];
type Range = readonly [start: number, end: number];

const empty: RangeSet = Object.freeze([]);

export const rangeSet = {
  empty,
  /** The set of these ordinals, in any order. */
  of: (...ordinals: number[]): RangeSet => from(ordinals),
  /** `start` up to but not including `end`; empty if `end` is not after `start`. */
  range,
  /** The set of these ordinals and half-open ranges, in any order, overlapping or not. */
  from,
  union,
  intersection,
  /** What is in `a` and not in `b`. */
  difference,
  has,
  /** True if all of `subset` is in `a`. */
  includes,
  /** How many ordinals, not how many ranges. */
  size,
  isEmpty: (a: RangeSet): boolean => a.length === 0,
  equals,
  first: (a: RangeSet): number | undefined => a[0]?.[0],
  last,
  /** Every ordinal in ascending order. It lists them: only for sets known to be small. */
  ordinals,
};

function assertOrdinal(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no partition ordinal`);
}

function range(start: number, end: number): RangeSet {
  assertOrdinal(start);
  assertOrdinal(end);
  return end > start ? [[start, end]] : empty;
}

function from(items: Iterable<number | Range>): RangeSet {
  const ranges: Range[] = [];
  for (const item of items) {
    const [start, end] = typeof item === "number" ? [item, item + 1] : item;
    assertOrdinal(start);
    assertOrdinal(end);
    if (end > start) ranges.push([start, end]);
  }
  return merged(ranges.sort((a, b) => a[0] - b[0]));
}

/** Joins ranges that are sorted by start and may touch or overlap. */
function merged(sorted: Iterable<Range>): RangeSet {
  const result: Range[] = [];
  for (const next of sorted) {
    const previous = result[result.length - 1];
    if (previous === undefined || next[0] > previous[1]) result.push(next);
    else if (next[1] > previous[1]) result[result.length - 1] = [previous[0], next[1]];
  }
  return result.length === 0 ? empty : result;
}

function union(a: RangeSet, b: RangeSet): RangeSet {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  return merged(inOrder(a, b));
}

/** The ranges of both sets by start. */
function* inOrder(a: RangeSet, b: RangeSet): Generator<Range> {
  let i = 0;
  let j = 0;
  for (;;) {
    const left = a[i];
    const right = b[j];
    if (left !== undefined && (right === undefined || left[0] <= right[0])) {
      yield left;
      i++;
    } else if (right !== undefined) {
      yield right;
      j++;
    } else return;
  }
}

function intersection(a: RangeSet, b: RangeSet): RangeSet {
  const result: Range[] = [];
  let i = 0;
  let j = 0;
  for (;;) {
    const left = a[i];
    const right = b[j];
    if (left === undefined || right === undefined) return result.length === 0 ? empty : result;
    const start = Math.max(left[0], right[0]);
    const end = Math.min(left[1], right[1]);
    if (end > start) result.push([start, end]);
    if (left[1] <= right[1]) i++;
    else j++;
  }
}

function difference(a: RangeSet, b: RangeSet): RangeSet {
  if (a.length === 0 || b.length === 0) return a;
  const result: Range[] = [];
  let j = 0;
  for (const [start, end] of a) {
    let uncovered = start;
    for (let hole = b[j]; hole !== undefined && hole[0] < end; hole = b[++j]) {
      if (hole[0] > uncovered) result.push([uncovered, hole[0]]);
      uncovered = Math.max(uncovered, hole[1]);
      // This hole may reach into the next range of `a`: keep it.
      if (hole[1] >= end) break;
    }
    if (uncovered < end) result.push([uncovered, end]);
  }
  return result.length === 0 ? empty : result;
}

/** The range of `a` that holds `n`. */
function rangeOf(a: RangeSet, n: number): Range | undefined {
  let low = 0;
  let high = a.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const candidate = a[middle];
    if (candidate === undefined) return undefined;
    if (n < candidate[0]) high = middle - 1;
    else if (n >= candidate[1]) low = middle + 1;
    else return candidate;
  }
  return undefined;
}

function has(a: RangeSet, n: number): boolean {
  return rangeOf(a, n) !== undefined;
}

function includes(a: RangeSet, subset: RangeSet): boolean {
  return subset.every(([start, end]) => end <= (rangeOf(a, start)?.[1] ?? -1));
}

function size(a: RangeSet): number {
  return a.reduce((total, [start, end]) => total + end - start, 0);
}

function equals(a: RangeSet, b: RangeSet): boolean {
  return a === b || (a.length === b.length && a.every(([start, end], i) => b[i]?.[0] === start && b[i][1] === end));
}

function last(a: RangeSet): number | undefined {
  const range = a[a.length - 1];
  return range === undefined ? undefined : range[1] - 1;
}

function* ordinals(a: RangeSet): Generator<number, void, undefined> {
  for (const [start, end] of a) for (let n = start; n < end; n++) yield n;
}
