import {
  defaultMapping,
  downstreamPartitions,
  mappingProblem,
  partitionSpace,
  rangeSet,
  upstreamPartitions,
} from "@headgate/model";
import type { PartitionMapping, PartitionSpace, RangeSet } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const nowMs = Date.parse("2026-04-20T12:00Z");

function windows(cron: string, start: string, end?: string, timezone = "Europe/Berlin"): PartitionSpace {
  return partitionSpace({ kind: "timeWindow", cron, timezone, start, ...(end === undefined ? {} : { end }) });
}

const daily = windows("0 0 * * *", "2026-02-20");
const spaces = [
  daily,
  windows("0 0 * * *", "2026-03-25", "2026-04-05"),
  windows("0 0 * * 1", "2026-02-01"),
  windows("0 0 1 * *", "2025-11", "2026-04"),
  windows("0 */6 * * *", "2026-03-20", "2026-04-10"),
  windows("0 0 * * *", "2026-03-01", undefined, "America/St_Johns"),
];
const whole = partitionSpace(undefined);
const colours = partitionSpace({ kind: "static", keys: ["red", "green", "blue"] });
const two = partitionSpace({ kind: "static", keys: ["blue", "red"] });

/** All windows of a space's cadence over the time of the tests, before its start and after its end as well. */
function allWindows(space: PartitionSpace): { key: string; startMs: number; endMs: number }[] {
  if (space.definition?.kind !== "timeWindow") throw new Error("a time window space is needed");
  const { cron, timezone } = space.definition;
  const wide = windows(cron, "2024", "2028", timezone);
  return Array.from({ length: wide.count(Infinity) }, (_, ordinal) => {
    const { startMs = Number.NaN, endMs = Number.NaN } = wide.windowAt(ordinal) ?? {};
    return { key: wide.keyAt(ordinal), startMs, endMs };
  });
}
const listOf = new Map(spaces.map((space) => [space, allWindows(space)]));

/** What a downstream window reads, by looking at every upstream window one after the other. */
function readsByHand(
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  ordinal: number,
  startOffset: number,
  endOffset: number,
): number[] {
  const own = downstream.windowAt(ordinal);
  const list = listOf.get(upstream) ?? [];
  const meets = list.map((window) => own !== undefined && window.startMs < own.endMs && own.startMs < window.endMs);
  const read = list.slice(meets.indexOf(true) + startOffset, meets.lastIndexOf(true) + endOffset + 1);
  return read.map(({ key }) => upstream.ordinalOf(key)).filter((found) => found !== undefined);
}

const some = (count: number) => fc.array(fc.nat(count - 1), { maxLength: 12 }).map((list) => rangeSet.of(...list));

describe("a mapping by windows", () => {
  const edge = fc
    .record({
      upstream: fc.constantFrom(...spaces),
      downstream: fc.constantFrom(...spaces),
      startOffset: fc.integer({ min: -9, max: 9 }),
      width: fc.nat(4),
    })
    .map(({ upstream, downstream, startOffset, width }) => {
      const mapping: PartitionMapping = { kind: "window", startOffset, endOffset: startOffset + width };
      return { upstream, downstream, mapping };
    });

  it("reads what sharing time and counting on by hand finds", () => {
    const pick = edge.chain((given) => some(given.downstream.count(nowMs)).map((set) => ({ ...given, set })));
    fc.assert(
      fc.property(pick, ({ upstream, downstream, mapping, set }) => {
        if (mapping.kind !== "window") throw new Error("a window mapping is needed");
        const byHand = [...rangeSet.ordinals(set)].flatMap((ordinal) =>
          readsByHand(upstream, downstream, ordinal, mapping.startOffset, mapping.endOffset),
        );
        expect(upstreamPartitions(mapping, upstream, downstream, set, nowMs)).toEqual(rangeSet.from(byHand));
      }),
      { numRuns: 600 },
    );
  });

  it("leads down to exactly the existing partitions that read one of the set", () => {
    const pick = edge.chain((given) => some(given.upstream.count(nowMs)).map((set) => ({ ...given, set })));
    fc.assert(
      fc.property(pick, ({ upstream, downstream, mapping, set }) => {
        expectInverse(mapping, upstream, downstream, set);
      }),
      { numRuns: 300 },
    );
  });

  it("to itself with offset -1 reads the partition before, and nothing before the start", () => {
    const mapping: PartitionMapping = { kind: "window", startOffset: -1, endOffset: -1 };
    expect(upstreamPartitions(mapping, daily, daily, rangeSet.of(0, 5), nowMs)).toEqual(rangeSet.of(4));
    expect(downstreamPartitions(mapping, daily, daily, rangeSet.of(4), nowMs)).toEqual(rangeSet.of(5));
  });

  it("names an upstream window that has not ended, so that it is seen to be missing", () => {
    const monthly = windows("0 0 1 * *", "2026-01");
    const newest = daily.ordinalOf("2026-04-19") ?? -1;
    const read = upstreamPartitions(
      { kind: "window", startOffset: 0, endOffset: 0 },
      monthly,
      daily,
      rangeSet.of(newest),
      nowMs,
    );
    expect(read).toEqual(rangeSet.of(3));
    expect(monthly.count(nowMs)).toBe(3);
  });

  it("over a million hours is one range", () => {
    const hourly = windows("0 * * * *", "1905");
    const decades = windows("0 0 1 1 *", "1905");
    const years = rangeSet.range(0, 120);
    const read = upstreamPartitions({ kind: "window", startOffset: 0, endOffset: 0 }, hourly, decades, years, nowMs);
    expect(read.length).toBe(1);
    expect(rangeSet.size(read)).toBeGreaterThan(1_050_000);
  });
});

