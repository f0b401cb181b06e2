import { describe, expect, test } from "vitest";
import {
  asset,
  assetCheck,
  assetSpec,
  monthlyPartitions,
  multiAsset,
  self,
  valueOf,
  windowOffset,
} from "@headgate/sdk";
import { materialize, testContext } from "@headgate/sdk/testing";
import { described } from "./support/described.ts";

const month = monthlyPartitions({ start: "2001-01", end: "2001-07" });
const raw = asset({
  key: "shop/raw",
  partitions: month,
  compute: (_inputs, { partition }) => Number(partition.key.slice(5)),
});
const rates = asset({ key: "shop/rates", compute: () => 10 });
const nothing = () => new Map<string, number>();

/** The partitions of each call, in order. */
const calls: string[][] = [];
const totals = asset({
  key: "shop/totals",
  partitions: month,
  batch: { partitionsMax: 3 },
  deps: { raw, before: windowOffset(raw, -1, 0), rates },
  value: valueOf<number>(),
  checks: { counted: { blocking: true } },
  compute: ({ raw: own, before, rates: rate }, { partitions, log }) => {
    calls.push(partitions.map(({ key }) => key));
    const values = new Map<string, number>();
    for (const { key, metadata, check, fail } of partitions) {
      log.info(`month ${key}`);
      metadata({ rows: before.get(key).size });
      check("counted", key !== "2001-05");
      if (key === "2001-02") fail(new Error("no orders in February"));
      else if (key !== "2001-06") values.set(key, own.get(key) * rate.get(key));
    }
    return values;
  },
});

describe("an asset that computes several partitions in one call", () => {
  test("says so in the manifest", () => {
    const { assets, errors } = described({ assets: [raw, rates, totals] });
    expect(errors).toEqual({});
    expect([assets["shop/totals"]?.batch, assets["shop/raw"]?.batch]).toEqual([{ partitionsMax: 3 }, undefined]);
  });

  test("is refused where its partitions wait for one another, where there are none, and as an output", () => {
    const deps = { previous: windowOffset(self, -1) } as never;
    const wrong = (options: object) => asset({ partitions: month, batch: {}, compute: nothing, ...options } as never);
    const { errors } = described({
      assets: [
        wrong({ key: "shop/chain", batch: { partitionsMax: 2 }, value: valueOf<number>(), deps }),
        wrong({ key: "shop/single", batch: { partitionsMax: 2 }, partitions: undefined }),
        wrong({ key: "shop/many", batch: { partitionsMax: 401 } }),
        wrong({ key: "shop/unsaid" }),
        wrong({ key: "shop/misspelt", batch: { partitionMax: 2 } }),
        multiAsset({
          assets: { one: assetSpec({ key: "shop/one" }) },
          batch: { partitionsMax: 2 },
          compute: () => ({ one: 1 }),
        } as never),
      ],
    });
    expect(errors).toEqual({
      "shop/chain":
        'definition.batch_invalid: asset shop/chain reads earlier partitions of itself as "previous": one call cannot compute what it waits for.',
      "shop/single": "definition.batch_invalid: asset shop/single has a batch and no partitions.",
      "shop/many":
        'definition.invalid: "partitionsMax" of batch of asset shop/many must be a whole number from 1 to 400, and is 401.',
      "shop/unsaid": "definition.batch_invalid: batch of asset shop/unsaid does not say how many partitions at most.",
      "shop/misspelt": 'definition.unknown_field: batch of asset shop/misspelt has an unknown field "partitionMax".',
      "shop/one":
        "definition.batch_invalid: asset shop/one is an output of a multi-asset, whose call computes one partition of each.",
    });
  });
});

