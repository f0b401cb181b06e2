import { createHash } from "node:crypto";
import type {
  CheckCompleted,
  Computed,
  Input,
  Materialize,
  StepCommand,
  ValueReference,
  VersionReference,
} from "@headgate/proto";
import { DependencyMode } from "@headgate/proto";
import { cleanText } from "@headgate/model";
import type { AnyAsset } from "../asset.ts";
import { inputIsSingle, readsItself } from "../input-shape.ts";
import type { InputDetails } from "../step-context.ts";
import type { Metadata } from "../metadata.ts";
import { ComputedVerdicts } from "./computed-verdicts.ts";
import { writerFor } from "./io-choice.ts";
import { metadataEntries, plainMetadata } from "./metadata-entries.ts";
import { PartitionedValues } from "./partitioned-values.ts";
import { parseMetadata, readVersion } from "./read-version.ts";
import { stepContext } from "./step-context-values.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { StepFailure } from "./step-failure.ts";
import { schemaOf, validated } from "./value-check.ts";

export interface MaterializedVersion {
  readonly computed: Computed;
  /** Of the checks that compute reports. */
  readonly verdicts: readonly CheckCompleted[];
  readonly reference: VersionReference;
}

const noValue: ValueReference = { scheme: "", place: "", mediaType: "", digest: "", sizeBytes: 0 };

/** Reads the inputs, computes, validates and stores: the value is durable when this returns. */
export async function materialize(
  environment: StepEnvironment,
  asset: AnyAsset,
  command: StepCommand,
  work: Materialize,
  signal: AbortSignal,
): Promise<MaterializedVersion> {
  const metadata: Record<string, Metadata[string]> = {};
  const verdicts = new ComputedVerdicts(asset, environment);
  let dataVersion = "";
  const [inputs, base, config] = await Promise.all([
    readInputs(environment, asset, command.partitionKey, work.inputs, signal),
    stepContext(environment, command, asset.partitions, asset.resources, work.versionId, signal),
    configOf(asset, work.config),
  ]);
  const context = {
    ...base,
    config,
    inputs: Object.fromEntries(work.inputs.map((input) => [input.name, detailsOf(input)])),
    metadata: (values: Metadata) => void Object.assign(metadata, values),
    dataVersion: (version: string) => void (dataVersion = checkedDataVersion(version)),
    check: verdicts.check,
  };
  signal.throwIfAborted();
  const compute = asset.compute as (inputs: unknown, context: unknown) => unknown;
  const returned = await compute(inputs, context);
  signal.throwIfAborted();
  const said = { metadata, dataVersion };
  const version = await storeVersion(environment, asset, command, work, returned, said, signal);
  return { ...version, verdicts: verdicts.completed() };
}

/** What compute said of a version beside its value. */
export interface SaidOfVersion {
  readonly metadata: Readonly<Record<string, Metadata[string]>>;
  /** "": nothing. */
  readonly dataVersion: string;
}

/** Validates what compute returned and stores it: the value is durable when this returns. */
export async function storeVersion(
  environment: StepEnvironment,
  asset: AnyAsset,
  command: StepCommand,
  work: Materialize,
  returned: unknown,
  said: SaidOfVersion,
  signal: AbortSignal,
): Promise<MaterializedVersion> {
  const schema = schemaOf(asset.value);
  const value = schema
    ? await validated(schema, returned, "step.value_invalid", `The value of ${asset.key}`)
    : returned;
  const reference = value === undefined ? noValue : await write(environment, asset, command, work, value, signal);
  const computed: Computed = {
    value: reference,
    dataVersion: said.dataVersion || defaultDataVersion(reference, work.versionId),
    codeVersion: environment.codeVersionOf(asset),
    metadata: metadataEntries(said.metadata, environment.redaction),
  };
  return {
    computed,
    verdicts: [],
    reference: {
      versionId: work.versionId,
      partitionKey: command.partitionKey,
      value: reference,
      dataVersion: computed.dataVersion,
      metadata: JSON.stringify(plainMetadata(computed.metadata)),
    },
  };
}

const dataVersionLengthMax = 1_024;

export function checkedDataVersion(version: string): string {
  const text = cleanText(String(version));
  if (text !== "" && text.length <= dataVersionLengthMax) return text;
  throw new StepFailure(
    "step.data_version_invalid",
    `The data version has ${text.length} characters.`,
    `Give 1 to ${dataVersionLengthMax}; a hash of what is longer.`,
  );
}

/**
 * The digest where the place has one, so that an equal value is not news to readers; else the version itself, so that
 * every materialization is.
 */
function defaultDataVersion(reference: ValueReference, versionId: string): string {
  if (reference.digest !== "") return reference.digest;
  return `version:${createHash("sha256").update(versionId).digest("hex").slice(0, 32)}`;
}

