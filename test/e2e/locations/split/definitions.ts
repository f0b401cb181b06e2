import { json, objectStore } from "@headgate/connections";
import { asset, assetCheck, assetSpec, definitions, env, monthlyPartitions, multiAsset, valueOf } from "@headgate/sdk";
import { throughDoor } from "../ledger.ts";

const months = monthlyPartitions({ start: "2001-01", end: "2001-05" });

const numbers = asset({
  key: "split/numbers",
  partitions: months,
  compute: (_inputs, { partition }) => [1, 2, 3, 4].map((n) => n * Number(partition.key.slice(5))),
});

const train = assetSpec({ key: "split/train", partitions: months, value: valueOf<number[]>() });
const rest = assetSpec({ key: "split/rest", partitions: months, value: valueOf<number[]>() });

const halves = multiAsset({
  assets: { train, rest },
  deps: { numbers },
  checks: { train: { two: { blocking: true } } },
  compute: ({ numbers }, { outputs, partition }) => {
    console.log(`halving ${partition.key}`);
    outputs.rest.metadata({ rows: 2 });
    outputs.train.check("two", { passed: numbers.length === 4, metadata: { of: numbers.length } });
    return { train: numbers.slice(0, 2), rest: numbers.slice(2) };
  },
});

const model = asset({
  key: "split/model",
  partitions: months,
  deps: { train: halves.assets.train },
  compute: ({ train }) => train.reduce((sum, n) => sum + n, 0),
});

/** Waits at the door that it is named for. */
const waiting = (name: string, canSubset: boolean, attemptLeaseMs = 60_000) =>
  multiAsset({
    assets: { high: assetSpec({ key: `split/${name}_high` }), low: assetSpec({ key: `split/${name}_low` }) },
    canSubset,
    retry: { maxCrashes: 3, delayMs: 10 },
    attemptLeaseMs,
    compute: async (_inputs, context) => {
      const { assetKey = "", versionId = "" } = context.outputs.high ?? context.outputs.low ?? {};
      await throughDoor(name, { ...context, assetKey, versionId });
      return Object.fromEntries([...context.selected].map((output) => [output, output.length]));
    },
  });

/** One call makes several partitions, and waits at the door that it is named for. */
const sums = (name: string, attemptLeaseMs: number) =>
  asset({
    key: `split/${name}`,
    partitions: months,
    deps: { numbers },
    batch: { partitionsMax: 4 },
    retry: { maxCrashes: 3, delayMs: 10 },
    attemptLeaseMs,
    compute: async ({ numbers }, { partitions, ...context }) => {
      const [first] = partitions;
      if (first !== undefined) await throughDoor(name, { ...context, ...first, partition: first });
      return new Map(partitions.map(({ key }) => [key, numbers.get(key).reduce((sum, n) => sum + n, 0)]));
    },
  });

const restIsSmall = assetCheck({
  asset: rest,
  name: "small",
  blocking: true,
  run: (values) => values.every((value) => value < 16),
});

export default definitions({
  team: "split",
  io: json({ store: objectStore(env("HEADGATE_OBJECT_STORE")) }),
  assets: [
    numbers,
    halves,
    model,
    sums("killed_sums", 3_000),
    sums("adopted_sums", 60_000),
    waiting("killed", false, 3_000),
    waiting("adopted", false),
    waiting("canceled", true),
  ],
  checks: [restIsSmall],
});
