import { defaultMapping, parsePartitions, partitionSpace, rangeSet, upstreamPartitions } from "@headgate/model";
import type { PartitionSpace, RangeSet } from "@headgate/model";
import type { AnyAssetCheck } from "../asset-check.ts";
import type { AnyAssetChecks } from "../asset-checks.ts";
import { singleChecks } from "../asset-checks.ts";
import type { AnySpec, ValueOfAsset } from "../asset-spec.ts";
import type { AnyAsset } from "../asset.ts";
import type { Dependency } from "../edge.ts";
import { isEdge, upstreamOf } from "../edge.ts";
import { inputIsSingle } from "../input-shape.ts";
import type { AnyMultiAsset } from "../multi-asset.ts";
import type { OutputAsset } from "../output-assets.ts";
import { outputAssets } from "../output-assets.ts";
import { PartitionedValues } from "../step/partitioned-values.ts";
import type { InputDetails } from "../step-context.ts";
import type { Inputs } from "./given-inputs.ts";
import { testVersion } from "./given-inputs.ts";
import type { AnyOptions, MaterializedAsset } from "./materialize-asset.ts";
import { computeAsset } from "./materialize-asset.ts";
import { computeBatch } from "./materialize-batch.ts";
import { allOrNone, computeOutputs } from "./materialize-multi.ts";
import type { CheckOutcome } from "./run-check.ts";
import { shutsGate } from "./run-check.ts";
import type { Reported } from "./test-context.ts";

/** What `materialize` of several assets is given. */
export interface MaterializeOptions {
  readonly checks?: readonly (AnyAssetCheck | AnyAssetChecks)[];
  /** Partition keys, ranges and lists ("2001-01..2001-03"), for every partitioned asset; default: all that exist. */
  readonly partitions?: string;
  /** The keys of dynamic partitions, by the name of the set. */
  readonly dynamicPartitions?: Readonly<Record<string, readonly string[]>>;
  /** By asset key. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** By the name under which assets and checks ask for them. */
  readonly resources?: Readonly<Record<string, unknown>>;
  /** Values of assets that are read and not among `assets`, by asset key: the value, or values by partition key. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** What counts as now; default: the clock. */
  readonly nowMs?: number;
}

/** What came of one partition: its value, or why there is none. */
export interface MaterializedPartition {
  /** "blocked": a blocking check upstream did not pass; "failed": compute or a check threw. */
  readonly status: "succeeded" | "failed" | "blocked";
  readonly value: unknown;
  /** Its metadata is plain JSON, as checks and readers receive it. */
  readonly reported: Omit<Reported, "checks"> | undefined;
  /** By name. */
  readonly checks: Readonly<Record<string, CheckOutcome>>;
  /** False: nothing downstream may read it. */
  readonly isOpen: boolean;
  readonly error: unknown;
  /** The asset, partition and check that closed the gate. */
  readonly blockedBy: string | undefined;
}

/** What `materialize` of several assets made, by asset and partition. */
export interface MaterializeResult {
  /** "" for an asset without partitions. Undefined: not asked for. */
  partition(asset: AnySpec, key?: string): MaterializedPartition | undefined;
  /** @throws the error of a partition that failed, or an Error that says why there is no value */
  value<A extends AnySpec>(asset: A, key?: string): ValueOfAsset<A>;
}

/** What is computed by itself: an asset, or the outputs of a multi-asset, which read the same, of the same partitions. */
interface Unit {
  readonly asset: AnyAsset;
  readonly outputs: readonly OutputAsset[] | undefined;
}

/** Computes these in this process, upstream first, with the checks and the gate. */
export async function materializeAll(
  assets: readonly (AnyAsset | AnyMultiAsset)[],
  options: MaterializeOptions,
): Promise<MaterializeResult> {
  const memory = new Memory(options);
  for (const unit of upstreamFirst(assets.flatMap(unitOf))) {
    await memory.materialize(unit);
  }
  return memory;
}

function unitOf(asset: AnyAsset | AnyMultiAsset): Unit[] {
  if (asset.kind !== "multiAsset") return [{ asset, outputs: undefined }];
  const outputs = outputAssets(asset);
  const [first] = outputs;
  return first === undefined ? [] : [{ asset: first.asset, outputs }];
}

function assetsOf({ asset, outputs }: Unit): readonly AnyAsset[] {
  return outputs?.map((output) => output.asset) ?? [asset];
}

function upstreamFirst(units: readonly Unit[]): Unit[] {
  const byKey = new Map<string, Unit>();
  for (const unit of units) for (const { key } of assetsOf(unit)) byKey.set(key, unit);
  const ordered = new Set<Unit>();
  const visit = (unit: Unit, path: readonly string[]): void => {
    if (ordered.has(unit)) return;
    const { asset } = unit;
    if (path.includes(asset.key))
      throw new Error(`The assets depend on each other in a circle: ${[...path, asset.key].join(" → ")}`);
    for (const dependency of Object.values(asset.deps)) {
      const upstream = byKey.get(upstreamOf(dependency, asset).key);
      if (upstream !== undefined && upstream !== unit) visit(upstream, [...path, asset.key]);
    }
    ordered.add(unit);
  };
  for (const unit of units) visit(unit, []);
  return [...ordered];
}

