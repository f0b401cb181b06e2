import type { AnyAssetCheck } from "../asset-check.ts";
import { singleChecks } from "../asset-checks.ts";
import type { PartitionsOfAsset, ValueOfAsset } from "../asset-spec.ts";
import type { OutputAsset } from "../output-assets.ts";
import { outputAssets } from "../output-assets.ts";
import type { InputsOf } from "../edge.ts";
import type { AnyMultiAsset } from "../multi-asset.ts";
import { missingOutput, returnedOutputs } from "../step/returned-outputs.ts";
import { StepFailure } from "../step/step-failure.ts";
import type { HeadgateTypeError } from "../type-error.ts";
import type { Inputs } from "./given-inputs.ts";
import { givenInputs } from "./given-inputs.ts";
import type { AnyOptions, ComputedOptions, InputsOption, MaterializedAsset } from "./materialize-asset.ts";
import { judged, validConfig } from "./materialize-asset.ts";
import type { PartitionOption } from "./partition-option.ts";
import type { Reported } from "./test-context.ts";
import { testContext } from "./test-context.ts";

type PartitionsOfMulti<M extends AnyMultiAsset> = PartitionsOfAsset<M["assets"][keyof M["assets"]]>;

/** What `materialize` of a multi-asset is given; what it has no use for does not compile. */
export type MaterializeMultiOptions<M extends AnyMultiAsset> = InputsOption<InputsOf<M["deps"], PartitionsOfMulti<M>>> &
  PartitionOption<PartitionsOfMulti<M>> &
  ComputedOptions<M> & {
    /** Names of the outputs to compute; default: all. */
    readonly selected?: M["canSubset"] extends true
      ? readonly (keyof M["assets"] & string)[]
      : | HeadgateTypeError<"This multi-asset makes all or none: leave `selected` out, or give it `canSubset: true`.">
        | undefined;
  };

/** What each output of a multi-asset came to, by name: all, or where it can be subset those that were selected. */
export type MaterializedOutputs<M extends AnyMultiAsset> = M["canSubset"] extends true
  ? { readonly [Name in keyof M["assets"]]?: MaterializedAsset<ValueOfAsset<M["assets"][Name]>> }
  : { readonly [Name in keyof M["assets"]]: MaterializedAsset<ValueOfAsset<M["assets"][Name]>> };

/**
 * `materialize` of one multi-asset where its types do not matter.
 *
 * @throws what compute throws; the StepFailure of the first output that is wrong; Error for what the multi-asset has not
 */
export async function materializeMulti(
  multi: AnyMultiAsset,
  options: AnyOptions & {
    readonly inputs?: Readonly<Record<string, unknown>>;
    readonly selected?: readonly string[] | undefined;
  },
): Promise<Readonly<Record<string, MaterializedAsset<unknown>>>> {
  const { inputs = {}, selected, ...rest } = options;
  const outputs = outputAssets(multi);
  const [first] = outputs;
  if (first === undefined) throw new Error("The multi-asset has no assets.");
  refuseStrange(outputs, selected, singleChecks(rest.checks ?? []));
  const names = new Set(selected ?? outputs.map(({ name }) => name));
  const chosen = outputs.filter(({ name }) => names.has(name));
  const results = await computeOutputs(chosen, givenInputs(first.asset, rest.partition, inputs), rest);
  return Object.fromEntries(
    results.map(({ output, made }) => {
      if ("error" in made) throw made.error;
      return [output.name, made];
    }),
  );
}

function refuseStrange(
  outputs: readonly OutputAsset[],
  selected: readonly string[] | undefined,
  checks: readonly AnyAssetCheck[],
): void {
  const names = outputs.map(({ name }) => name);
  const strange = selected?.find((name) => !names.includes(name));
  if (strange !== undefined) {
    throw new Error(`The multi-asset has no output "${strange}": it has ${names.join(", ")}.`);
  }
  const keys = outputs.map(({ asset }) => asset.key);
  if (selected !== undefined && outputs[0]?.multi.canSubset !== true && new Set(selected).size < names.length) {
    throw new Error(`One call makes ${keys.join(", ")}, all or none: leave \`selected\` out.`);
  }
  const other = checks.find((check) => !keys.includes(check.asset.key));
  if (other === undefined) return;
  throw new Error(`The check "${other.name}" is of ${other.asset.key}, not of ${keys.join(" or ")}.`);
}

/** What came of one output, or why nothing did. */
export interface OutputResult {
  readonly output: OutputAsset;
  readonly made: MaterializedAsset<unknown> | { readonly error: unknown };
}

/**
 * Computes these outputs in one call, validates and checks each for itself.
 *
 * @throws what compute throws; StepFailure `step.config_invalid`, `step.outputs_invalid`, `step.output_unexpected`
 */
export async function computeOutputs(
  outputs: readonly OutputAsset[],
  inputs: Inputs,
  { checks = [], config: given, ...options }: AnyOptions,
): Promise<readonly OutputResult[]> {
  const [first] = outputs;
  if (first === undefined) return [];
  const { multi } = first;
  const config = await validConfig(first.asset, given);
  const names = outputs.map(({ name }) => name);
  const context: { readonly reported: Reported } = testContext(
    { ...multi, config: undefined } as never,
    { ...options, selected: names } as never,
  );
  const compute = multi.compute as (inputs: unknown, context: unknown) => unknown;
  const answer = await compute(inputs.values, { ...context, config, inputs: inputs.details });
  const returned = returnedOutputs(names, Object.keys(multi.assets), answer);
  const results: OutputResult[] = [];
  for (const output of outputs) {
    const { name, asset } = output;
    const own = singleChecks(checks).filter((check) => check.asset.key === asset.key);
    const said = context.reported.outputs[name] ?? { metadata: {}, dataVersion: undefined, checks: {} };
    const reported = { ...said, logs: context.reported.logs };
    try {
      if (!Object.hasOwn(returned, name)) throw missingOutput(name, asset.key);
      results.push({ output, made: await judged(asset, returned[name], reported, own, options) });
    } catch (error) {
      results.push({ output, made: { error } });
    }
  }
  return results;
}

/** Where only the whole counts, one that is wrong takes the others with it. */
export function allOrNone(results: readonly OutputResult[]): readonly OutputResult[] {
  const failed = results.find(({ made }) => "error" in made);
  if (failed === undefined || failed.output.multi.canSubset) return results;
  const { key } = failed.output.asset;
  return results.map(({ output, made }) => {
    if ("error" in made) return { output, made };
    const words = `One call computes it together with ${key}, which failed: this one does not count alone.`;
    const error = new StepFailure("step.sibling_failed", words, `See what became of ${key}.`);
    return { output, made: { error } };
  });
}
