import type { CheckCompleted, ComputationCommand, Input, Materialize, StepCommand } from "@headgate/proto";
import type { AnyAsset } from "../asset.ts";
import type { Metadata } from "../metadata.ts";
import type { ComputedMember, MemberStep, SharedCall } from "./computed-member.ts";
import { ComputedVerdicts } from "./computed-verdicts.ts";
import { checkedDataVersion, configOf, detailsOf, readInputs, storeVersion } from "./materialize.ts";
import type { MaterializedVersion, ReadVersion, SaidOfVersion } from "./materialize.ts";
import { readVersion } from "./read-version.ts";
import { missingPartition, returnedPartitions } from "./returned-partitions.ts";
import { partitionValue, stepContext } from "./step-context-values.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { StepFailure } from "./step-failure.ts";
import { ValuesByPartition } from "./values-by-partition.ts";

/** Partitions whose inputs are read at the same time. */
const readsAtOnce = 8;

/**
 * A call that computes several partitions of one asset.
 *
 * @throws StepFailure `step.asset_unknown`, `step.set_changed`
 */
export function partitionsCall(environment: StepEnvironment, command: ComputationCommand): SharedCall {
  const key = command.members[0]?.assetKey ?? "";
  const asset = environment.assets.get(key);
  if (asset === undefined) {
    throw new StepFailure(
      "step.asset_unknown",
      `This location's code does not define the asset ${key}, or it did not load.`,
      "See the location's definition errors; mend them, or deploy the code that has the asset.",
    );
  }
  if (asset.batch === undefined) {
    throw new StepFailure(
      "step.set_changed",
      `This location's code computes one partition of ${key} in a call, and was asked for ${command.members.length}.`,
      "The definitions have changed since the run was planned: launch it again.",
    );
  }
  const members = command.members.map((member): MemberStep => {
    if (member.work?.$case === "materialize") return { command: member, work: member.work.value, asset };
    throw new StepFailure("step.command_invalid", "The command has no work.", "Update this location's SDK.");
  });
  return {
    isWhole: false,
    compute: (signal) => computePartitions(environment, asset, members, command.inputs, signal),
  };
}

/** One partition of an asset that computes several in a call: it is asked for this one alone. */
export async function materializePartition(
  environment: StepEnvironment,
  asset: AnyAsset,
  command: StepCommand,
  work: Materialize,
  signal: AbortSignal,
): Promise<MaterializedVersion> {
  const computed = await computePartitions(environment, asset, [{ command, work, asset }], [], signal);
  const { returned, said, verdicts, failure } = computed[0]!;
  if (failure !== undefined) throw failure.error;
  return { ...(await storeVersion(environment, asset, command, work, returned, said, signal)), verdicts };
}

/**
 * Reads what each partition depends on and computes those that could be read. What is wrong with one is in what is
 * returned of it.
 *
 * @throws what compute throws; StepFailure `step.partitions_invalid`, `step.partition_unexpected`
 */
async function computePartitions(
  environment: StepEnvironment,
  asset: AnyAsset,
  members: readonly MemberStep[],
  shared: readonly Input[],
  signal: AbortSignal,
): Promise<ComputedMember[]> {
  const [first] = members;
  if (first === undefined) return [];
  const [parts, base, config] = await Promise.all([
    readParts(environment, members, shared, signal),
    stepContext(environment, first.command, asset.partitions, asset.resources, first.work.versionId, signal),
    configOf(asset, first.work.config),
  ]);
  const readable = parts.filter(({ failure }) => failure === undefined);
  if (readable.length === 0) return parts.map((part) => part.computed(undefined));
  const { partition: _partition, versionId: _versionId, attemptNumber: _attemptNumber, ...common } = base;
  const context = { ...common, config, partitions: readable.map((part) => part.context) };
  const inputs = Object.fromEntries(
    Object.keys(readable[0]?.inputs ?? {}).map((name) => {
      return [name, new ValuesByPartition(readable.map(({ key, inputs: own }) => [key, own[name]]))];
    }),
  );
  signal.throwIfAborted();
  const compute = asset.compute as (inputs: unknown, context: unknown) => unknown;
  const keys = readable.map(({ key }) => key);
  const returned = returnedPartitions(asset.key, keys, await compute(inputs, context));
  signal.throwIfAborted();
  return parts.map((part) => part.computed(returned));
}

async function readParts(
  environment: StepEnvironment,
  members: readonly MemberStep[],
  shared: readonly Input[],
  signal: AbortSignal,
): Promise<Part[]> {
  const values = new Map<string, Promise<unknown>>();
  /** What several partitions read is read once. */
  const read: ReadVersion = (assetKey, version) => {
    const known = values.get(version.versionId);
    if (known !== undefined) return known;
    const value = readVersion(environment, members[0]?.asset, assetKey, version, signal);
    values.set(version.versionId, value);
    return value;
  };
  const parts = members.map((member) => new Part(environment, member, [...shared, ...member.work.inputs]));
  for (let from = 0; from < parts.length; from += readsAtOnce) {
    await Promise.all(parts.slice(from, from + readsAtOnce).map((part) => part.read(environment, read, signal)));
  }
  return parts;
}

/** One partition of the call. */
class Part {
  readonly key: string;
  readonly context: object;
  inputs: Readonly<Record<string, unknown>> = {};
  failure: { readonly error: unknown } | undefined;
  readonly #member: MemberStep;
  readonly #given: readonly Input[];
  readonly #metadata: Record<string, Metadata[string]> = {};
  readonly #verdicts: ComputedVerdicts;
  #dataVersion = "";

  constructor(environment: StepEnvironment, member: MemberStep, given: readonly Input[]) {
    const { command, work, asset } = member;
    this.key = command.partitionKey;
    this.#member = member;
    this.#given = given;
    this.#verdicts = new ComputedVerdicts(asset, environment);
    this.context = {
      ...partitionValue(command, asset.partitions),
      versionId: work.versionId,
      attemptNumber: command.attemptNumber,
      inputs: Object.fromEntries(given.map((input) => [input.name, detailsOf(input)])),
      metadata: (values: Metadata) => void Object.assign(this.#metadata, values),
      dataVersion: (version: string) => void (this.#dataVersion = checkedDataVersion(version)),
      check: this.#verdicts.check,
      fail: (error: Error) => void (this.failure ??= { error }),
    };
  }

  async read(environment: StepEnvironment, read: ReadVersion, signal: AbortSignal): Promise<void> {
    const { asset } = this.#member;
    try {
      this.inputs = await readInputs(environment, asset, this.key, this.#given, signal, read);
    } catch (error) {
      signal.throwIfAborted();
      this.failure = { error };
    }
  }

  /** What it comes to, by what compute returned. */
  computed(returned: ReadonlyMap<string, unknown> | undefined): ComputedMember {
    const said: SaidOfVersion = { metadata: this.#metadata, dataVersion: this.#dataVersion };
    const isThere = returned?.has(this.key) ?? false;
    if (!isThere) this.failure ??= { error: missingPartition(this.#member.asset.key, this.key) };
    const verdicts: readonly CheckCompleted[] = this.failure === undefined ? this.#verdicts.completed() : [];
    return { member: this.#member, returned: returned?.get(this.key), said, verdicts, failure: this.failure };
  }
}