/** d reads one of the set, asked one by one, if and only if d is in the answer. */
function expectInverse(
  mapping: PartitionMapping,
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  set: RangeSet,
): void {
  const expected: number[] = [];
  for (let ordinal = 0; ordinal < downstream.count(nowMs); ordinal++) {
    const reads = upstreamPartitions(mapping, upstream, downstream, rangeSet.of(ordinal), nowMs);
    if (!rangeSet.isEmpty(rangeSet.intersection(reads, set))) expected.push(ordinal);
  }
  expect(downstreamPartitions(mapping, upstream, downstream, set, nowMs)).toEqual(rangeSet.from(expected));
}

describe("every other mapping", () => {
  const upstreamOf = { blue: ["blue", "green"], red: [] };
  const edges: [string, PartitionMapping, PartitionSpace, PartitionSpace, (downstreamKey: string) => string[]][] = [
    ["identity of days that start later", { kind: "identity" }, daily, spaces[1] ?? daily, (key) => [key]],
    ["identity of fewer keys", { kind: "identity" }, colours, two, (key) => [key]],
    ["identity without partitions", { kind: "identity" }, whole, whole, () => [""]],
    ["all of the keys", { kind: "all" }, colours, daily, () => ["red", "green", "blue"]],
    ["all of an unpartitioned asset", { kind: "all" }, whole, daily, () => [""]],
    ["the last day", { kind: "last" }, daily, two, () => ["2026-04-19"]],
    ["the listed keys", { kind: "static", upstreamOf }, colours, two, (key) => upstreamOf[key as "blue" | "red"]],
  ];

  it.each(edges)("reads by key: %s", (_, mapping, upstream, downstream, keysRead) => {
    expect(mappingProblem(mapping, upstream, downstream)).toBeUndefined();
    fc.assert(
      fc.property(some(downstream.count(nowMs)), some(upstream.count(nowMs)), (set, changed) => {
        const byHand = [...rangeSet.ordinals(set)].flatMap((ordinal) =>
          keysRead(downstream.keyAt(ordinal)).map((key) => upstream.ordinalOf(key) ?? Number.NaN),
        );
        expect(upstreamPartitions(mapping, upstream, downstream, set, nowMs)).toEqual(rangeSet.from(byHand));
        expectInverse(mapping, upstream, downstream, changed);
      }),
      { numRuns: 60 },
    );
  });

  it("is identity by default between equal spaces, windows between others, and all where one side has none", () => {
    expect(defaultMapping(daily, windows("@daily", "2026-03-01"))).toEqual({ kind: "identity" });
    expect(defaultMapping(whole, whole)).toEqual({ kind: "identity" });
    const monthly = windows("0 0 1 * *", "2026-01");
    expect(defaultMapping(daily, monthly)).toEqual({ kind: "window", startOffset: 0, endOffset: 0 });
    expect([defaultMapping(daily, whole), defaultMapping(whole, daily)]).toEqual([{ kind: "all" }, { kind: "all" }]);
    expect(mappingProblem(defaultMapping(colours, daily), colours, daily)?.message).toContain("different kinds");
  });

  it("over all of an empty space reads nothing, which a gate must not take for open", () => {
    const future = windows("0 0 * * *", "2027-01-01");
    for (const kind of ["all", "last"] as const) {
      expect(upstreamPartitions({ kind }, future, whole, rangeSet.of(0), nowMs)).toEqual(rangeSet.empty);
    }
  });
});

describe("a mapping that cannot join two spaces", () => {
  const offsets = (startOffset: number, endOffset: number): PartitionMapping => ({
    kind: "window",
    startOffset,
    endOffset,
  });
  const keyed = (upstreamOf: Record<string, string[]>): PartitionMapping => ({ kind: "static", upstreamOf });
  const identity: PartitionMapping = { kind: "identity" };
  const wrong: [string, PartitionMapping, PartitionSpace, PartitionSpace, string, string][] = [
    ["other crons", identity, daily, windows("0 0 1 * *", "2026-03"), "cut differently", "windowOffset"],
    ["other zones", identity, daily, spaces[5] ?? daily, "America/St_Johns", "timezone"],
    ["an earlier start", identity, daily, windows("@daily", "2026-02-01", "2026-03-01"), "starts with 2026-02-01, before", "start downstream at 2026-02-20"],
    ["no end", identity, spaces[1] ?? daily, windows("@daily", "2026-03-25"), "after the last upstream partition 2026-04-04", "end downstream at 2026-04-05"],
    ["other keys", identity, two, colours, 'upstream has no partition "green"', "allPartitions"],
    ["one side without", identity, whole, colours, "one side", "allPartitions"],
    ["windows of keys", offsets(0, 0), colours, daily, "time windows on both sides", "allPartitions"],
    ["offsets that run backwards", offsets(1, 0), daily, daily, "nothing would be read", "startOffset"],
    ["an offset that is no number", offsets(Number.NaN, 0), daily, daily, "offset NaN", "whole numbers"],
    ["a forgotten key", keyed({ red: ["red"] }), colours, two, 'says nothing of "blue"', "[]"],
    ["a strange key", keyed({ red: [], blue: [], pink: [] }), colours, two, 'names "pink"', "remove"],
    ["an upstream key that is none", keyed({ red: ["pink"], blue: [] }), colours, two, 'no partition "pink"', "correct"],
    ["keys of windows", keyed({}), colours, daily, "static partitions downstream", "allPartitions"],
  ]; // prettier-ignore
  it.each(wrong)("is a problem with a remedy: %s", (_, mapping, upstream, downstream, message, hint) => {
    expect(mappingProblem(mapping, upstream, downstream)).toEqual({
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    });
  });
});