/** The checks that compute reports. */
function declaredChecks(asset: AnyAsset) {
  return Object.entries(asset.checks ?? {}).map(([name, { blocking = false }]) => ({ name, blocking }));
}

/** The check that keeps readers from this partition, if one does. */
function closedBy(
  asset: AnyAsset,
  key: string,
  checks: readonly Pick<AnyAssetCheck, "name" | "blocking">[],
  outcomes: Readonly<Record<string, CheckOutcome>>,
): string | undefined {
  const shut = checks.find((check) => {
    const outcome = outcomes[check.name];
    return outcome !== undefined && shutsGate(check, outcome);
  });
  return shut && `${asset.key}${key === "" ? "" : `, partition ${key}`}: check ${shut.name}`;
}

const nothing = {
  value: undefined,
  reported: undefined,
  checks: {},
  isOpen: false,
  error: undefined,
  blockedBy: undefined,
};

type Made = MaterializedAsset<unknown> | { readonly error: unknown };

/** One partition; several, of an asset that computes them in one call; or the outputs of a multi-asset. */
async function computeCall(
  { asset, outputs }: Unit,
  call: ReadonlyMap<string, Inputs>,
  options: AnyOptions,
): Promise<readonly (readonly [asset: AnyAsset, key: string, made: Made])[]> {
  if (asset.batch !== undefined) {
    return [...(await computeBatch(asset, call, options))].map(([key, made]) => [asset, key, made]);
  }
  const all: (readonly [AnyAsset, string, Made])[] = [];
  for (const [key, inputs] of call) {
    const given = { ...options, partition: key === "" ? undefined : key };
    if (outputs === undefined) all.push([asset, key, await computeAsset(asset, inputs, given)]);
    else {
      const results = await computeOutputs(outputs, inputs, given);
      for (const { output, made } of allOrNone(results)) all.push([output.asset, key, made]);
    }
  }
  return all;
}

function madePartition(
  asset: AnyAsset,
  key: string,
  checks: readonly AnyAssetCheck[],
  made: MaterializedAsset<unknown>,
): MaterializedPartition {
  const errored = Object.values(made.checks).find(({ outcome }) => outcome === "errored");
  const { metadata, dataVersion, logs } = made;
  return {
    status: errored === undefined ? "succeeded" : "failed",
    value: made.value,
    reported: { metadata, dataVersion, logs, outputs: {}, partitions: {} },
    checks: made.checks,
    isOpen: made.isOpen,
    error: errored?.error,
    blockedBy: closedBy(
      asset,
      key,
      [...declaredChecks(asset), ...checks.filter((check) => check.asset.key === asset.key)],
      made.checks,
    ),
  };
}

type Mapped = { readonly values: [string, unknown][]; readonly leftOut: string[]; readonly closed: string | undefined };

class Memory implements MaterializeResult {
  readonly #options: MaterializeOptions;
  readonly #nowMs: number;
  readonly #partitions = new Map<string, Map<string, MaterializedPartition>>();

  constructor(options: MaterializeOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now();
  }

  partition(asset: AnySpec, key = ""): MaterializedPartition | undefined {
    return this.#partitions.get(asset.key)?.get(key);
  }

  value<A extends AnySpec>(asset: A, key = ""): ValueOfAsset<A> {
    const found = this.partition(asset, key);
    if (found?.status === "succeeded") return found.value as ValueOfAsset<A>;
    if (found?.status === "failed") throw found.error;
    const why = found === undefined ? "was not materialized" : `is blocked by ${found.blockedBy}`;
    throw new Error(`${asset.key}${key === "" ? "" : `, partition ${key},`} ${why}.`);
  }

  spaceOf({ partitions }: AnySpec): PartitionSpace {
    const { dynamicPartitions = {} } = this.#options;
    return partitionSpace(partitions, (name) => dynamicPartitions[name] ?? []);
  }

