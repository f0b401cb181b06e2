import type { AnyAssetCheck } from "../asset-check.ts";
import type { AnyAssetChecks } from "../asset-checks.ts";
import { singleChecks } from "../asset-checks.ts";
import type { PartitionsOfAsset, ValueOfAsset } from "../asset-spec.ts";
import type { AnyAsset } from "../asset.ts";
import type { Batch } from "../batch.ts";
import type { InputsOf, Partitioned } from "../edge.ts";
import type { JsonValue } from "../metadata.ts";
import type { PartitionOf } from "../partitions.ts";
import { notReported } from "../step/check-result.ts";
import type { GroupCalls } from "../step/judge.ts";
import { metadataEntries, plainMetadata } from "../step/metadata-entries.ts";
import { Redaction } from "../step/redaction.ts";
import { schemaOf, validated } from "../step/value-check.ts";
import type { HeadgateTypeError } from "../type-error.ts";
import type { Inputs } from "./given-inputs.ts";
import { givenInputs } from "./given-inputs.ts";
import type { PartitionOption } from "./partition-option.ts";
import type { CheckOutcome } from "./run-check.ts";
import { erroredOutcome, judgedOutcome, outcomeOf, shutsGate } from "./run-check.ts";
import type { ConfigInput, Reported, ResourcesOf } from "./test-context.ts";
import { testContext } from "./test-context.ts";

type InputsOfAsset<A> = A extends { readonly deps: infer D; readonly value: infer S }
  ? InputsOf<D, PartitionsOfAsset<A>, S>
  : never;

/** What reads several partitions may be given as an object by partition key. */
type GivenInput<Input> = Input extends Partitioned<infer T> ? Input | Readonly<Record<string, T>> : Input;

/** `inputs`, which is asked for exactly where something is read. */
export type InputsOption<Inputs> = [keyof Inputs] extends [never]
  ? { readonly inputs?: Readonly<Record<string, never>> }
  : { readonly inputs: { readonly [Name in keyof Inputs]: GivenInput<Inputs[Name]> } };

/** What each dependency passes to each partition, by partition key. */
type BatchInputsOption<A> = [keyof InputsOfAsset<A>] extends [never]
  ? { readonly inputs?: Readonly<Record<string, never>> }
  : {
      readonly inputs: {
        readonly [Name in keyof InputsOfAsset<A>]:
          | Readonly<Record<string, GivenInput<InputsOfAsset<A>[Name]>>>
          | ReadonlyMap<string, GivenInput<InputsOfAsset<A>[Name]>>;
      };
    };

/** What is computed, and of what: one partition, or those that one call computes. */
type Computing<A extends AnyAsset> = A extends { readonly batch: Batch }
  ? BatchInputsOption<A> & { readonly partitions: readonly KeyOf<A>[] }
  : InputsOption<InputsOfAsset<A>> & PartitionOption<PartitionsOfAsset<A>>;

type KeyOf<A> = PartitionOf<PartitionsOfAsset<A>> extends { readonly key: infer Key } ? Key : string;

/** What `materialize` of one asset is given, beside what is computed. */
export interface ComputedOptions<A> {
  /** As a run would give it: validated, defaults applied. */
  readonly config?: [ConfigInput<A>] extends [undefined]
    ? HeadgateTypeError<"This asset takes no config: give it `config`, a Standard Schema of an object."> | undefined
    : ConfigInput<A>;
  /** What stands for the resources of the asset and of `checks`, by name; one that is missing throws when it is used. */
  readonly resources?: Partial<ResourcesOf<A>> & Readonly<Record<string, unknown>>;
  /** Checks of what is made, which judge its value in this order. */
  readonly checks?: readonly (AnyAssetCheck | AnyAssetChecks)[];
  readonly signal?: AbortSignal;
  readonly runTags?: Readonly<Record<string, string>>;
  /** Default 1. */
  readonly attemptNumber?: number;
}

/** What `materialize` of one asset is given; what the asset has no use for does not compile. */
export type MaterializeAssetOptions<A extends AnyAsset> = Computing<A> & ComputedOptions<A>;

