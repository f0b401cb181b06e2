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
  Permanent,
  resource,
  self,
  valueOf,
  windowOffset,
} from "@headgate/sdk";
import { materialize, partitioned, runCheck, testContext } from "@headgate/sdk/testing";

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
    expect(() => testContext(sales, { resources })).toThrow("shop/sales is partitioned: give it a `partition`.");
    expect(() => testContext(sales, { partition: "1999-01" })).toThrow(
      'shop/sales has no partition "1999-01": write 2001-01..2001-04.',
    );
    expect(() => testContext(sales, { partition: "2001-01", config: { factor: "x" as never } })).toThrow(
      "does not match",
    );
    const context = testContext(sales, { partition: "2001-01" });
    expect(() => sales.compute({ raw: [] }, context)).toThrow('The resource "rates" was not given to the test');
  });
});

describe("materialize of one asset", () => {
  test("computes on the inputs that are given and judges the value as a run would", async () => {
    const made = await materialize(sales, {
      inputs: { raw: [100, -300] },
      partition: "2001-02",
      config: { factor: 2 },
      resources,
      checks: [positive, warned],
    });
    expect(made.value).toEqual({ total: -4 });
    // As checks and readers receive it: a date is its milliseconds.
    expect(made.metadata).toEqual({ rows: 2, from: Date.UTC(2001, 1) });
    expect(made.logs).toEqual([{ level: "info", message: "summed", fields: { month: "2001-02" } }]);
    expect(made.checks["positive"]).toMatchObject({ outcome: "failed", metadata: { rows: 2, month: "2001-02" } });
    expect(made.checks["warned"]).toMatchObject({ outcome: "warned", passed: false });
    expect(made.isOpen).toBe(false);
  });

  test("takes several partitions as an object, or as `partitioned` with what was left out", async () => {
    const read = asset({
      key: "shop/read",
      partitions: monthly,
      deps: { all: lastValidated(allPartitions(sales)), raw, after: orderOnly(report) },
      compute: ({ all, raw }, { inputs }) => ({
        totals: [...all].map(([key, { total }]) => [key, total]),
        raw,
        inputs,
      }),
    });
    const options = { partition: "2001-03" };
    const { value } = await materialize(read, {
      ...options,
      inputs: { all: { "2001-01": { total: 1 }, "2001-02": { total: 2 } }, raw: [1] },
    });
    expect(value.totals).toEqual([
      ["2001-01", 1],
      ["2001-02", 2],
    ]);
    expect(value.inputs.raw).toMatchObject({ assetKey: "shop/raw", versions: [{ partitionKey: "2001-03" }] });
    const all = partitioned({ "2001-01": { total: 1 } }, ["2001-02"]);
    const partial = await materialize(read, { ...options, inputs: { all, raw: [1] } });
    expect(partial.value.inputs.all).toMatchObject({ versions: [{ partitionKey: "2001-01" }], leftOut: ["2001-02"] });
  });

  test("fails in the words of a run", async () => {
    const given = { inputs: { raw: [1] }, partition: "2001-01", resources };
    await expect(materialize(sales, { ...given, config: { factor: "two" as never } })).rejects.toMatchObject({
      code: "step.config_invalid",
      message: expect.stringMatching(/^The config for shop\/sales does not match its schema\. at factor: /) as string,
    });
    const wrong = asset({
      key: "shop/wrong",
      value: z.object({ n: z.number() }),
      compute: () => ({ n: "x" as never }),
    });
    await expect(materialize(wrong)).rejects.toMatchObject({
      code: "step.value_invalid",
      message: expect.stringMatching(/^The value of shop\/wrong does not match its schema\. at n: /) as string,
    });
    const said = asset({ key: "shop/said", compute: (_, { metadata }) => metadata({ f: (() => 1) as never }) });
    await expect(materialize(said)).rejects.toMatchObject({ code: "step.metadata_invalid" });
    const permanent = asset({
      key: "shop/permanent",
      compute: (): number => {
        throw new Permanent("no such file");
      },
    });
    await expect(materialize(permanent)).rejects.toBeInstanceOf(Permanent);
  });

  test("refuses inputs that the asset does not read, in words", async () => {
    const loosely = materialize as (asset: unknown, options: unknown) => Promise<unknown>;
    const rest = { partition: "2001-01", resources };
    await expect(loosely(sales, rest)).rejects.toThrow(
      'shop/sales reads shop/raw as "raw": give it in inputs: { raw: ... }.',
    );
    await expect(loosely(sales, { ...rest, inputs: { rwa: [], raw: [] } })).rejects.toThrow(
      'shop/sales has no dependency "rwa": it has raw.',
    );
    await expect(loosely(summary, { inputs: { all: [1] } })).rejects.toThrow(
      'shop/summary reads several partitions of shop/sales as "all": give them by partition key',
    );
    await expect(
      loosely(report, { inputs: { sales: { total: 1 } }, partition: "2001-01", checks: [positive] }),
    ).rejects.toThrow('The check "positive" is of shop/sales, not of shop/report.');
  });
});

