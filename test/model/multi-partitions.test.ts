import {
  defaultMapping,
  downstreamPartitions,
  formatPartitions,
  mappingProblem,
  mapsOneToOne,
  parsePartitions,
  partitionSpace,
  rangeSet,
  sameSpace,
  selfDependencyProblem,
  upstreamPartitions,
} from "@headgate/model";
import type {
  DimensionDefinition,
  DimensionMapping,
  PartitionMapping,
  PartitionSpace,
  PartitionsDefinition,
  RangeSet,
} from "@headgate/model";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";

const nowMs = Date.parse("2001-07-15T00:00Z");
const months: DimensionDefinition = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01" };
const laterMonths: DimensionDefinition = { ...months, start: "2001-03" };
const quarters: DimensionDefinition = { kind: "timeWindow", cron: "0 0 1 */3 *", timezone: "UTC", start: "2001-01" };
const regions: DimensionDefinition = { kind: "static", keys: ["eu", "us", "asia"] };
const tiers: DimensionDefinition = { kind: "static", keys: ["free", "paid"] };

function multi(dimensions: Readonly<Record<string, DimensionDefinition>>): PartitionSpace {
  return partitionSpace({
    kind: "multi",
    dimensions: Object.entries(dimensions).map(([name, definition]) => ({ name, definition })),
  });
}

const spaces = {
  regionMonth: multi({ region: regions, month: months }),
  monthRegionTier: multi({ month: laterMonths, region: { kind: "static", keys: ["us", "eu"] }, tier: tiers }),
  quarterRegion: multi({ month: quarters, region: regions }),
  tierRegion: multi({ tier: tiers, region: regions }),
  one: multi({ alone: { kind: "static", keys: ["x"] }, month: months, last: { kind: "static", keys: ["y"] } }),
  month: partitionSpace(months),
  region: partitionSpace(regions),
  whole: partitionSpace(undefined),
};
const all = Object.values(spaces);
const several = all.filter(({ dimensions }) => dimensions !== undefined);

/** The keys of every dimension, by its name, as a list: of a space with one, under "". */
type Tuple = Readonly<Record<string, string>>;
function tupleOf(space: PartitionSpace, key: string): Tuple {
  if (space.definition === undefined) return {};
  if (space.dimensions === undefined) return { "": key };
  return Object.fromEntries(key.split(",").map((part) => part.split("=") as [string, string]));
}

/** Every combination of keys that exists, by nested loops, the growing dimension outermost. */
function naiveKeys(space: PartitionSpace): string[] {
  if (space.definition?.kind !== "multi") {
    return Array.from({ length: space.count(nowMs) }, (_, n) => space.keyAt(n));
  }
  const { dimensions } = space.definition;
  const keysOf = (definition: PartitionsDefinition): string[] => naiveKeys(partitionSpace(definition));
  const outermost = [...dimensions].sort(
    (a, b) => Number(b.definition.kind === "timeWindow") - Number(a.definition.kind === "timeWindow"),
  );
  let tuples: Tuple[] = [{}];
  for (const { name, definition } of outermost) {
    tuples = tuples.flatMap((tuple) => keysOf(definition).map((key) => ({ ...tuple, [name]: key })));
  }
  return tuples.map((tuple) => dimensions.map(({ name }) => `${name}=${tuple[name] ?? ""}`).join(","));
}

const subset = (space: PartitionSpace): fc.Arbitrary<RangeSet> =>
  fc.array(fc.nat(space.count(nowMs) - 1), { maxLength: 30 }).map((list) => rangeSet.of(...list));
const keysIn = (space: PartitionSpace, set: RangeSet): string[] =>
  [...rangeSet.ordinals(set)].map((ordinal) => space.keyAt(ordinal));