/** What one asset made of a partition. */
export interface MaterializedAsset<Value> {
  /** As the schema puts it out: what checks and readers receive. */
  readonly value: Value;
  /** Plain JSON by name, as checks and readers receive it. */
  readonly metadata: Readonly<Record<string, JsonValue>>;
  /** As compute gave it; undefined where it left that to the stored value. */
  readonly dataVersion: string | undefined;
  readonly logs: Reported["logs"];
  /** By name, of the checks that compute reports and of those that were given. */
  readonly checks: Readonly<Record<string, CheckOutcome>>;
  /** False: a blocking check failed or errored, and nothing downstream may read the value. */
  readonly isOpen: boolean;
}

/** What compute is given beside its inputs, where types do not matter. */
export interface AnyOptions {
  readonly partition?: string | undefined;
  readonly config?: unknown;
  readonly resources?: Readonly<Record<string, unknown>>;
  readonly checks?: readonly (AnyAssetCheck | AnyAssetChecks)[];
  readonly signal?: AbortSignal;
}

/** @throws Error for a check of another asset */
export function refuseStrange(asset: AnyAsset, checks: AnyOptions["checks"] = []): void {
  const strange = singleChecks(checks).find((check) => check.asset.key !== asset.key);
  if (strange !== undefined)
    throw new Error(`The check "${strange.name}" is of ${strange.asset.key}, not of ${asset.key}.`);
}

/** `materialize` of one asset where its types do not matter. */
export async function materializeAsset<A extends AnyAsset>(
  asset: A,
  options: AnyOptions & { readonly inputs?: Readonly<Record<string, unknown>> },
): Promise<MaterializedAsset<ValueOfAsset<A>>> {
  const { inputs = {}, ...rest } = options;
  refuseStrange(asset, rest.checks);
  const made = await computeAsset(asset, givenInputs(asset, rest.partition, inputs), rest);
  return made as MaterializedAsset<ValueOfAsset<A>>;
}

/**
 * Computes, validates and checks.
 *
 * @throws what compute throws; StepFailure `step.config_invalid`, `step.value_invalid`, `step.metadata_invalid`
 */
export async function computeAsset(
  asset: AnyAsset,
  inputs: Inputs,
  { checks = [], config: given, ...options }: AnyOptions,
): Promise<MaterializedAsset<unknown>> {
  const config = await validConfig(asset, given);
  // The context's own validation of config cannot wait for a schema that does.
  const context: { readonly reported: Reported } = testContext(
    { ...asset, config: undefined } as never,
    options as never,
  );
  const compute = asset.compute as (inputs: unknown, context: unknown) => unknown;
  const returned = await compute(inputs.values, { ...context, config, inputs: inputs.details });
  return judged(asset, returned, context.reported, checks, options);
}

/** @throws StepFailure `step.config_invalid` */
export async function validConfig(asset: AnyAsset, given: unknown): Promise<unknown> {
  const schema = schemaOf(asset.config);
  return schema && validated(schema, given ?? {}, "step.config_invalid", `The config for ${asset.key}`);
}

/** Validates and checks what compute returned and said of one version. */
export async function judged(
  asset: AnyAsset,
  returned: unknown,
  reported: Pick<Reported, "metadata" | "dataVersion" | "checks" | "logs">,
  checks: readonly (AnyAssetCheck | AnyAssetChecks)[],
  options: AnyOptions,
): Promise<MaterializedAsset<unknown>> {
  const schema = schemaOf(asset.value);
  const value = schema
    ? await validated(schema, returned, "step.value_invalid", `The value of ${asset.key}`)
    : returned;
  const metadata = plainMetadata(metadataEntries(reported.metadata, new Redaction()));
  const checked: Record<string, CheckOutcome> = {};
  let isOpen = true;
  for (const [name, check] of Object.entries(asset.checks ?? {})) {
    const said = reported.checks[name];
    const severity = check.severity ?? "ERROR";
    const outcome =
      said === undefined ? erroredOutcome(severity, notReported(asset.key, name)) : judgedOutcome(severity, said);
    checked[name] = outcome;
    if (shutsGate(check as { readonly blocking: boolean }, outcome)) isOpen = false;
  }
  const calls: GroupCalls = new Map();
  for (const check of singleChecks(checks)) {
    const dataVersion = reported.dataVersion ?? "";
    const outcome = await outcomeOf(check, value, { ...options, metadata: reported.metadata, dataVersion }, calls);
    checked[check.name] = outcome;
    if (shutsGate(check, outcome)) isOpen = false;
  }
  return { value, metadata, dataVersion: reported.dataVersion, logs: reported.logs, checks: checked, isOpen };
}
