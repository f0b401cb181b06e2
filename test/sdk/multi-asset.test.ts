import { describe, expect, test } from "vitest";
import { asset, assetCheck, assetSpec, definitions, multiAsset, self, staticPartitions } from "@headgate/sdk";
import type { AnyMultiAsset } from "@headgate/sdk";
import { DefinitionsDescriber } from "../../shared/sdk/src/describe/describe-definitions.ts";
import { testContext } from "@headgate/sdk/testing";
import { CodeBase } from "../../shared/sdk/src/step/code-base.ts";

const source = "test/sdk/multi-asset.test.ts";

/** As a worker describes what a module exports, with this file for the location's code. */
function described(assets: readonly unknown[], checks: readonly unknown[] = []) {
  const folder = process.cwd();
  const codeBase = new CodeBase({
    entry: "",
    folder,
    sourceHashes: { [import.meta.filename]: "x" },
    entrySource: source,
  });
  const exported = definitions({ team: "ml", assets: assets as never, checks: checks as never });
  return new DefinitionsDescriber(codeBase, source, (a) => a.codeVersion ?? "derived").describe(exported);
}

const errorsOf = (assets: readonly unknown[]): (string | undefined)[][] =>
  described(assets).entries.map(({ key, error }) => [key, error?.code, error?.message]);

const train = assetSpec({ key: "ml/train", description: "What the model learns from.", codeVersion: "7" });
const rest = assetSpec({ key: "ml/rest", export: ["etl"] });
const raw = asset({ key: "ml/raw", compute: () => 1 });
const compute = () => ({ train: 1, rest: 2 });