describe("partitions of several dimensions", () => {
  it("are all combinations, named in the order of the definition, the growing dimension slowest", () => {
    for (const space of several) {
      const keys = naiveKeys(space);
      expect(Array.from({ length: space.count(nowMs) }, (_, n) => space.keyAt(n))).toEqual(keys);
      expect(keys.map((key) => space.ordinalOf(key))).toEqual(keys.map((_, n) => n));
    }
    expect(spaces.regionMonth.keyAt(4)).toBe("region=us,month=2001-02");
    expect(spaces.regionMonth.windowAt(4)?.start).toBe("2001-02-01T00:00:00+00:00");
  });

  it("keep their ordinals when another window comes", () => {
    const keys = naiveKeys(spaces.regionMonth);
    const later = Date.parse("2005-01-15T00:00Z");
    expect(spaces.regionMonth.count(later)).toBe(48 * 3);
    expect(keys.map((key) => spaces.regionMonth.ordinalOf(key))).toEqual(keys.map((_, n) => n));
  });

  it.each([
    "",
    "eu",
    "region=eu",
    "month=2001-02,region=eu",
    "region=eu,month=2001-02,month=2001-02",
    "region=mars,month=2001-02",
    "region=eu,month=2000-12",
    "region=eu ,month=2001-02",
    "area=eu,month=2001-02",
  ])("have no other key, such as %j", (key) => {
    expect(spaces.regionMonth.ordinalOf(key)).toBeUndefined();
  });

  it.each<[string, Record<string, unknown> | [string, unknown][], string]>([
    ["one dimension", { month: months }, "there are 1 dimensions"],
    ["no list of them", [], "there are 0 dimensions"],
    ["two that grow", { month: months, quarter: quarters, region: regions }, "month and quarter both grow"],
    ["one inside another", { month: months, inner: spaces.tierRegion.definition }, "has dimensions itself"],
    ["what is no definition", { month: months, region: ["eu"] }, "is no partitions definition"],
    ["nothing", { month: months, region: undefined }, "is no partitions definition"],
    ["a bad name", { "the month": months, region: regions }, '"the month" is no name'],
    ["the same name twice", [["a", regions], ["a", tiers]], "dimension a is there twice"], // prettier-ignore
    [
      "a key with =",
      { month: months, region: { kind: "static", keys: ["a=b"] } },
      'dimension region: partition key "a=b"',
    ],
    ["a bad dimension", { month: { ...months, cron: "x" }, region: regions }, "dimension month: "],
    [
      "too many combinations",
      Object.fromEntries(
        ["a", "b", "c"].map((name) => [name, { kind: "static", keys: Array.from({ length: 99 }, (_, n) => `k${n}`) }]),
      ),
      "combinations of keys are too many",
    ],
    [
      "long keys",
      { a: { kind: "static", keys: ["x".repeat(200)] }, b: { kind: "static", keys: ["y".repeat(60)] } },
      "have up to",
    ],
  ])("are refused with %s, in words", (_, dimensions, words) => {
    const entries = Array.isArray(dimensions) ? dimensions : Object.entries(dimensions);
    const definition = { kind: "multi", dimensions: entries.map(([name, of]) => ({ name, definition: of })) };
    expect(() => partitionSpace(definition as never)).toThrow(words);
  });
});

describe("a selection of several dimensions", () => {
  const read = (text: string, space = spaces.regionMonth): string[] | string => {
    const parsed = parsePartitions(space, text, nowMs);
    return parsed.ok ? keysIn(space, parsed.set) : `${parsed.message}; ${parsed.hint}`;
  };

  it("takes ranges and lists in each dimension, in any order", () => {
    expect(read("region=eu,month=2001-02")).toEqual(["region=eu,month=2001-02"]);
    expect(read("month=2001-01..2001-02, region=us,asia")).toEqual([
      "region=us,month=2001-01",
      "region=asia,month=2001-01",
      "region=us,month=2001-02",
      "region=asia,month=2001-02",
    ]);
    expect(read("region=eu..asia,month=2001-06")).toHaveLength(3);
  });

  it("takes several combinations where a dimension is named again", () => {
    expect(read("region=eu,month=2001-01,2001-03,region=us,month=2001-02")).toEqual([
      "region=eu,month=2001-01",
      "region=us,month=2001-02",
      "region=eu,month=2001-03",
    ]);
  });

  it.each([
    ["area=eu", "there is no dimension area; write partitions such as region=eu..asia,month=2001-01..2001-06"],
    ["region=eu", "dimension month is missing; add month=2001-01..2001-06 for all of it"],
    ["region=eu,region=us,month=2001-01", "dimension month is missing; add month=2001-01..2001-06 for all of it"],
    ["2001-01", "2001-01 names no dimension; write partitions such as region=eu..asia,month=2001-01..2001-06"],
    [
      "region=eu,month=2001-07",
      "dimension month: partition 2001-07 has not ended; it ends at 2001-08-01T00:00:00+00:00; the newest partition is 2001-06",
    ],
    ["region=mars,month=2001-01", "dimension region: partition mars does not exist; write one of eu, us, asia"],
    ["region=,month=2001-01", "dimension region: a partition is missing; write partitions such as eu..asia"],
  ])("refuses %s", (text, words) => {
    expect(read(text)).toBe(words);
  });

  it("reads back every set that it writes", () => {
    const pick = fc.constantFrom(...several).chain((space) => subset(space).map((set) => ({ space, set })));
    fc.assert(
      fc.property(pick, ({ space, set }) => {
        if (rangeSet.isEmpty(set)) return;
        expect(parsePartitions(space, formatPartitions(space, set), nowMs)).toEqual({ ok: true, set });
      }),
      { numRuns: 500 },
    );
  });

  it("writes what is chosen of one dimension for every window once, and not once a window", () => {
    const set = rangeSet.of(...Array.from({ length: 6 }, (_, n) => 3 * n));
    expect(formatPartitions(spaces.regionMonth, set)).toBe("region=eu,month=2001-01..2001-06");
    expect(formatPartitions(spaces.regionMonth, rangeSet.range(0, 18))).toBe("region=eu..asia,month=2001-01..2001-06");
  });
});