describe("runCheck", () => {
  const partition = "2001-02";

  test("gives the outcome that a run records", async () => {
    expect(await runCheck(positive, { total: 1 }, { partition, metadata: { rows: 3 } })).toEqual({
      outcome: "passed",
      passed: true,
      severity: "ERROR",
      description: "",
      metadata: { rows: 3, month: "2001-02" },
      error: undefined,
    });
    expect(await runCheck(warned, { total: 1 }, { partition })).toMatchObject({ outcome: "warned", passed: false });
    const judged = assetCheck({
      asset: sales,
      name: "judged",
      severity: "WARN",
      run: () => ({ passed: false, severity: "ERROR" }),
    });
    expect(await runCheck(judged, { total: 1 }, { partition })).toMatchObject({ outcome: "failed", severity: "ERROR" });
  });

  test("has errored where the check throws, gives no verdict or takes too long", async () => {
    const throws = assetCheck({
      asset: sales,
      name: "throws",
      run: () => {
        throw new Error("no luck");
      },
    });
    expect(await runCheck(throws, { total: 1 }, { partition })).toMatchObject({
      outcome: "errored",
      error: { message: "no luck" },
    });
    const silent = assetCheck({ asset: sales, name: "silent", run: () => undefined as never });
    expect(await runCheck(silent, { total: 1 }, { partition })).toMatchObject({
      outcome: "errored",
      error: { code: "check.result_invalid" },
    });
    const slow = assetCheck({ asset: sales, name: "slow", timeoutMs: 5, run: () => new Promise<boolean>(() => {}) });
    expect(await runCheck(slow, { total: 1 }, { partition })).toMatchObject({
      outcome: "errored",
      error: { code: "check.timed_out", message: 'The check "slow" ran into its timeout of 5 ms.' },
    });
  });
});

describe("materialize of several assets", () => {
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
      outcome: "failed",
      passed: false,
      severity: "ERROR",
      description: "",
      metadata: { rows: 1, month: "2001-02" },
      error: undefined,
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

  test("computes what reads itself as a chain, which a failed check ends", async () => {
    const running = asset({
      key: "shop/running",
      value: valueOf<{ months: number }>(),
      partitions: monthly,
      deps: {
        previous: windowOffset(self, -1),
        before: lastValidated(windowOffset(self, -3, -1), { require: { atLeast: 2 } }),
      },
      compute: ({ previous, before }) => ({ months: (previous?.months ?? 0) + (before.size > 2 ? 0 : 1) }),
    });
    const small = assetCheck({ asset: running, name: "small", blocking: true, run: ({ months }) => months < 3 });
    const result = await materialize([running], { checks: [small], nowMs });
    expect(["2001-01", "2001-02", "2001-03"].map((key) => result.value(running, key).months)).toEqual([1, 2, 3]);
    expect(result.partition(running, "2001-04")).toMatchObject({
      status: "blocked",
      blockedBy: "shop/running, partition 2001-03: check small",
    });
    const first = await materialize(running, { partition: "2001-01", inputs: { previous: undefined, before: {} } });
    expect(first.value).toEqual({ months: 1 });
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
    const errs = assetCheck({
      asset: throws,
      name: "errs",
      blocking: true,
      run: () => {
        throw new Error("no verdict");
      },
    });
    const fine = { ...throws, compute: () => 1 };
    const errored = await materialize([fine, after], { checks: [errs] });
    expect(errored.partition(fine)).toMatchObject({ status: "failed", isOpen: false, value: 1 });
    expect(errored.partition(after)).toMatchObject({ status: "blocked", blockedBy: "shop/throws: check errs" });
  });
});
