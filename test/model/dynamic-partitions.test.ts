import {
  defaultMapping,
  downstreamPartitions,
  dynamicKeyProblem,
  formatPartitions,
  mappingProblem,
  mapsOneToOne,
  parsePartitions,
  partitionSpace,
  rangeSet,
  upstreamPartitions,
} from "@headgate/model";
import type { DynamicKeys, PartitionSpace } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const nowMs = Date.parse("2001-07-15T00:00Z");
const customers = { kind: "dynamic", name: "customers" } as const;
const regions = { kind: "static", keys: ["eu", "us"] } as const;
const keysOf =
  (...keys: string[]): DynamicKeys =>
  (name) =>
    name === "customers" ? keys : [];
const some = keysOf("acme", "globex", "initech");
const single = partitionSpace(customers, some);
const perRegion = partitionSpace(
  {
    kind: "multi",
    dimensions: [
      { name: "region", definition: regions },
      { name: "customer", definition: customers },
    ],
  },
  some,
);

const keys = (space: PartitionSpace) => Array.from({ length: space.count(nowMs) }, (_, n) => space.keyAt(n));
const read = (space: PartitionSpace, text: string) => {
  const parsed = parsePartitions(space, text, nowMs);
  return parsed.ok
    ? [...rangeSet.ordinals(parsed.set)].map((n) => space.keyAt(n))
    : `${parsed.message}; ${parsed.hint}`;
};

describe("dynamic partitions", () => {
  it("are the keys that they are given, in their order, and none without", () => {
    expect(keys(single)).toEqual(["acme", "globex", "initech"]);
    expect(keys(partitionSpace(customers))).toEqual([]);
    expect(keys(perRegion)).toEqual(
      ["acme", "globex", "initech"].flatMap((customer) => ["eu", "us"].map((r) => `region=${r},customer=${customer}`)),
    );
  });

  it("keep the ordinals of what is there when keys come, also among several dimensions", () => {
    const more = keysOf("acme", "globex", "initech", "umbrella");
    for (const space of [single, perRegion]) {
      const later = partitionSpace(space.definition, more);
      expect(keys(later).slice(0, space.count(nowMs))).toEqual(keys(space));
    }
  });

  it("are chosen by key and in lists, and written as keys", () => {
    expect(read(single, "globex,acme")).toEqual(["acme", "globex"]);
    expect(read(perRegion, "region=eu,customer=acme,initech")).toEqual([
      "region=eu,customer=acme",
      "region=eu,customer=initech",
    ]);
    expect(formatPartitions(single, rangeSet.range(0, 3))).toBe("acme,globex,initech");
    expect(formatPartitions(perRegion, rangeSet.range(0, 6))).toBe("region=eu..us,customer=acme,globex,initech");
  });

  it("say how to add what is missing", () => {
    expect(read(single, "hooli")).toBe(
      "partition hooli does not exist; write one of acme, globex, initech; or add it: headgate partition add TEAM/customers hooli",
    );
    expect(read(partitionSpace(customers), "hooli")).toBe(
      "partition hooli does not exist, nor does any other; add it: headgate partition add TEAM/customers hooli",
    );
    expect(read(perRegion, "region=eu,customer=hooli")).toContain("dimension customer: partition hooli does not exist");
  });

  it.each([
    ["", "is empty"],
    ["a,b", "cannot be written in a selection"],
    ["a..b", "cannot be written in a selection"],
    [" a", "cannot be written in a selection"],
    ["a\u0000", "cannot be printed"],
    ["a\ud800", "cannot be printed"],
    ["a=b", 'has a "="'],
    ["x".repeat(129), "is too long"],
  ])("have no key such as %j", (key, words) => {
    expect(dynamicKeyProblem(key)?.message).toContain(words);
  });

  it("take any other key, which a selection reads back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }), (key) => {
        if (dynamicKeyProblem(key) !== undefined) return;
        expect(read(partitionSpace(customers, keysOf("other", key)), key)).toEqual([key]);
      }),
    );
  });

  it.each([undefined, "", "Two Words", "a/b"])("are not called %j", (name) => {
    expect(() => partitionSpace({ kind: "dynamic", name: name as never })).toThrow("is no name of dynamic partitions");
  });
});

describe("a mapping of dynamic partitions", () => {
  it("reads the same key of the same set, whatever its keys are at the moment", () => {
    const spaces = [single, perRegion, partitionSpace(customers)];
    for (const upstream of spaces) {
      for (const downstream of spaces) {
        expect(mappingProblem(defaultMapping(upstream, downstream), upstream, downstream)).toBeUndefined();
      }
    }
    const mapping = defaultMapping(single, perRegion);
    expect(upstreamPartitions(mapping, single, perRegion, rangeSet.of(3), nowMs)).toEqual(rangeSet.of(1));
    expect(downstreamPartitions(mapping, single, perRegion, rangeSet.of(1), nowMs)).toEqual(rangeSet.range(2, 4));
    expect(mapsOneToOne(mapping, single, perRegion)).toBe(true);
    expect(upstreamPartitions({ kind: "all" }, single, partitionSpace(undefined), rangeSet.of(0), nowMs)).toEqual([
      [0, 3],
    ]);
    expect(upstreamPartitions({ kind: "last" }, single, partitionSpace(undefined), rangeSet.of(0), nowMs)).toEqual([
      [2, 3],
    ]);
  });

  it("refuses another set, and other partitions, by the definitions alone", () => {
    const others = partitionSpace({ kind: "dynamic", name: "others" }, () => ["acme", "globex", "initech"]);
    const listed = partitionSpace({ kind: "static", keys: ["acme", "globex", "initech"] });
    for (const other of [others, listed]) {
      expect(mappingProblem(defaultMapping(single, other), single, other)?.message).toContain("customers");
      expect(mappingProblem(defaultMapping(other, single), other, single)?.message).toContain("customers");
    }
    const grows = {
      kind: "multi",
      dimensions: [
        { name: "customer", definition: customers },
        { name: "month", definition: { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001" } },
      ],
    } as const;
    expect(() => partitionSpace(grows)).toThrow("customer and month both grow");
  });

  it("by a table is refused: a key that is not there would be left out without a word", () => {
    const byRegion = partitionSpace(regions);
    const mapping = { kind: "static", upstreamOf: { eu: ["acme", "hooli"], us: [] } } as const;
    expect(mappingProblem(mapping, single, byRegion)?.message).toContain("no table can name them");
  });
});