/** What a partition reads, looking at every upstream partition and each of its dimensions. */
function readsByHand(
  named: readonly DimensionMapping[],
  upstream: PartitionSpace,
  downstream: PartitionSpace,
  key: string,
): number[] {
  const own = tupleOf(downstream, key);
  const spaceOf = (space: PartitionSpace, name: string): PartitionSpace =>
    space.dimensions?.inKey.find((dimension) => dimension.name === name)?.space ?? space;
  return naiveKeys(upstream).flatMap((candidate, ordinal) => {
    const fits = Object.entries(tupleOf(upstream, candidate)).every(([name, value]) => {
      const of = named.find((mapping) => mapping.upstream === name);
      const ofUpstream = spaceOf(upstream, name);
      if (of?.mapping.kind === "all") return true;
      if (of?.mapping.kind === "last") return ofUpstream.ordinalOf(value) === ofUpstream.count(nowMs) - 1;
      const by = of?.downstream ?? (Object.hasOwn(own, name) ? name : undefined);
      if (by === undefined) return true;
      const reader = spaceOf(downstream, by);
      const mapping = of?.mapping ?? defaultMapping(ofUpstream, reader);
      const ordinalOfReader = reader.ordinalOf(own[by] ?? "") ?? 0;
      const read = upstreamPartitions(mapping, ofUpstream, reader, rangeSet.of(ordinalOfReader), nowMs);
      return rangeSet.has(read, ofUpstream.ordinalOf(value) ?? -1);
    });
    return fits ? [ordinal] : [];
  });
}

const named: [string, PartitionSpace, PartitionSpace, DimensionMapping[]][] = [
  ["the same dimensions", spaces.regionMonth, spaces.regionMonth, []],
  ["a dimension more downstream, in another order", spaces.regionMonth, spaces.monthRegionTier, []],
  [
    "a dimension less downstream",
    spaces.monthRegionTier,
    multi({ month: quarters, region: { kind: "static", keys: ["eu"] } }),
    [],
  ],
  ["windows that are cut otherwise", spaces.regionMonth, spaces.quarterRegion, []],
  ["no windows downstream", spaces.regionMonth, spaces.tierRegion, []],
  [
    "every region of the window before",
    spaces.regionMonth,
    spaces.regionMonth,
    [
      { upstream: "month", mapping: { kind: "window", startOffset: -1, endOffset: -1 } },
      { upstream: "region", mapping: { kind: "all" } },
    ],
  ],
  ["the newest window", spaces.regionMonth, spaces.tierRegion, [{ upstream: "month", mapping: { kind: "last" } }]],
  [
    "keys by a table",
    spaces.regionMonth,
    spaces.monthRegionTier,
    [{ upstream: "region", mapping: { kind: "static", upstreamOf: { us: ["us"], eu: ["eu", "asia"] } } }],
  ],
];