describe("a multi-asset", () => {
  test("is an asset each in the manifest, which says what it is computed with, and where it was written", () => {
    const split = multiAsset({
      assets: { train, rest },
      deps: { raw },
      timeoutMs: 5_000,
      pool: "gpu",
      codeVersion: "3",
      compute,
    });
    const check = assetCheck({ asset: split.assets.rest, name: "ok", run: () => true });
    const { entries, outputs } = described([raw, split], [check]);
    const assets = entries.flatMap(({ definition }) => {
      return definition?.definition?.$case === "asset" ? [definition.definition.value] : [];
    });
    const multi = { outputs: ["ml/train", "ml/rest"], canSubset: false };
    expect(assets.slice(1)).toMatchObject([
      {
        key: "ml/train",
        description: "What the model learns from.",
        codeVersion: "7",
        exportTo: [],
        timeoutMs: 5_000,
        pool: "gpu",
      },
      { key: "ml/rest", description: "", codeVersion: "3", exportTo: ["etl"], timeoutMs: 5_000, pool: "gpu" },
    ]);
    expect(assets.map((a) => a.multi)).toEqual([undefined, multi, multi]);
    expect(assets.map((a) => a.dependencies.map(({ assetKey }) => assetKey))).toEqual([[], ["ml/raw"], ["ml/raw"]]);
    const line = assets[1]?.source?.line ?? 0;
    expect(assets.slice(1).map((a) => a.source)).toEqual([
      { file: source, line },
      { file: source, line },
    ]);
    expect(line).toBeGreaterThan(30);
    expect(entries.at(-1)).toMatchObject({ kind: "check", key: "ml/rest@ok" });
    expect([...outputs].map(([key, output]) => [key, output.name])).toEqual([
      ["ml/train", "train"],
      ["ml/rest", "rest"],
    ]);
  });

  test("that can only be computed as a whole loads as a whole: each of its assets says why it did not", () => {
    const bad = assetSpec({ key: "ml/bad", descripton: "misspelt" } as never);
    const whole = multiAsset({ assets: { train, bad }, compute: () => ({ train: 1, bad: 1 }) });
    expect(errorsOf([whole, raw])).toEqual([
      [
        "ml/train",
        "definition.sibling_broken",
        'One call computes asset ml/train together with "ml/bad", which did not load.',
      ],
      ["ml/bad", "definition.unknown_field", 'asset ml/bad has an unknown field "descripton".'],
      ["ml/raw", undefined, undefined],
    ]);
    const parts = multiAsset({ assets: { train, bad }, canSubset: true, compute: () => ({}) });
    expect(errorsOf([parts]).map(([key, code]) => [key, code])).toEqual([
      ["ml/train", undefined],
      ["ml/bad", "definition.unknown_field"],
    ]);
  });

  test("that is wrong is refused in words, on each asset that it concerns", () => {
    const codesOf = (assets: object, more: object = {}) =>
      errorsOf([multiAsset({ assets, compute, ...more } as never)]).map(([key, code]) => [key, code]);
    const months = assetSpec({ key: "ml/months", partitions: staticPartitions(["a"]) });
    expect(codesOf({})).toEqual([[`${source}#assets[0]`, "definition.invalid"]]);
    expect(codesOf({ train, months }, { canSubset: true })).toEqual([
      ["ml/train", undefined],
      ["ml/months", "definition.partitions_differ"],
    ]);
    expect(codesOf({ train }, { deps: { train } })).toEqual([["ml/train", "definition.sibling_dependency"]]);
    expect(codesOf({ train }, { deps: { earlier: self } })).toEqual([["ml/train", "definition.sibling_dependency"]]);
    expect(codesOf({ train }, { canSubest: true })).toEqual([["ml/train", "definition.unknown_field"]]);
    expect(codesOf({ train }, { compute: 3 })).toEqual([["ml/train", "definition.invalid"]]);
    expect(codesOf({ raw }, { canSubset: true })).toEqual([["ml/raw", "definition.invalid"]]);
    expect(codesOf({ train, lost: undefined }, { canSubset: true })).toEqual([
      ["ml/train", undefined],
      [`${source}#assets[0].lost`, "definition.invalid"],
    ]);
    const other = assetSpec({ key: "etl/rows" });
    expect(codesOf({ other })).toEqual([["etl/rows", "definition.other_team"]]);
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`n${n}`, assetSpec({ key: `ml/n${n}` })]));
    expect(new Set(codesOf(many).map(([, code]) => code))).toEqual(new Set(["definition.invalid"]));
  });

  test("whose asset is defined a second time elsewhere refuses that asset, with both places", () => {
    const split = multiAsset({ assets: { train, rest }, canSubset: true, compute });
    const again = asset({ ...train, compute: () => 1 });
    expect(errorsOf([split, again]).map(([key, code]) => [key, code])).toEqual([
      ["ml/train", "definition.duplicate"],
      ["ml/rest", undefined],
    ]);
  });

  test("is made of whatever it is given, without an error of its own", () => {
    for (const given of [undefined, null, 3, { assets: null }]) {
      const made = multiAsset(given as never) as AnyMultiAsset;
      expect(made.kind).toBe("multiAsset");
      expect(described([made]).entries[0]?.error?.code).toBe("definition.invalid");
    }
  });
});

describe("a multi-asset in a unit test", () => {
  test("is called as the function that it is, and says of each output what it reported", async () => {
    const parts = multiAsset({
      assets: { train, rest },
      canSubset: true,
      compute: (_inputs, { selected, outputs }) => {
        outputs.rest?.metadata({ rows: 2 });
        outputs.rest?.dataVersion("v1");
        return Object.fromEntries([...selected].map((name) => [name, outputs[name]?.assetKey]));
      },
    });
    const context = testContext(parts, { selected: ["rest"] });
    expect(await parts.compute({}, context)).toEqual({ rest: "ml/rest" });
    expect(context.reported.outputs).toEqual({ rest: { metadata: { rows: 2 }, dataVersion: "v1" } });
    expect(await parts.compute({}, testContext(parts))).toEqual({ train: "ml/train", rest: "ml/rest" });
  });
});