/** Reads the stored value of one version. */
export type ReadVersion = (assetKey: string, version: VersionReference) => Promise<unknown>;

export async function readInputs(
  environment: StepEnvironment,
  asset: AnyAsset,
  partitionKey: string,
  inputs: readonly Input[],
  signal: AbortSignal,
  read: ReadVersion = (assetKey, version) => readVersion(environment, asset, assetKey, version, signal),
): Promise<Record<string, unknown>> {
  const values = inputs
    .filter((input) => input.mode !== DependencyMode.DEPENDENCY_MODE_ORDER_ONLY)
    .map(async (input) => [input.name, await readInput(asset, partitionKey, input, signal, read)] as const);
  return Object.fromEntries(await Promise.all(values));
}

async function readInput(
  asset: AnyAsset,
  partitionKey: string,
  input: Input,
  signal: AbortSignal,
  read: ReadVersion,
): Promise<unknown> {
  const dependency = asset.deps[input.name];
  // The shape is what the types of this code say: the control plane may know a newer contract of the upstream.
  const single = dependency === undefined ? input.single : inputIsSingle(dependency, asset.partitions);
  const beforeTheFirst = dependency !== undefined && readsItself(dependency);
  if (single && input.versions.length === 0 && !beforeTheFirst) {
    throw new StepFailure(
      "step.input_shape",
      `${asset.key} reads one partition of ${input.assetKey} as "${input.name}", and for ${partitionKey || "it"} there is none.`,
      `Let the partitions of ${asset.key} start later, where it has one; or read it with windowOffset(x, first, last), which may be empty.`,
    );
  }
  if (single && input.versions.length > 1) {
    throw new StepFailure(
      "step.input_shape",
      `${asset.key} reads one version of ${input.assetKey} as "${input.name}" and was given ${input.versions.length}.`,
      `The partitions of ${input.assetKey} changed: update its contract here, or read it with allPartitions(...).`,
    );
  }
  const values: [string, unknown][] = [];
  for (const version of input.versions) {
    signal.throwIfAborted();
    values.push([version.partitionKey, await read(input.assetKey, version)]);
  }
  return single ? values[0]?.[1] : new PartitionedValues(values, input.leftOut);
}

export function detailsOf(input: Input): InputDetails {
  return {
    assetKey: input.assetKey,
    versions: input.versions.map(({ versionId, partitionKey, dataVersion, metadata }) => {
      return { versionId, partitionKey, dataVersion, metadata: parseMetadata(metadata) };
    }),
    leftOut: input.leftOut,
  };
}

export async function configOf(asset: AnyAsset, config: string): Promise<unknown> {
  const schema = schemaOf(asset.config);
  if (schema === undefined) return undefined;
  let given: unknown;
  try {
    given = config === "" ? {} : JSON.parse(config);
  } catch (error) {
    throw new StepFailure("step.config_invalid", `The config for ${asset.key} is not JSON.`, "Give a JSON object.", {
      cause: error,
    });
  }
  return validated(schema, given, "step.config_invalid", `The config for ${asset.key}`);
}

async function write(
  environment: StepEnvironment,
  asset: AnyAsset,
  command: StepCommand,
  work: Materialize,
  value: unknown,
  signal: AbortSignal,
): Promise<ValueReference> {
  const io = writerFor(environment, asset);
  const resources = await environment.resources.values(io.resources, environment.log);
  const context = {
    assetKey: asset.key,
    partitionKey: command.partitionKey,
    versionId: work.versionId,
    inPlace: asset.inPlace ?? false,
    resources: resources as never,
    log: environment.log,
    signal,
  };
  try {
    const written = await io.write(value as never, context);
    if (typeof written?.scheme !== "string" || written.scheme === "" || typeof written.place !== "string") {
      throw new Error("`write` did not return { scheme, place, mediaType }.");
    }
    return {
      scheme: written.scheme,
      place: written.place,
      mediaType: textOr(written.mediaType),
      digest: textOr(written.digest),
      sizeBytes: Number.isSafeInteger(written.sizeBytes) ? Math.max(0, written.sizeBytes ?? 0) : 0,
    };
  } catch (error) {
    if (error instanceof StepFailure || signal.aborted) throw error;
    throw new StepFailure(
      "io.write_failed",
      `The value of ${asset.key} could not be stored: ${error instanceof Error ? error.message : String(error)}`,
      "See the cause; check that this location reaches the place and may write there.",
      { cause: error },
    );
  }
}

/** What user code returns is not always what its types say, and must not break the frame that others ride in. */
function textOr(value: unknown): string {
  return typeof value === "string" ? cleanText(value) : "";
}