describe("a mapping between dimensions", () => {
  it.each(named)("reads what looking at each partition finds: %s", (_, upstream, downstream, dimensions) => {
    const mapping: PartitionMapping = { kind: "dimensions", dimensions };
    expect(mappingProblem(mapping, upstream, downstream)).toBeUndefined();
    const keys = naiveKeys(downstream);
    const byHand = keys.map((key) => readsByHand(dimensions, upstream, downstream, key));
    expect(byHand.flat().length).toBeGreaterThan(0);
    fc.assert(
      fc.property(subset(downstream), subset(upstream), (set, read) => {
        const expected = rangeSet.from([...rangeSet.ordinals(set)].flatMap((n) => byHand[n] ?? []));
        expect(upstreamPartitions(mapping, upstream, downstream, set, nowMs)).toEqual(expected);
        const readers = keys.flatMap((_key, n) => (byHand[n]?.some((m) => rangeSet.has(read, m)) ? [n] : []));
        expect(downstreamPartitions(mapping, upstream, downstream, read, nowMs)).toEqual(rangeSet.of(...readers));
      }),
      { numRuns: 100 },
    );
  });

  const readOf = (upstream: PartitionSpace, downstream: PartitionSpace, key: string, mapping?: PartitionMapping) => {
    const used = mapping ?? defaultMapping(upstream, downstream);
    expect(mappingProblem(used, upstream, downstream)).toBeUndefined();
    const set = rangeSet.of(downstream.ordinalOf(key) ?? -1);
    return keysIn(upstream, upstreamPartitions(used, upstream, downstream, set, nowMs));
  };

  it("leads from several dimensions to one of them and back", () => {
    const { regionMonth, month, region, whole } = spaces;
    const ofFebruary = ["region=eu,month=2001-02", "region=us,month=2001-02", "region=asia,month=2001-02"];
    expect(readOf(regionMonth, month, "2001-02")).toEqual(ofFebruary);
    expect(readOf(month, regionMonth, "region=us,month=2001-02")).toEqual(["2001-02"]);
    expect(readOf(region, regionMonth, "region=us,month=2001-02")).toEqual(["us"]);
    expect(readOf(regionMonth, region, "us")).toHaveLength(6);
    expect(readOf(regionMonth, whole, "")).toHaveLength(18);
    expect(readOf(whole, regionMonth, "region=us,month=2001-02")).toEqual([""]);
  });

  it("by windows moves the windows and keeps the other keys", () => {
    const before: PartitionMapping = { kind: "window", startOffset: -1, endOffset: -1 };
    const { regionMonth, month } = spaces;
    expect(readOf(regionMonth, regionMonth, "region=us,month=2001-02", before)).toEqual(["region=us,month=2001-01"]);
    expect(readOf(regionMonth, regionMonth, "region=us,month=2001-01", before)).toEqual([]);
    expect(readOf(month, regionMonth, "region=us,month=2001-02", before)).toEqual(["2001-01"]);
  });

  it("says whether one partition is read by the form of the definitions", () => {
    const { regionMonth, monthRegionTier, quarterRegion, month, region, whole } = spaces;
    const single = (upstream: PartitionSpace, downstream: PartitionSpace): boolean =>
      mapsOneToOne(defaultMapping(upstream, downstream), upstream, downstream);
    expect([single(regionMonth, regionMonth), single(regionMonth, monthRegionTier)]).toEqual([true, true]);
    expect([single(monthRegionTier, regionMonth), single(regionMonth, quarterRegion)]).toEqual([false, false]);
    expect([single(month, regionMonth), single(region, regionMonth), single(whole, regionMonth)]).toEqual([
      true,
      true,
      true,
    ]);
    expect([single(regionMonth, month), single(regionMonth, whole)]).toEqual([false, false]);
  });

  it.each<[string, PartitionMapping | undefined, PartitionSpace, PartitionSpace, string]>([
    ["nothing in common", undefined, spaces.tierRegion, spaces.month, "no dimension in common"],
    [
      "keys that the upstream has not",
      undefined,
      multi({ region: tiers, month: months }),
      spaces.regionMonth,
      'dimension region: upstream has no partition "eu", "us", "asia"',
    ],
    [
      "a first window before the upstream's",
      undefined,
      multi({ region: regions, month: laterMonths }),
      spaces.regionMonth,
      "before the first upstream partition",
    ],
    [
      "an unknown dimension",
      { kind: "dimensions", dimensions: [{ upstream: "area", mapping: { kind: "all" } }] },
      spaces.regionMonth,
      spaces.month,
      'upstream has no dimension "area"',
    ],
    [
      "an unknown dimension of the reader",
      { kind: "dimensions", dimensions: [{ upstream: "region", downstream: "area", mapping: { kind: "identity" } }] },
      spaces.regionMonth,
      spaces.regionMonth,
      'the reader has no dimension "area"',
    ],
    [
      "one dimension that decides two",
      { kind: "dimensions", dimensions: [{ upstream: "b", downstream: "a", mapping: { kind: "identity" } }] },
      multi({ a: regions, b: regions }),
      multi({ a: regions, month: months }),
      "two dimensions of the upstream follow dimension a",
    ],
    [
      "two that could be meant",
      undefined,
      multi({ a: regions, b: regions }),
      spaces.region,
      "dimensions a and b could both be meant",
    ],
    ["the last of several dimensions", { kind: "last" }, spaces.regionMonth, spaces.month, "no last partition"],
    [
      "windows where none are",
      { kind: "window", startOffset: -1, endOffset: -1 },
      spaces.tierRegion,
      spaces.tierRegion,
      "needs time windows",
    ],
  ])("is refused with %s", (_, mapping, upstream, downstream, words) => {
    const used = mapping ?? defaultMapping(upstream, downstream);
    expect(mappingProblem(used, upstream, downstream)?.message).toContain(words);
  });

  it("of an asset to itself leads to earlier windows alone", () => {
    const { regionMonth, tierRegion } = spaces;
    const window = (offset: number) => ({ kind: "window", startOffset: offset, endOffset: offset }) as const;
    const ofMonth = (offset: number): PartitionMapping => ({
      kind: "dimensions",
      dimensions: [
        { upstream: "month", mapping: window(offset) },
        { upstream: "region", mapping: { kind: "all" } },
      ],
    });
    expect(selfDependencyProblem(window(-1), regionMonth)).toBeUndefined();
    expect(selfDependencyProblem(ofMonth(-1), regionMonth)).toBeUndefined();
    expect(selfDependencyProblem(window(0), regionMonth)).toContain("window offset 0");
    expect(selfDependencyProblem(ofMonth(0), regionMonth)).toContain("window offset 0");
    const allRegions = { upstream: "region", mapping: { kind: "all" } } as const;
    expect(selfDependencyProblem({ kind: "dimensions", dimensions: [allRegions] }, regionMonth)).toContain("offset 0");
    expect(selfDependencyProblem(window(-1), tierRegion)).toBeDefined();
  });

  it("between equal spaces is the identity, also where another object says the same", () => {
    const again = multi({ region: regions, month: { ...months, end: "2002-01" } });
    expect(sameSpace(spaces.regionMonth, again)).toBe(true);
    expect(sameSpace(spaces.regionMonth, spaces.quarterRegion)).toBe(false);
    expect(sameSpace(spaces.regionMonth, spaces.month)).toBe(false);
    expect(defaultMapping(again, spaces.regionMonth)).toEqual({ kind: "identity" });
  });
});

