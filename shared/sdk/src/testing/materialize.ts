import type { ValueOfAsset } from "../asset-spec.ts";
import type { AnyAsset } from "../asset.ts";
import type { Batch, ByPartition } from "../batch.ts";
import type { AnyMultiAsset } from "../multi-asset.ts";
import type { MaterializeOptions, MaterializeResult } from "./materialize-all.ts";
import { materializeAll } from "./materialize-all.ts";
import type { MaterializeAssetOptions, MaterializedAsset } from "./materialize-asset.ts";
import { materializeAsset } from "./materialize-asset.ts";
import { materializeBatch } from "./materialize-batch.ts";
import type { MaterializedOutputs, MaterializeMultiOptions } from "./materialize-multi.ts";
import { materializeMulti } from "./materialize-multi.ts";
import type { Given } from "./run-check.ts";

type Computed = AnyAsset | AnyMultiAsset;

/** What is given beside one asset, beside a multi-asset, or beside several of both. */
export type OptionsOf<Assets> = Assets extends readonly Computed[]
  ? [options?: MaterializeOptions]
  : Assets extends AnyMultiAsset
    ? Given<MaterializeMultiOptions<Assets>>
    : Assets extends AnyAsset
      ? Given<MaterializeAssetOptions<Assets>>
      : never;

/** What one asset made, the outputs of a multi-asset, or several of both. */
export type ResultOf<Assets> = Assets extends readonly Computed[]
  ? MaterializeResult
  : Assets extends AnyMultiAsset
    ? MaterializedOutputs<Assets>
    : Assets extends { readonly batch: Batch }
      ? ByPartition<MaterializedAsset<ValueOfAsset<Assets>>>
      : MaterializedAsset<ValueOfAsset<Assets>>;

/**
 * Computes in this process as a run would: config and values are validated, checks judge the value as readers receive
 * it. Nothing is stored, no server is asked.
 *
 * One asset, on the inputs that are given: `await materialize(sales, { inputs, partition, config, resources, checks })`
 * returns its value, metadata and outcomes of checks, and throws what compute throws.
 *
 * One multi-asset: the same, and `selected` where it can be subset; returns that of each output by name.
 *
 * Several assets and multi-assets, upstream first, with the gate: `await materialize([raw, sales], { values, partitions,
 * checks })`. What a blocking check refuses is not read downstream; what fails is in the result.
 *
 * @throws StepFailure `step.config_invalid`, `step.value_invalid`, `step.metadata_invalid` of one asset, in the words of a
 *   run; Error for inputs or partitions that an asset has not, and for assets that depend on each other in a circle
 */
export async function materialize<Assets extends Computed | readonly Computed[]>(
  assets: Assets,
  ...[options = {}]: OptionsOf<Assets>
): Promise<ResultOf<Assets>> {
  if (Array.isArray(assets)) {
    return (await materializeAll(assets as readonly Computed[], options as MaterializeOptions)) as ResultOf<Assets>;
  }
  return (await materializeOne(assets as Computed, options)) as ResultOf<Assets>;
}

function materializeOne(asset: Computed, options: object): Promise<unknown> {
  if (asset.kind === "multiAsset") return materializeMulti(asset, options);
  return asset.batch === undefined ? materializeAsset(asset, options) : materializeBatch(asset, options as never);
}
