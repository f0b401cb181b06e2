import { z } from "zod";
import { asset, assetCheck, assetSpec, dailyPartitions, definitions, multiAsset, valueOf } from "@headgate/sdk";
import type { OutputContext } from "@headgate/sdk";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_proof: Equal<A, B>): void {}

const daily = dailyPartitions({ start: "2026-01-01" });
const Row = z.object({ id: z.string(), cents: z.string().transform(Number) });
const orders = asset({ key: "ml/orders", partitions: daily, compute: () => [{ id: "1", cents: 2 }] });
const train = assetSpec({ key: "ml/train", value: z.array(Row), partitions: daily });
const rest = assetSpec({ key: "ml/rest", value: valueOf<number>(), partitions: daily });
const free = assetSpec({ key: "ml/free", partitions: daily });
const unpartitioned = assetSpec({ key: "ml/unpartitioned" });

export const split = multiAsset({
  assets: { train, rest, free },
  deps: { orders },
  config: z.object({ share: z.number().default(0.8) }),
  compute: ({ orders }, { selected, outputs, partition, config }) => {
    same<typeof orders, { id: string; cents: number }[]>(true);
    same<typeof selected, ReadonlySet<"train" | "rest" | "free">>(true);
    same<typeof outputs.train, OutputContext>(true);
    same<typeof partition.key, string>(true);
    same<typeof config.share, number>(true);
    outputs.rest.metadata({ rows: 1 });
    return { train: [{ id: "1", cents: "2" }], rest: 1, free: undefined };
  },
});

// Readers and checks see the value as its schema puts it out.
export const model = asset({
  key: "ml/model",
  partitions: daily,
  deps: { train: split.assets.train, rest },
  compute: ({ train, rest }) => {
    same<typeof train, { id: string; cents: number }[]>(true);
    same<typeof rest, number>(true);
    return train.length + rest;
  },
});
export const check = assetCheck({ asset: split.assets.train, name: "some", run: (rows) => rows.length > 0 });

export const totals = multiAsset({
  assets: { unpartitioned, other: assetSpec({ key: "ml/other", value: valueOf<string>() }) },
  canSubset: true,
  compute: async (_inputs, { selected, outputs }) => {
    same<typeof outputs.other, OutputContext | undefined>(true);
    return selected.has("other") ? { other: "x" } : { unpartitioned: 1 };
  },
});
export const all = definitions({ team: "ml", assets: [orders, split, model, totals], checks: [check] });

export const judged = multiAsset({
  assets: { train, rest },
  checks: { rest: { some: { blocking: true }, tidy: {} } },
  formerly: { train: "ml/learned" },
  requiredChecks: { rest: [{ team: "etl", name: "fit" }] },
  compute: (_inputs, { outputs }) => {
    outputs.rest.check("tidy", { passed: true });
    // @ts-expect-error Argument of type '"sme"' is not assignable
    outputs.rest.check("sme", true);
    // @ts-expect-error Compute reports no checks of this output
    outputs.train.check("some", true);
    return { train: [], rest: 1 };
  },
});

// Each of these must not compile, and the message must say what to do.

// @ts-expect-error Property 'rest' is missing
multiAsset({ assets: { train, rest }, compute: () => ({ train: [] }) });
// @ts-expect-error Type 'string' is not assignable to type 'number'
multiAsset({ assets: { rest, free }, compute: () => ({ rest: "1", free: 1 }) });
// @ts-expect-error give these assets the same `partitions`
multiAsset({ assets: { rest, unpartitioned }, compute: () => ({ rest: 1, unpartitioned: 1 }) });
// @ts-expect-error 'asset' does not exist
multiAsset({ asset: { rest }, assets: { rest }, compute: () => ({ rest: 1 }) });
// @ts-expect-error Argument of type '"test"' is not assignable
multiAsset({ assets: { rest }, compute: (_inputs, { selected }) => ({ rest: selected.has("test") ? 1 : 2 }) });
// @ts-expect-error Type 'number' is not assignable to type
multiAsset({ assets: { rest: 3 }, compute: () => ({ rest: 1 }) });
// @ts-expect-error This asset is not partitioned: give it `partitions`
multiAsset({ assets: { unpartitioned }, compute: (_inputs, { partition }) => ({ unpartitioned: partition.key }) });
// @ts-expect-error No output has this name
multiAsset({ assets: { rest }, checks: { rest: { some: {} }, rset: { some: {} } }, compute: () => ({ rest: 1 }) });
// @ts-expect-error 'rset' does not exist in type
multiAsset({ assets: { rest }, checks: { rset: { some: {} } }, compute: () => ({ rest: 1 }) });
// @ts-expect-error 'rset' does not exist in type
multiAsset({ assets: { rest }, formerly: { rset: "ml/left" }, compute: () => ({ rest: 1 }) });
// @ts-expect-error Property 'check' does not exist
multiAsset({ assets: { rest }, compute: (_inputs, { check }) => ({ rest: check }) });
