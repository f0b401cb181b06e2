import { describe, expect, test } from "vitest";
import { z } from "zod";
import { asset, assetCheck, assetSpec, definitions, multiAsset, self, staticPartitions } from "@headgate/sdk";
import type { AnyMultiAsset } from "@headgate/sdk";
import { DefinitionsDescriber } from "../../shared/sdk/src/describe/describe-definitions.ts";
import { materialize, testContext } from "@headgate/sdk/testing";
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

describe("what a multi-asset says by output", () => {
  const said = {
    checks: { rest: { some: { blocking: true, version: 2 } } },
    requiredChecks: { train: [{ team: "etl", name: "fit" }] },
    formerly: { train: "ml/learned" },
  };

  test("is that of the output alone: checks that compute reports, checks of others, the former key", () => {
    const split = multiAsset({ assets: { train, rest }, ...said, compute: () => ({ train: 1, rest: 2 }) });
    const { entries } = described([split]);
    const [first, second, third] = entries.map(({ definition }) => definition?.definition?.value);
    expect(first).toMatchObject({ key: "ml/train", formerly: "ml/learned", requiredChecks: [{ team: "etl" }] });
    expect(second).toMatchObject({ key: "ml/rest", formerly: "", requiredChecks: [] });
    expect(third).toMatchObject({ assetKey: "ml/rest", name: "some", blocking: true, version: 2 });
    expect(entries).toHaveLength(3);
  });

  test("is refused for a name that no output has, on each of them; and for what one asset could not say", () => {
    const wrong: Readonly<Record<"train" | "rest", object>> = {
      train: { formerly: { trian: "ml/x" } },
      rest: { checks: { rest: 3 } },
    };
    const strange = errorsOf([multiAsset({ assets: { train, rest }, compute, ...wrong.train })]);
    const message = '`formerly` of the multi-asset of ml/train, ml/rest names "trian", which is none of its outputs.';
    expect(strange).toEqual(["ml/train", "ml/rest"].map((key) => [key, "definition.invalid", message]));
    const own = errorsOf([multiAsset({ assets: { train, rest }, canSubset: true, compute, ...wrong.rest } as never)]);
    expect(own.map(([key, code]) => [key, code])).toEqual([
      ["ml/train", undefined],
      ["ml/rest", "definition.invalid"],
    ]);
    for (const field of ["checks", "requiredChecks", "formerly"]) {
      for (const given of [null, 3, "x", []]) {
        const errors = errorsOf([multiAsset({ assets: { train, rest }, compute, [field]: given })]);
        expect(errors.map(([, code]) => code)).toEqual(["definition.invalid", "definition.invalid"]);
      }
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
    expect(context.reported.outputs).toEqual({ rest: { metadata: { rows: 2 }, dataVersion: "v1", checks: {} } });
    expect(await parts.compute({}, testContext(parts))).toEqual({ train: "ml/train", rest: "ml/rest" });
  });
});

describe("materialize of a multi-asset", () => {
  const rows = assetSpec({ key: "ml/train", value: z.array(z.number()) });
  const split = multiAsset({
    assets: { train: rows, rest },
    deps: { raw },
    config: z.object({ share: z.number().default(0.5) }),
    checks: { train: { some: { blocking: true } } },
    compute: ({ raw }, { config, outputs, log }) => {
      log.info("split");
      outputs.train.metadata({ share: config.share });
      if (raw !== 3) outputs.train.check("some", raw > 0);
      return { train: [raw], rest: raw };
    },
  });
  const small = assetCheck({ asset: rest, name: "small", blocking: true, run: (value) => (value as number) < 5 });

  test("gives of each output its value, metadata and checks, those that compute reports among them", async () => {
    const made = await materialize(split, { inputs: { raw: 7 }, config: { share: 0.1 }, checks: [small] });
    expect(made.train).toMatchObject({ value: [7], metadata: { share: 0.1 }, isOpen: true });
    expect(made.train.checks["some"]).toMatchObject({ outcome: "passed" });
    expect(made.rest).toMatchObject({ value: 7, isOpen: false, logs: [{ message: "split" }] });
    expect(made.rest.checks).toMatchObject({ small: { outcome: "failed" } });
    const forgotten = await materialize(split, { inputs: { raw: 3 } });
    expect(forgotten.train.checks["some"]).toMatchObject({ error: { code: "check.not_reported" } });
    expect(forgotten.train.isOpen).toBe(false);
  });

  test("makes those that are selected where it can be subset, and throws in the words of a run", async () => {
    const parts = multiAsset({
      assets: { train: rows, rest },
      canSubset: true,
      compute: (_inputs, { selected }) => (selected.has("train") ? { train: ["x" as never] } : {}),
    });
    await expect(materialize(parts, { selected: ["train"] })).rejects.toMatchObject({ code: "step.value_invalid" });
    await expect(materialize(parts, { selected: ["rest"] })).rejects.toMatchObject({
      code: "step.output_missing",
      message: 'Compute returned no "rest", which is the value of ml/rest.',
    });
    const loosely = materialize as (given: unknown, options: unknown) => Promise<unknown>;
    await expect(loosely(parts, { selected: ["tset"] })).rejects.toThrow('has no output "tset": it has train, rest.');
    await expect(loosely(split, { inputs: { raw: 1 }, selected: ["rest"] })).rejects.toThrow("all or none");
    const other = assetCheck({ asset: raw, name: "other", run: () => true });
    await expect(loosely(parts, { checks: [other] })).rejects.toThrow(
      '"other" is of ml/raw, not of ml/train or ml/rest',
    );
    await expect(loosely(split, { inputs: {} })).rejects.toThrow('reads ml/raw as "raw"');
    const extra = multiAsset({ assets: { rest }, compute: () => ({ rest: 1, more: 2 }) });
    await expect(materialize(extra)).rejects.toMatchObject({ code: "step.output_unexpected" });
  });

  test("takes its place among several assets: upstream first, one output's gate apart from the other's", async () => {
    const model = asset({ key: "ml/model", deps: { train: rows }, compute: ({ train }) => train.length });
    const rests = asset({ key: "ml/rests", deps: { rest }, compute: () => 1 });
    const from = (n: number) => ({ ...raw, compute: () => n });
    const made = await materialize([model, rests, split, from(7)], {
      checks: [small],
      config: { "ml/rest": { share: 1 } },
    });
    expect(made.value(model)).toBe(1);
    expect(made.partition(rows)?.reported?.metadata).toEqual({ share: 1 });
    expect(made.partition(rests)).toMatchObject({ status: "blocked", blockedBy: "ml/rest: check small" });
    // Made as a whole: one that is wrong takes the other with it; where parts count, it does not.
    const half = assetSpec({ key: "ml/rest", value: z.number() });
    const wrong = <Subset extends boolean>(canSubset: Subset) =>
      multiAsset({
        assets: { train: rows, rest: half },
        canSubset,
        compute: () => ({ train: [2], rest: "two" as never }),
      });
    const whole = await materialize([wrong(false)]);
    expect(whole.partition(rest)).toMatchObject({ status: "failed", error: { code: "step.value_invalid" } });
    expect(whole.partition(rows)).toMatchObject({ status: "failed", error: { code: "step.sibling_failed" } });
    const part = await materialize([wrong(true)]);
    expect(part.partition(rest)).toMatchObject({ status: "failed", error: { code: "step.value_invalid" } });
    expect(part.partition(rows)).toMatchObject({ status: "succeeded", value: [2] });
  });
});
