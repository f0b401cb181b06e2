import { rangeSet } from "@headgate/model";
import type { RangeSet } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const ordinals = fc.array(fc.nat(40), { maxLength: 25 });

const sorted = (set: Iterable<number>): number[] => [...set].sort((a, b) => a - b);
const listed = (set: RangeSet): number[] => [...rangeSet.ordinals(set)];

/** The promise of the type: sorted, disjoint, not adjacent, no range empty. */
function expectNormal(set: RangeSet): void {
  let previousEnd = -1;
  for (const [start, end] of set) {
    expect(start).toBeGreaterThan(previousEnd);
    expect(end).toBeGreaterThan(start);
    previousEnd = end;
  }
}

describe("range sets", () => {
  it("agree with plain sets of numbers in every operation", () => {
    fc.assert(
      fc.property(ordinals, ordinals, (left, right) => {
        const [a, b] = [rangeSet.of(...left), rangeSet.of(...right)];
        const [naiveA, naiveB] = [new Set(left), new Set(right)];
        const expectations: [RangeSet, Iterable<number>][] = [
          [a, naiveA],
          [rangeSet.union(a, b), new Set([...left, ...right])],
          [rangeSet.intersection(a, b), left.filter((n) => naiveB.has(n))],
          [rangeSet.difference(a, b), left.filter((n) => !naiveB.has(n))],
        ];
        for (const [set, naive] of expectations) {
          expectNormal(set);
          expect(listed(set)).toEqual(sorted(new Set(naive)));
        }
        for (let n = 0; n <= 41; n++) expect(rangeSet.has(a, n)).toBe(naiveA.has(n));
        expect(rangeSet.size(a)).toBe(naiveA.size);
        expect(rangeSet.isEmpty(a)).toBe(naiveA.size === 0);
        expect(rangeSet.first(a)).toBe(sorted(naiveA)[0]);
        expect(rangeSet.last(a)).toBe(sorted(naiveA).at(-1));
        expect(rangeSet.includes(a, b)).toBe([...naiveB].every((n) => naiveA.has(n)));
        expect(rangeSet.includes(rangeSet.union(a, b), b)).toBe(true);
        const same = naiveA.size === naiveB.size && [...naiveA].every((n) => naiveB.has(n));
        expect(rangeSet.equals(a, b)).toBe(same);
      }),
      { numRuns: 500 },
    );
  });

  it("are made from ranges in any order, overlapping, adjacent or empty", () => {
    const ranges = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 12 });
    fc.assert(
      fc.property(ranges, (pairs) => {
        const naive = new Set<number>();
        for (const [start, end] of pairs) for (let n = start; n < end; n++) naive.add(n);
        const set = rangeSet.from(pairs);
        expectNormal(set);
        expect(listed(set)).toEqual(sorted(naive));
      }),
    );
  });

  it("cost what their ranges cost: operations on a billion ordinals are immediate", () => {
    const billion = rangeSet.range(0, 1_000_000_000);
    const holed = rangeSet.difference(billion, rangeSet.of(5, 999_999_998));
    expect(holed).toEqual([
      [0, 5],
      [6, 999_999_998],
      [999_999_999, 1_000_000_000],
    ]);
    expect(rangeSet.size(holed)).toBe(999_999_998);
    expect(rangeSet.union(holed, rangeSet.of(5, 999_999_998))).toEqual([[0, 1_000_000_000]]);
  });

  it("refuse what is no ordinal, and take an end before the start as empty", () => {
    expect(() => rangeSet.of(-1)).toThrow(RangeError);
    expect(() => rangeSet.of(1.5)).toThrow(RangeError);
    expect(() => rangeSet.range(0, Infinity)).toThrow(RangeError);
    expect(() => rangeSet.from([[Number.NaN, 3]])).toThrow(RangeError);
    expect(rangeSet.range(4, 2)).toBe(rangeSet.empty);
  });
});