  selected(asset: AnyAsset, space: PartitionSpace): RangeSet {
    const { partitions } = this.#options;
    if (asset.partitions === undefined || partitions === undefined) return rangeSet.range(0, space.count(this.#nowMs));
    const parsed = parsePartitions(space, partitions, this.#nowMs);
    if (parsed.ok) return parsed.set;
    throw new Error(`${asset.key}: ${parsed.message}. ${parsed.hint}`);
  }

  /** Every partition that is asked for, in order; those whose inputs are open in as few calls as the asset makes of it. */
  async materialize(unit: Unit): Promise<void> {
    const { asset } = unit;
    const space = this.spaceOf(asset);
    for (const { key } of assetsOf(unit)) this.#partitions.set(key, new Map());
    const note = (of: AnyAsset, key: string, partition: MaterializedPartition) =>
      this.#partitions.get(of.key)?.set(key, partition);
    let call = new Map<string, Inputs>();
    const compute = async (): Promise<void> => {
      for (const [of, key, partition] of await this.#computed(unit, call)) note(of, key, partition);
      call = new Map();
    };
    for (const ordinal of rangeSet.ordinals(this.selected(asset, space))) {
      const key = space.keyAt(ordinal);
      const inputs = this.#inputs(asset, space, ordinal);
      if ("blockedBy" in inputs) {
        for (const of of assetsOf(unit)) note(of, key, { ...nothing, status: "blocked", blockedBy: inputs.blockedBy });
      } else call.set(key, inputs);
      if (call.size === (asset.batch?.partitionsMax ?? 1)) await compute();
    }
    if (call.size > 0) await compute();
  }

  /** What one call makes. */
  async #computed(
    unit: Unit,
    call: ReadonlyMap<string, Inputs>,
  ): Promise<readonly (readonly [AnyAsset, string, MaterializedPartition])[]> {
    const keys = assetsOf(unit).map(({ key }) => key);
    const checks = singleChecks(this.#options.checks ?? []).filter((check) => keys.includes(check.asset.key));
    const { resources = {}, config = {} } = this.#options;
    const options = { config: keys.map((key) => config[key]).find((given) => given !== undefined), resources, checks };
    const failed = (error: unknown): MaterializedPartition => ({ ...nothing, status: "failed", error });
    try {
      const made = await computeCall(unit, call, options);
      return made.map(([of, key, each]) => [
        of,
        key,
        "error" in each ? failed(each.error) : madePartition(of, key, checks, each),
      ]);
    } catch (error) {
      return assetsOf(unit).flatMap((of) => [...call.keys()].map((key) => [of, key, failed(error)] as const));
    }
  }

  #inputs(asset: AnyAsset, space: PartitionSpace, ordinal: number): Inputs | { readonly blockedBy: string } {
    const values: Record<string, unknown> = {};
    const details: Record<string, InputDetails> = {};
    for (const [name, dependency] of Object.entries(asset.deps)) {
      const mapped = this.#mapped(dependency, asset, space, ordinal);
      if (mapped.closed !== undefined) return { blockedBy: mapped.closed };
      const { key: assetKey } = upstreamOf(dependency, asset);
      details[name] = {
        assetKey,
        versions: mapped.values.map(([key]) => testVersion(name, key)),
        leftOut: mapped.leftOut,
      };
      if (isEdge(dependency) && dependency.mode === "orderOnly") continue;
      const isSingle = inputIsSingle(dependency, asset.partitions);
      values[name] = isSingle ? mapped.values[0]?.[1] : new PartitionedValues(mapped.values, mapped.leftOut);
    }
    return { values, details };
  }

  /** The upstream values that a partition reads, or what keeps it from reading them. */
  #mapped(dependency: Dependency, asset: AnyAsset, space: PartitionSpace, ordinal: number): Mapped {
    const upstream = upstreamOf(dependency, asset);
    const edge = isEdge(dependency) ? dependency : undefined;
    const upstreamSpace = this.spaceOf(upstream);
    const mapping = edge?.mapping ?? defaultMapping(upstreamSpace, space);
    const set = upstreamPartitions(mapping, upstreamSpace, space, rangeSet.of(ordinal), this.#nowMs);
    const values: [string, unknown][] = [];
    const leftOut: string[] = [];
    let closed: string | undefined;
    for (const upstreamOrdinal of rangeSet.ordinals(set)) {
      const key = upstreamSpace.keyAt(upstreamOrdinal);
      const found = this.#stored(upstream, key);
      if (found.isOpen) values.push([key, found.value]);
      else {
        leftOut.push(key);
        closed ??= found.blockedBy;
      }
    }
    const isMany = !inputIsSingle(dependency, asset.partitions);
    const require = edge?.require ?? (edge?.mode === "lastValidated" && isMany ? { atLeast: 1 } : "every");
    // Of itself an asset can read no more than there is: nothing is before its start.
    const countMax = upstream === asset ? values.length + leftOut.length : Infinity;
    const isEnough = require === "every" ? leftOut.length === 0 : values.length >= Math.min(require.atLeast, countMax);
    const why = closed ?? `${upstream.key}: ${values.length} of the partitions that are required`;
    return { values, leftOut, closed: isEnough ? undefined : why };
  }

  #stored(upstream: AnySpec, key: string): Pick<MaterializedPartition, "isOpen" | "value" | "blockedBy"> {
    const made = this.partition(upstream, key);
    const where = `${upstream.key}${key === "" ? "" : `, partition ${key}`}`;
    if (made !== undefined) return { ...made, blockedBy: made.blockedBy ?? `${where}: it failed` };
    const given = this.#options.values;
    if (given === undefined || !Object.hasOwn(given, upstream.key))
      return { isOpen: false, value: undefined, blockedBy: `${where}: no value` };
    const value = given[upstream.key];
    if (upstream.partitions === undefined) return { isOpen: true, value, blockedBy: undefined };
    const isThere = typeof value === "object" && value !== null && Object.hasOwn(value, key);
    return {
      isOpen: isThere,
      value: isThere ? (value as Record<string, unknown>)[key] : undefined,
      blockedBy: `${where}: no value`,
    };
  }
}
