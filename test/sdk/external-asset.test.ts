import { describe, expect, test } from "vitest";
import { z } from "zod";
import { CheckReporter } from "@headgate/proto";
import { asset, assetCheck, externalAsset, monthlyPartitions } from "@headgate/sdk";
import { described } from "./support/described.ts";

describe("an external asset", () => {
  test("goes into the manifest as one that is reported, with the checks that are reported too", () => {
    const raw = externalAsset({
      key: "shop/raw",
      value: z.array(z.string()),
      partitions: monthlyPartitions({ start: "2001-01" }),
      export: ["finance"],
      requiredChecks: [{ team: "finance", name: "complete" }],
      checks: { audit: { blocking: true, version: 2, description: "by hand" } },
    });
    const runs = assetCheck({ asset: raw, name: "not_empty", blocking: true, run: (rows) => rows.length > 0 });
    const { assets, checks, errors } = described({ assets: [raw], checks: [runs] });
    expect(errors).toEqual({});
    expect(assets["shop/raw"]).toMatchObject({
      external: { unversioned: false, hasValue: true },
      inPlace: false,
      exportTo: ["finance"],
      codeVersion: "external",
      partitions: { kind: { $case: "timeWindow" } },
      requiredChecks: [{ assetKey: "shop/raw", team: "finance", name: "complete" }],
    });
    expect(checks["shop/raw@audit"]).toMatchObject({
      blocking: true,
      version: 2,
      description: "by hand",
      reportedBy: CheckReporter.CHECK_REPORTER_API,
    });
    expect(checks["shop/raw@not_empty"]).toMatchObject({ reportedBy: CheckReporter.CHECK_REPORTER_UNSPECIFIED });
  });

  test("that is unversioned is overwritten in place", () => {
    const { assets } = described({ assets: [externalAsset({ key: "shop/lake", unversioned: true })] });
    expect(assets["shop/lake"]).toMatchObject({ external: { unversioned: true, hasValue: false }, inPlace: true });
  });

  test("that is wrong is refused by itself, in words, and hides no other", () => {
    const misspelt = { key: "shop/misspelt", unversionned: true };
    const { assets, checks, errors } = described({
      assets: [
        externalAsset(misspelt),
        externalAsset({ key: "shop/both", unversioned: true, value: z.string() }),
        externalAsset({ key: "other/theirs" }),
        externalAsset({ key: "shop/twice" }),
        asset({ key: "shop/twice", compute: () => 1 }),
        externalAsset({ key: "shop/checked", checks: { "Not a name": {}, audit: { severity: "WARN" } as never } }),
      ],
    });
    expect(errors["shop/misspelt"]).toMatch(/definition.unknown_field: .*"unversionned"/);
    expect(errors["shop/both"]).toMatch(/definition.unversioned_value: .*declares a value/);
    expect(Object.values(errors).join("\n")).toMatch(/definition.other_team: .*other\/theirs/);
    expect(errors["shop/twice"]).toMatch(/definition.duplicate: /);
    expect(errors["shop/checked@Not a name"]).toMatch(/definition.check_name_invalid/);
    expect(errors["shop/checked@audit"]).toMatch(/definition.unknown_field: .*"severity"/);
    expect(Object.keys(assets)).toEqual(["shop/checked"]);
    expect(checks).toEqual({});
  });
});
