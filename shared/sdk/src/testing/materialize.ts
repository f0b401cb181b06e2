import { defaultMapping, parsePartitions, partitionSpace, rangeSet, upstreamPartitions } from "@headgate/model";
import type { PartitionSpace, RangeSet } from "@headgate/model";
import type { AnyAssetCheck, CheckResult, CheckSeverity } from "../asset-check.ts";
import type { AnySpec, ValueOfAsset } from "../asset-spec.ts";
import type { AnyAsset } from "../asset.ts";
import type { Dependency } from "../edge.ts";
import { isEdge } from "../edge.ts";
import { inputIsSingle } from "../input-shape.ts";
import { PartitionedValues } from "../step/partitioned-values.ts";
import { schemaOf, validated } from "../step/value-check.ts";
import type { Reported } from "./test-context.ts";
import { testContext } from "./test-context.ts";

export interface MaterializeOptions {
  readonly checks?: readonly AnyAssetCheck[];
  /** Partition keys, ranges and lists ("2001-01..2001-03"), for every partitioned asset; default: all that exist. */
  readonly partitions?: string;
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
  readonly reported: Reported | undefined;
  readonly checks: Readonly<Record<string, CheckResult & { readonly severity: CheckSeverity }>>;
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

/**
 * Computes assets in memory, upstream first, with their checks and the gate: what a blocking check refuses is not read
 * downstream. Nothing is stored; checks judge the value as it was returned and validated.
 *
 * @throws Error for a cycle, or a partition selection that cannot be read
 */
export async function materialize(
  assets: readonly AnyAsset[],
  options: MaterializeOptions = {},
): Promise<MaterializeResult> {
  const memory = new Memory(options);
  for (const asset of upstreamFirst(assets)) {
    const space = partitionSpace(asset.partitions);
    for (const ordinal of rangeSet.ordinals(memory.selected(asset, space))) {
      await memory.materialize(asset, space, ordinal);
    }
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
      const upstream = byKey.get(upstreamOf(dependency).key);
      if (upstream !== undefined && upstream !== asset) visit(upstream, [...path, asset.key]);
    }
    ordered.add(asset);
  };
  for (const asset of assets) visit(asset, []);
  return [...ordered];
}

const upstreamOf = (dependency: Dependency): AnySpec => (isEdge(dependency) ? dependency.upstream : dependency);

type Inputs = { readonly values: Readonly<Record<string, unknown>> } | { readonly blockedBy: string };
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

  selected(asset: AnyAsset, space: PartitionSpace): RangeSet {
    const { partitions } = this.#options;
    if (asset.partitions === undefined || partitions === undefined) return rangeSet.range(0, space.count(this.#nowMs));
    const parsed = parsePartitions(space, partitions, this.#nowMs);
    if (parsed.ok) return parsed.set;
    throw new Error(`${asset.key}: ${parsed.message}. ${parsed.hint}`);
  }

  async materialize(asset: AnyAsset, space: PartitionSpace, ordinal: number): Promise<void> {
    const key = space.keyAt(ordinal);
    let partitions = this.#partitions.get(asset.key);
    if (partitions === undefined)
      this.#partitions.set(asset.key, (partitions = new Map<string, MaterializedPartition>()));
    partitions.set(key, await this.#computed(asset, space, ordinal, key));
  }

  async #computed(
    asset: AnyAsset,
    space: PartitionSpace,
    ordinal: number,
    key: string,
  ): Promise<MaterializedPartition> {
    const nothing = {
      value: undefined,
      reported: undefined,
      checks: {},
      isOpen: false,
      error: undefined,
      blockedBy: undefined,
    };
    const inputs = this.#inputs(asset, space, ordinal);
    if ("blockedBy" in inputs) return { ...nothing, status: "blocked", blockedBy: inputs.blockedBy };
    try {
      const config = this.#options.config?.[asset.key];
      const context = this.#context(asset, key, config === undefined ? {} : { config });
      const compute = asset.compute as (inputs: unknown, context: unknown) => unknown;
      const returned = await compute(inputs.values, context);
      const schema = schemaOf(asset.value);
      const what = `The value of ${asset.key}`;
      const value = schema ? await validated(schema, returned, "step.value_invalid", what) : returned;
      const { reported } = context;
      return {
        ...nothing,
        status: "succeeded",
        value,
        reported,
        ...(await this.#checked(asset, key, value, reported)),
      };
    } catch (error) {
      return { ...nothing, status: "failed", error };
    }
  }

  #context(definition: object, key: string, more: object): { readonly reported: Reported } {
    const { resources = {} } = this.#options;
    const partition = key === "" ? {} : { partition: key };
    return testContext(definition as never, { resources, ...partition, ...more } as never);
  }

  async #checked(asset: AnyAsset, key: string, value: unknown, reported: Reported) {
    const checks: Record<string, CheckResult & { severity: CheckSeverity }> = {};
    let isOpen = true;
    let blockedBy: string | undefined;
    for (const check of this.#options.checks ?? []) {
      if (check.asset.key !== asset.key) continue;
      const run = check.run as (value: unknown, context: unknown) => unknown;
      const given = (await run(value, this.#context(check, key, { metadata: reported.metadata }))) as
        CheckResult | boolean;
      const result = typeof given === "boolean" ? { passed: given } : given;
      const severity = result.severity ?? check.severity ?? "ERROR";
      checks[check.name] = { ...result, severity };
      if (result.passed || severity === "WARN" || !check.blocking) continue;
      isOpen = false;
      blockedBy ??= `${asset.key}${key === "" ? "" : `, partition ${key}`}: check ${check.name}`;
    }
    return { checks, isOpen, blockedBy };
  }

  #inputs(asset: AnyAsset, space: PartitionSpace, ordinal: number): Inputs {
    const values: Record<string, unknown> = {};
    for (const [name, dependency] of Object.entries(asset.deps)) {
      const mapped = this.#mapped(dependency, space, ordinal);
      if (mapped.closed !== undefined) return { blockedBy: mapped.closed };
      if (isEdge(dependency) && dependency.mode === "orderOnly") continue;
      const isSingle = inputIsSingle(dependency, asset.partitions);
      values[name] = isSingle ? mapped.values[0]?.[1] : new PartitionedValues(mapped.values, mapped.leftOut);
    }
    return { values };
  }

  /** The upstream values that a partition reads, or what keeps it from reading them. */
  #mapped(dependency: Dependency, space: PartitionSpace, ordinal: number): Mapped {
    const upstream = upstreamOf(dependency);
    const edge = isEdge(dependency) ? dependency : undefined;
    const upstreamSpace = partitionSpace(upstream.partitions);
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
    const isMany = !inputIsSingle(dependency, space.definition);
    const require = edge?.require ?? (edge?.mode === "lastValidated" && isMany ? { atLeast: 1 } : "every");
    const isEnough = require === "every" ? leftOut.length === 0 : values.length >= require.atLeast;
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
