import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  allPartitions,
  asset,
  assetCheck,
  assetSpec,
  lastValidated,
  monthlyPartitions,
  orderOnly,
  resource,
} from "@headgate/sdk";
import { materialize, testContext } from "@headgate/sdk/testing";

const monthly = monthlyPartitions({ start: "2001-01", end: "2001-05" });
const nowMs = Date.UTC(2002, 0);
const rates = resource({ create: () => ({ eur: (cents: number) => cents / 100 }) });
const raw = assetSpec({ key: "shop/raw", value: z.array(z.number()), partitions: monthly });
const sales = asset({
  key: "shop/sales",
  deps: { raw },
  partitions: monthly,
  resources: { rates },
  config: z.object({ factor: z.number().default(1) }),
  compute: ({ raw }, { config, partition, resources, metadata, log }) => {
    metadata({ rows: raw.length, from: partition.window.start });
    log.info("summed", { month: partition.key });
    return { total: resources.rates.eur(raw.reduce((sum, cents) => sum + cents, 0)) * config.factor };
  },
});
const positive = assetCheck({
  asset: sales,
  name: "positive",
  blocking: true,
  run: ({ total }, { metadata, partition }) => ({
    passed: total > 0,
    metadata: { rows: metadata["rows"] ?? 0, month: partition.key },
  }),
});
const warned = assetCheck({ asset: sales, name: "warned", blocking: true, severity: "WARN", run: () => false });
const report = asset({
  key: "shop/report",
  deps: { sales },
  partitions: monthly,
  compute: ({ sales }) => sales.total * 2,
});
const summary = asset({
  key: "shop/summary",
  deps: { all: lastValidated(allPartitions(sales, { require: { atLeast: 1 } })), after: orderOnly(report) },
  compute: ({ all }) => ({ months: [...all.keys()], leftOut: all.leftOut }),
});
const resources = { rates: { eur: (cents: number) => cents / 100 } };

describe("testContext", () => {
  test("is the second argument of compute: partition, config with its defaults, what is reported", () => {
    const context = testContext(sales, { partition: "2001-02", resources, config: { factor: 2 } });
    const value = sales.compute({ raw: [100, 200] }, context);
    expect(value).toEqual({ total: 6 });
    expect(context.reported.metadata).toEqual({ rows: 2, from: new Date("2001-02-01T00:00:00Z") });
    expect(context.reported.logs).toEqual([{ level: "info", message: "summed", fields: { month: "2001-02" } }]);
    const defaulted = testContext(sales, { partition: "2001-02", resources });
    expect(sales.compute({ raw: [100] }, defaulted)).toEqual({ total: 1 });
  });

  test("is the second argument of a check", () => {
    const context = testContext(positive, { partition: "2001-03", metadata: { rows: 4 } });
    expect(positive.run({ total: -1 }, context)).toEqual({ passed: false, metadata: { rows: 4, month: "2001-03" } });
  });

  test("refuses what the asset does not have, in words", () => {
    expect(() => testContext(sales, { resources })).toThrow(
      "shop/sales is partitioned: give testContext a `partition`.",
    );
    expect(() => testContext(sales, { partition: "1999-01" })).toThrow('shop/sales has no partition "1999-01".');
    expect(() => testContext(sales, { partition: "2001-01", config: { factor: "x" as never } })).toThrow(
      "does not match",
    );
    const context = testContext(sales, { partition: "2001-01" });
    expect(() => sales.compute({ raw: [] }, context)).toThrow('The resource "rates" was not given to the test');
  });
});

describe("materialize", () => {
  const values = { "shop/raw": { "2001-01": [100], "2001-02": [-5], "2001-03": [300] } };

  test("computes upstream first, and a failed blocking check stops what is downstream of it", async () => {
    const result = await materialize([summary, report, sales], {
      checks: [positive, warned],
      resources,
      values,
      partitions: "2001-01..2001-03",
      nowMs,
    });
    expect(result.value(sales, "2001-01")).toEqual({ total: 1 });
    expect(result.value(report, "2001-03")).toBe(6);
    const february = result.partition(sales, "2001-02");
    expect(february).toMatchObject({ status: "succeeded", isOpen: false });
    expect(february?.checks["positive"]).toEqual({
      passed: false,
      severity: "ERROR",
      metadata: { rows: 1, month: "2001-02" },
    });
    expect(result.partition(sales, "2001-01")?.isOpen).toBe(true);
    expect(result.partition(report, "2001-02")).toMatchObject({
      status: "blocked",
      blockedBy: "shop/sales, partition 2001-02: check positive",
    });
    expect(() => result.value(report, "2001-02")).toThrow(
      /is blocked by shop\/sales, partition 2001-02: check positive/,
    );
  });

  test("leaves out of an edge what is not open, as far as its require allows", async () => {
    const apart = asset({
      key: "shop/apart",
      deps: { all: lastValidated(allPartitions(sales, { require: { atLeast: 1 } })) },
      compute: ({ all }) => ({ months: [...all.keys()], leftOut: all.leftOut }),
    });
    const result = await materialize([apart, sales], { checks: [positive], resources, values, nowMs });
    expect(result.value(apart)).toEqual({ months: ["2001-01", "2001-03"], leftOut: ["2001-02", "2001-04"] });
    const strict = asset({ key: "shop/strict", deps: { all: allPartitions(sales) }, compute: () => 1 });
    const refused = await materialize([strict, sales], { checks: [positive], resources, values, nowMs });
    expect(refused.partition(strict)?.status).toBe("blocked");
  });

  test("validates values against their schema, and hands on what compute throws", async () => {
    const wrong = asset({
      key: "shop/wrong",
      value: z.object({ n: z.number() }),
      compute: () => ({ n: "x" as never }),
    });
    const throws = asset({
      key: "shop/throws",
      compute: (): number => {
        throw new Error("no luck");
      },
    });
    const after = asset({ key: "shop/after", deps: { throws }, compute: () => 1 });
    const result = await materialize([wrong, throws, after]);
    expect(() => result.value(wrong)).toThrow("The value of shop/wrong does not match its schema. at n:");
    expect(() => result.value(throws)).toThrow("no luck");
    expect(result.partition(after)).toMatchObject({ status: "blocked", blockedBy: "shop/throws: it failed" });
  });
});
