import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  allPartitions,
  asset,
  assetCheck,
  assetChecks,
  assetSpec,
  cronPartitions,
  dailyPartitions,
  definitions,
  env,
  externalAsset,
  ioManager,
  lastValidated,
  monthlyPartitions,
  orderOnly,
  resource,
  secret,
  staticPartitions,
  weeklyPartitions,
  windowOffset,
} from "@headgate/sdk";
import { sdkVersion } from "../../shared/sdk/src/sdk-version.ts";

describe("the constructors", () => {
  test("never throw, whatever they are given: what is wrong is reported where it is loaded", () => {
    const any = undefined as never;
    for (const make of [
      () => asset(any),
      () => assetSpec(any),
      () => externalAsset(any),
      () => assetCheck(any),
      () => assetChecks(any),
      () => definitions(any),
      () => resource(any),
      () => ioManager(any),
      () => lastValidated(any),
      () => allPartitions(any),
      () => orderOnly(any),
      () => windowOffset(any, -1),
      () => dailyPartitions(any),
      () => cronPartitions(any),
      () => staticPartitions(any),
      () => env(any),
      () => secret(any),
    ]) {
      expect(make, String(make)).not.toThrow();
    }
  });

  test("make frozen values", () => {
    const spec = assetSpec({ key: "shop/orders" });
    expect(Object.isFrozen(spec)).toBe(true);
    expect(Object.isFrozen(asset({ ...spec, compute: () => 1 }))).toBe(true);
  });

  test("keep what a spec says when an asset is made of it", () => {
    const monthly = monthlyPartitions({ start: "2001-01" });
    const spec = assetSpec({ key: "shop/orders", partitions: monthly, tags: { tier: "gold" }, export: true });
    expect(asset({ ...spec, compute: () => 1 })).toMatchObject({
      key: "shop/orders",
      partitions: monthly,
      export: true,
    });
  });

  test("nest edges either way round", () => {
    const spec = assetSpec({ key: "shop/orders", partitions: monthlyPartitions({ start: "2001-01" }) });
    const inner = lastValidated(allPartitions(spec, { require: { atLeast: 1 } }));
    const outer = allPartitions(lastValidated(spec), { require: { atLeast: 1 } });
    expect(inner).toEqual(outer);
    expect(inner).toMatchObject({ mode: "lastValidated", mapping: { kind: "all" }, require: { atLeast: 1 } });
    expect(windowOffset(spec, -1)).toMatchObject({ mapping: { kind: "window", startOffset: -1, endOffset: -1 } });
  });

  test("cut weeks on Monday", () => {
    expect(weeklyPartitions({ start: "2001-01-01" })).toMatchObject({ cron: "0 0 * * 1", timezone: "UTC" });
  });
});

test("the SDK tells its own version", () => {
  const file = new URL("../../shared/sdk/package.json", import.meta.url);
  expect((JSON.parse(readFileSync(file, "utf8")) as { version: string }).version).toBe(sdkVersion);
});
