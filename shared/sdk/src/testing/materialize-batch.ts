import type { AnyAsset } from "../asset.ts";
import type { ValueOfAsset } from "../asset-spec.ts";
import type { ByPartition } from "../batch.ts";
import { missingPartition, returnedPartitions } from "../step/returned-partitions.ts";
import { ValuesByPartition } from "../step/values-by-partition.ts";
import { type Inputs, givenInputs } from "./given-inputs.ts";
import { type AnyOptions, type MaterializedAsset, judged, refuseStrange, validConfig } from "./materialize-asset.ts";
import { type Reported, testContext } from "./test-context.ts";

/** By partition key. */
type PerPartition = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;

/** `materialize` of an asset that computes several partitions in one call, where its types do not matter. */
export async function materializeBatch<A extends AnyAsset>(
  asset: A,
  options: AnyOptions & {
    readonly partitions: readonly string[];
    readonly inputs?: Readonly<Record<string, PerPartition>>;
  },
): Promise<ByPartition<MaterializedAsset<ValueOfAsset<A>>>> {
  const { partitions, inputs = {}, ...rest } = options;
  refuseStrange(asset, rest.checks);
  const partitionsMax = asset.batch?.partitionsMax ?? 1;
  if (partitions.length < 1 || partitions.length > partitionsMax)
    throw new Error(`${asset.key} computes 1 to ${partitionsMax} partitions in a call, and not ${partitions.length}.`);
  const given = partitions.map((key) => [key, givenInputs(asset, key, inputsOf(key, inputs))] as const);
  const made = await computeBatch(asset, new Map(given), rest);
  const values = [...made].map(([key, each]) => {
    if ("error" in each) throw each.error;
    return [key, each as MaterializedAsset<ValueOfAsset<A>>] as const;
  });
  return new ValuesByPartition(values);
}

function inputsOf(key: string, inputs: Readonly<Record<string, PerPartition>>): Readonly<Record<string, unknown>> {
  const own = Object.entries(inputs).flatMap(([name, given]) => {
    const values: ReadonlyMap<string, unknown> = given instanceof Map ? given : new Map(Object.entries(given));
    return values.has(key) ? [[name, values.get(key)] as const] : [];
  });
  return Object.fromEntries(own);
}

/**
 * Computes several partitions in one call, validates and checks each. Of one that failed there is its error.
 *
 * @throws what compute throws; StepFailure `step.config_invalid`, `step.partitions_invalid`, `step.partition_unexpected`
 */
export async function computeBatch(
  asset: AnyAsset,
  inputs: ReadonlyMap<string, Inputs>,
  { checks = [], config: given, ...options }: AnyOptions,
): Promise<Map<string, MaterializedAsset<unknown> | { readonly error: unknown }>> {
  const config = await validConfig(asset, given);
  const keys = [...inputs.keys()];
  const context: BatchTestContext = testContext(
    { ...asset, config: undefined } as never,
    { ...options, partitions: keys } as never,
  );
  const partitions = context.partitions.map((each) => ({ ...each, inputs: inputs.get(each.key)?.details }));
  const names = Object.keys([...inputs.values()][0]?.values ?? {});
  const values = names.map((name) => {
    return [name, new ValuesByPartition([...inputs].map(([key, own]) => [key, own.values[name]]))] as const;
  });
  const compute = asset.compute as (inputs: unknown, context: unknown) => unknown;
  const computed = await compute(Object.fromEntries(values), { ...context, config, partitions });
  const returned = returnedPartitions(asset.key, keys, computed);
  const made = new Map<string, MaterializedAsset<unknown> | { readonly error: unknown }>();
  for (const key of keys) {
    try {
      const said = context.reported.partitions[key]!;
      if (said.error !== undefined) throw said.error;
      if (!returned.has(key)) throw missingPartition(asset.key, key);
      const reported = { ...said, logs: context.reported.logs };
      made.set(key, await judged(asset, returned.get(key), reported, checks, { ...options, partition: key }));
    } catch (error) {
      made.set(key, { error });
    }
  }
  return made;
}

interface BatchTestContext {
  readonly partitions: readonly { readonly key: string }[];
  readonly reported: Reported;
}
