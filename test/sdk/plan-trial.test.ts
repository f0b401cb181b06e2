import { describe, expect, test } from "vitest";
import {
  allPartitions,
  asset,
  assetCheck,
  assetSpec,
  lastValidated,
  monthlyPartitions,
  orderOnly,
  self,
  valueOf,
  windowOffset,
} from "@headgate/sdk";
import { planTrial } from "../../shared/sdk/src/trial/plan-trial.ts";

const monthly = monthlyPartitions({ start: "2001-01", end: "2001-04" });
const raw = assetSpec({ key: "shop/raw", partitions: monthly });
const rates = assetSpec({ key: "shop/rates" });
const sales = asset({
  key: "shop/sales",
  value: valueOf<number>(),
  partitions: monthly,
  deps: {
    raw,
    rates,
    before: windowOffset(self, -1),
    all: lastValidated(allPartitions(raw)),
    two: allPartitions(raw, { require: { atLeast: 2 } }),
    after: orderOnly(rates),
  },
  checks: { complete: { blocking: true } },
  timeoutMs: 1_000,
  compute: () => 1,
});
const positive = assetCheck({ asset: sales, name: "positive", blocking: true, run: () => true });
const nowMs = Date.UTC(2002, 0);

function planned(key: string, partition?: string) {
  const checks = new Map([["shop/sales@positive", positive]]);
  return planTrial({ assets: new Map([["shop/sales", sales]]), checks, outputs: new Map() }, key, partition, nowMs);
}

describe("planTrial", () => {
  test("says what each dependency reads for the partition, by the definitions alone", () => {
    const result = planned("shop/sales", "2001-01");
    if (!result.ok) throw new Error(result.refusal.message);
    const { edges, ...plan } = result.plan;
    expect(
      edges.map(({ name, assetKey, partitions, count, needed, single }) => [
        name,
        assetKey,
        partitions,
        count,
        needed,
        single,
      ]),
    ).toEqual([
      ["raw", "shop/raw", "2001-01", 1, 1, true],
      ["rates", "shop/rates", "", 1, 1, true],
      // Before the first there is nothing, and nothing is needed.
      ["before", "shop/sales", "", 0, 0, true],
      ["all", "shop/raw", "2001-01..2001-03", 3, 1, false],
      ["two", "shop/raw", "2001-01..2001-03", 3, 2, false],
      ["after", "shop/rates", "", 1, 1, true],
    ]);
    expect(plan).toEqual({
      assetKey: "shop/sales",
      partitionKey: "2001-01",
      window: { start: "2001-01-01T00:00:00+00:00", end: "2001-02-01T00:00:00+00:00" },
      checks: [
        { name: "complete", blocking: true, runs: false },
        { name: "positive", blocking: true, runs: true },
      ],
      timeoutMs: 1_000,
    });
  });

  test.each([
    [
      "shop/sales",
      undefined,
      "shop/sales is partitioned: say which partition.",
      "For example --partition 2001-03; there are 2001-01..2001-03.",
    ],
    ["shop/sales", "2001-13", "shop/sales: partition 2001-13 is no month.", "Write 2001-01 to 2001-12."],
    [
      "shop/sales",
      "2001-01..2001-02",
      "One partition of shop/sales is tried at a time, and 2001-01..2001-02 names several.",
      "For example --partition 2001-01.",
    ],
    ["shop/slaes", "2001-01", "This code defines no asset shop/slaes.", "Did you mean shop/sales?"],
  ])("refuses %s %s and says what to write", (key, partition, message, hint) => {
    expect(planned(key, partition)).toMatchObject({ ok: false, refusal: { message, hint } });
  });
});