describe("a test of an asset that computes several partitions in one call", () => {
  const inputs = {
    raw: { "2001-01": 1, "2001-03": 3 },
    before: {
      "2001-01": { "2001-01": 1 },
      "2001-03": new Map([
        ["2001-02", 2],
        ["2001-03", 3],
      ]) as never,
    },
    rates: { "2001-01": 10, "2001-03": 20 },
  };

  test("gives each input for each partition, and gets value, metadata and verdicts of each", async () => {
    const even = assetCheck({ asset: totals, name: "even", run: (value) => value % 20 === 0 });
    const made = await materialize(totals, { partitions: ["2001-01", "2001-03"], inputs, checks: [even] });
    expect(
      [...made].map(([key, { value, metadata, checks }]) => [key, value, metadata, checks["even"]?.passed]),
    ).toEqual([
      ["2001-01", 10, { rows: 1 }, false],
      ["2001-03", 60, { rows: 2 }, true],
    ]);
    expect(made.get("2001-01").checks["counted"]?.passed).toBe(true);
    expect(() => made.get("2001-02")).toThrow('computes no partition "2001-02"');
  });

  test("is told what it did not give, and of a partition that failed its error", async () => {
    const one = (key: string) =>
      materialize(totals, {
        partitions: [key],
        inputs: { raw: { [key]: 1 }, before: { [key]: {} }, rates: { [key]: 1 } },
      });
    await expect(one("2001-02")).rejects.toThrow("no orders in February");
    await expect(one("2001-06")).rejects.toThrow("returned nothing for partition 2001-06, which it was asked for");
    const missing = materialize(totals, { partitions: ["2001-04"], inputs });
    await expect(missing).rejects.toThrow('reads shop/raw as "raw": give it');
    const four = ["2001-01", "2001-02", "2001-03", "2001-04"];
    await expect(materialize(totals, { partitions: four, inputs })).rejects.toThrow("computes 1 to 3 partitions");
    const strange = { ...totals, compute: () => new Map([["2001-09", 1]]) };
    const made = materialize(strange, { partitions: ["2001-01"], inputs });
    await expect(made).rejects.toThrow("returned 2001-09, which it was not asked for");
    const none = { ...totals, compute: () => [1] as never };
    await expect(materialize(none, { partitions: ["2001-01"], inputs })).rejects.toThrow("did not return a Map");
  });

  test("of several assets asks for as many at a time as the asset takes, and one that fails fails alone", async () => {
    calls.length = 0;
    const after = asset({
      key: "shop/after",
      partitions: month,
      deps: { totals },
      compute: (given) => given.totals + 1,
    });
    const result = await materialize([raw, rates, totals, after], {});
    expect(calls).toEqual([
      ["2001-01", "2001-02", "2001-03"],
      ["2001-04", "2001-05", "2001-06"],
    ]);
    const ends = [1, 2, 3, 4, 5, 6].map((n) => {
      const partition = result.partition(after, `2001-0${n}`);
      return partition?.status === "succeeded" ? partition.value : partition?.blockedBy;
    });
    const failed = (key: string) => `shop/totals, partition ${key}: it failed`;
    const shut = "shop/totals, partition 2001-05: check counted";
    expect(ends).toEqual([11, failed("2001-02"), 31, 41, shut, failed("2001-06")]);
  });

  test("may call compute itself with a context that keeps what it said of each", async () => {
    const context = testContext(totals, { partitions: ["2001-01", "2001-02"] });
    const of = <T>(one: T, two: T) =>
      new Map([
        ["2001-01", one],
        ["2001-02", two],
      ]) as never;
    const values = await totals.compute({ raw: of(1, 2), before: of(new Map(), new Map()), rates: of(2, 2) }, context);
    expect([...values]).toEqual([["2001-01", 2]]);
    expect(context.reported.partitions).toMatchObject({
      "2001-01": { metadata: { rows: 0 }, checks: { counted: { passed: true } }, error: undefined },
      "2001-02": { error: { message: "no orders in February" } },
    });
    expect(context.partitions[1]?.window.start.toISOString()).toBe("2001-02-01T00:00:00.000Z");
  });
});