describe("a space of millions of partitions", () => {
  const keys = Array.from({ length: 500 }, (_, n) => `s${n}`);
  const hours: DimensionDefinition = { kind: "timeWindow", cron: "0 * * * *", timezone: "UTC", start: "1990-01-01" };
  const sensors = multi({ sensor: { kind: "static", keys }, hour: hours });
  const days = multi({ sensor: { kind: "static", keys }, hour: { ...hours, cron: "0 0 * * *" } });

  it("answers about some of them without listing any", () => {
    const count = sensors.count(nowMs);
    expect(count).toBeGreaterThan(50_000_000);
    let listed = 0;
    const ordinals = vi.spyOn(rangeSet, "ordinals").mockImplementation(function* (set) {
      for (const [start, end] of set) for (let n = start; n < end; n++, listed++) yield n;
    });
    const spies = [sensors, days].flatMap(({ dimensions }) =>
      (dimensions?.inKey ?? []).flatMap(({ space }) => [vi.spyOn(space, "keyAt"), vi.spyOn(space, "ordinalOf")]),
    );
    const day = rangeSet.range(500 * 3_000, 500 * 3_001);
    const mapping = defaultMapping(sensors, days);
    expect(upstreamPartitions(mapping, sensors, days, day, nowMs)).toEqual([[500 * 72_000, 500 * 72_024]]);
    expect(downstreamPartitions(mapping, sensors, days, [[500 * 72_000, 500 * 72_024]], nowMs)).toEqual(day);
    expect(upstreamPartitions({ kind: "identity" }, sensors, sensors, [[7, count]], nowMs)).toEqual([[7, count]]);
    const parsed = parsePartitions(
      sensors,
      "sensor=s0..s499,hour=1990-01-01T00:00+00:00..2001-01-01T00:00+00:00",
      nowMs,
    );
    expect(parsed).toMatchObject({ ok: true, set: [[0, 500 * 96_433]] });
    expect(formatPartitions(sensors, [[0, count]])).toContain("sensor=s0..s499,hour=1990-01-01T00:00+00:00..2001-");
    expect(sensors.ordinalOf(sensors.keyAt(count - 1))).toBe(count - 1);
    // Of rows that are in a set in part, the rows: here the first.
    expect(listed).toBe(1);
    // Looking at the keys of a dimension once is allowed, at its partitions never.
    const looked = spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
    expect(looked).toBeLessThan(10 * keys.length);
    ordinals.mockRestore();
  });
});
