import { defaultMapping, partitionSpace, rangeSet, upstreamPartitions } from "@headgate/model";
import type { AnyAsset } from "../asset.ts";
import type { Dependency, Partitioned } from "../edge.ts";
import { isEdge, upstreamOf } from "../edge.ts";
import { inputIsSingle, readsItself } from "../input-shape.ts";
import type { InputDetails, InputVersion } from "../step-context.ts";
import { partitioned } from "./partitioned.ts";

/** What compute receives: the values, and what is known of them. */
export interface Inputs {
  readonly values: Readonly<Record<string, unknown>>;
  readonly details: Readonly<Record<string, InputDetails>>;
}

/**
 * The inputs that a test gives, in the shape that a run would give them.
 *
 * @throws Error for a dependency that is missing, a name that is none, or one value where several partitions are read
 */
export function givenInputs(
  asset: AnyAsset,
  partition: string | undefined,
  given: Readonly<Record<string, unknown>>,
): Inputs {
  const values: Record<string, unknown> = {};
  const details: Record<string, InputDetails> = {};
  const names = Object.keys(asset.deps);
  const strange = Object.keys(given).find((name) => !Object.hasOwn(asset.deps, name));
  if (strange !== undefined) {
    const known = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
    throw new Error(`${asset.key} has no dependency "${strange}": ${known}.`);
  }
  for (const [name, dependency] of Object.entries(asset.deps)) {
    const { key: assetKey } = upstreamOf(dependency, asset);
    if (isEdge(dependency) && dependency.mode === "orderOnly") {
      details[name] = { assetKey, versions: [], leftOut: [] };
      continue;
    }
    if (!Object.hasOwn(given, name)) {
      throw new Error(`${asset.key} reads ${assetKey} as "${name}": give it in inputs: { ${name}: ... }.`);
    }
    if (inputIsSingle(dependency, asset.partitions)) {
      values[name] = given[name];
      const partitionKey = mappedKey(asset, dependency, partition);
      // Of itself an asset reads nothing before its first partition.
      const isThere = given[name] !== undefined || !readsItself(dependency);
      details[name] = { assetKey, versions: isThere ? [testVersion(name, partitionKey)] : [], leftOut: [] };
      continue;
    }
    const several = severalOf(given[name]);
    if (several === undefined) {
      const words = `${asset.key} reads several partitions of ${assetKey} as "${name}"`;
      throw new Error(`${words}: give them by partition key, as an object or with partitioned({ key: value }).`);
    }
    values[name] = several;
    const versions = [...several.keys()].map((key) => testVersion(name, key));
    details[name] = { assetKey, versions, leftOut: several.leftOut };
  }
  return { values, details };
}

/** What is known of a version that only a test has. */
export function testVersion(name: string, partitionKey: string): InputVersion {
  return { versionId: `test-version-of-${name}`, partitionKey, dataVersion: "", metadata: {} };
}

/** A `Partitioned`, or an object by partition key. */
function severalOf(given: unknown): Partitioned<unknown> | undefined {
  if (given instanceof Map) {
    const { leftOut } = given as Partial<Partitioned<unknown>>;
    return partitioned(Object.fromEntries(given as Map<string, unknown>), leftOut);
  }
  const isPlain = typeof given === "object" && given !== null && Object.getPrototypeOf(given) === Object.prototype;
  return isPlain ? partitioned(given as Readonly<Record<string, unknown>>) : undefined;
}

/** The upstream partition that this partition reads; "" where it has none or the mapping finds none. */
function mappedKey(asset: AnyAsset, dependency: Dependency, partition: string | undefined): string {
  const upstream = partitionSpace(upstreamOf(dependency, asset).partitions);
  const space = partitionSpace(asset.partitions);
  const ordinal = partition === undefined ? 0 : space.ordinalOf(partition);
  if (upstream.definition === undefined || ordinal === undefined) return "";
  const mapping = (isEdge(dependency) ? dependency.mapping : undefined) ?? defaultMapping(upstream, space);
  const mapped = upstreamPartitions(mapping, upstream, space, rangeSet.of(ordinal), Date.now());
  for (const first of rangeSet.ordinals(mapped)) return upstream.keyAt(first);
  return "";
}
