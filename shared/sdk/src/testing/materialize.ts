import { defaultMapping, parsePartitions, partitionSpace, rangeSet, upstreamPartitions } from "@headgate/model";
import type { PartitionSpace, RangeSet } from "@headgate/model";
import type { AnyAssetCheck } from "../asset-check.ts";
import type { AnyAssetChecks } from "../asset-checks.ts";
import { singleChecks } from "../asset-checks.ts";
import type { AnySpec, ValueOfAsset } from "../asset-spec.ts";
import type { AnyAsset } from "../asset.ts";
import type { Batch, ByPartition } from "../batch.ts";
import type { Dependency } from "../edge.ts";
import { isEdge, upstreamOf } from "../edge.ts";
import { inputIsSingle } from "../input-shape.ts";
import { PartitionedValues } from "../step/partitioned-values.ts";
import type { InputDetails } from "../step-context.ts";
import type { Inputs } from "./given-inputs.ts";
import { testVersion } from "./given-inputs.ts";
import type { AnyOptions, MaterializeAssetOptions, MaterializedAsset } from "./materialize-asset.ts";
import { computeAsset, materializeAsset } from "./materialize-asset.ts";
import { computeBatch, materializeBatch } from "./materialize-batch.ts";
import type { CheckOutcome, Given } from "./run-check.ts";
import { shutsGate } from "./run-check.ts";
import type { Reported } from "./test-context.ts";

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

export interface MaterializeResult {
  /** "" for an asset without partitions. Undefined: not asked for. */
  partition(asset: AnySpec, key?: string): MaterializedPartition | undefined;
  /** @throws the error of a partition that failed, or an Error that says why there is no value */
  value<A extends AnySpec>(asset: A, key?: string): ValueOfAsset<A>;
}

/** What is given beside one asset, or beside several. */
export type OptionsOf<Assets> = Assets extends readonly AnyAsset[]
  ? [options?: MaterializeOptions]
  : Assets extends AnyAsset
    ? Given<MaterializeAssetOptions<Assets>>
    : never;

/** What one asset made, or several. */
export type ResultOf<Assets> = Assets extends readonly AnyAsset[]
  ? MaterializeResult
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
 * Several assets, upstream first, with the gate: `await materialize([raw, sales], { values, partitions, checks })`. What a
 * blocking check refuses is not read downstream; what fails is in the result.
 *
 * @throws StepFailure `step.config_invalid`, `step.value_invalid`, `step.metadata_invalid` of one asset, in the words of a
 *   run; Error for inputs or partitions that an asset has not, and for assets that depend on each other in a circle
 */
export async function materialize<Assets extends AnyAsset | readonly AnyAsset[]>(
  assets: Assets,
  ...[options = {}]: OptionsOf<Assets>
): Promise<ResultOf<Assets>> {
  const made = Array.isArray(assets)
    ? await materializeAll(assets as readonly AnyAsset[], options as MaterializeOptions)
    : (assets as AnyAsset).batch === undefined
      ? await materializeAsset(assets as AnyAsset, options)
      : await materializeBatch(assets as AnyAsset, options as never);
  return made as ResultOf<Assets>;
}

async function materializeAll(assets: readonly AnyAsset[], options: MaterializeOptions): Promise<MaterializeResult> {
  const memory = new Memory(options);
  for (const asset of upstreamFirst(assets)) {
    await memory.materialize(asset);
  }
  return memory;
}

function upstreamFirst(assets: readonly AnyAsset[]): AnyAsset[] {
  const byKey = new Map(assets.map((asset) => [asset.key, asset]));
  const ordered = new Set<AnyAsset>();
  const visit = (asset: AnyAsset, path: readonly string[]): void => {
    if (ordered.has(asset)) return;
    if (path.includes(asset.key))
      throw new Error(`The assets depend on each other in a circle: ${[...path, asset.key].join(" → ")}`);
    for (const dependency of Object.values(asset.deps)) {
      const upstream = byKey.get(upstreamOf(dependency, asset).key);
      if (upstream !== undefined && upstream !== asset) visit(upstream, [...path, asset.key]);
    }
    ordered.add(asset);
  };
  for (const asset of assets) visit(asset, []);
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

/** One partition; or several, of an asset that computes them in one call. */
async function computeCall(asset: AnyAsset, call: ReadonlyMap<string, Inputs>, options: AnyOptions) {
  if (asset.batch !== undefined) return computeBatch(asset, call, options);
  const made: (readonly [string, MaterializedAsset<unknown>])[] = [];
  for (const [key, inputs] of call) {
    made.push([key, await computeAsset(asset, inputs, { ...options, partition: key === "" ? undefined : key })]);
  }
  return made;
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
    blockedBy: closedBy(asset, key, [...declaredChecks(asset), ...checks], made.checks),
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
  async materialize(asset: AnyAsset): Promise<void> {
    const space = this.spaceOf(asset);
    const made = new Map<string, MaterializedPartition>();
    this.#partitions.set(asset.key, made);
    let call = new Map<string, Inputs>();
    const compute = async (): Promise<void> => {
      for (const [key, partition] of await this.#computed(asset, call)) made.set(key, partition);
      call = new Map();
    };
    for (const ordinal of rangeSet.ordinals(this.selected(asset, space))) {
      const key = space.keyAt(ordinal);
      const inputs = this.#inputs(asset, space, ordinal);
      if ("blockedBy" in inputs) made.set(key, { ...nothing, status: "blocked", blockedBy: inputs.blockedBy });
      else call.set(key, inputs);
      if (call.size === (asset.batch?.partitionsMax ?? 1)) await compute();
    }
    if (call.size > 0) await compute();
  }

  /** What one call makes. */
  async #computed(asset: AnyAsset, call: ReadonlyMap<string, Inputs>): Promise<Map<string, MaterializedPartition>> {
    const checks = singleChecks(this.#options.checks ?? []).filter((check) => check.asset.key === asset.key);
    const { resources = {} } = this.#options;
    const options = { config: this.#options.config?.[asset.key], resources, checks };
    const failed = (error: unknown): MaterializedPartition => ({ ...nothing, status: "failed", error });
    const result = new Map<string, MaterializedPartition>();
    try {
      for (const [key, made] of await computeCall(asset, call, options)) {
        result.set(key, "error" in made ? failed(made.error) : madePartition(asset, key, checks, made));
      }
    } catch (error) {
      for (const key of call.keys()) result.set(key, failed(error));
    }
    return result;
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
