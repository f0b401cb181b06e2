import type { Dependency } from "./edge.ts";
import { isEdge } from "./edge.ts";
import type { AnyPartitions, DimensionPartitions } from "./partitions.ts";
import { isSelf } from "./self.ts";

/**
 * True where compute receives one value for this dependency, false where it receives `Partitioned`: the same rule that
 * the types of `asset` follow, decided from the definitions alone.
 */
export function inputIsSingle(dependency: Dependency, partitions: AnyPartitions | undefined): boolean {
  const { partitions: ofUpstream } = isEdge(dependency) ? dependency.upstream : dependency;
  const upstream = readsItself(dependency) ? partitions : ofUpstream;
  if (upstream === undefined) return true;
  switch (isEdge(dependency) ? dependency.mappingKind : "default") {
    case "last":
      return true;
    case "all":
    case "offsets":
    case "static":
    case "dimensions":
      return false;
    case "offset":
    case "default":
      return partitions !== undefined && followsOne(upstream, partitions);
  }
}

/** True where a dependency is on `self`: the asset before its first partition is nothing, and no error. */
export function readsItself(dependency: Dependency): boolean {
  return isSelf(isEdge(dependency) ? dependency.upstream : dependency);
}

function followsOne(upstream: AnyPartitions, partitions: AnyPartitions): boolean {
  if (upstream.kind !== "multi") {
    const own = partitions.kind === "multi" ? partitions.dimensions.map(({ definition }) => definition) : [partitions];
    return own.some((definition) => sameWindowsOrKeys(upstream, definition));
  }
  if (partitions.kind !== "multi") return false;
  return upstream.dimensions.every(({ name, definition }) =>
    partitions.dimensions.some((own) => own.name === name && sameWindowsOrKeys(definition, own.definition)),
  );
}

function sameWindowsOrKeys(upstream: DimensionPartitions, partitions: DimensionPartitions): boolean {
  if (upstream.kind === "timeWindow") {
    return (
      partitions.kind === "timeWindow" && upstream.cron === partitions.cron && upstream.timezone === partitions.timezone
    );
  }
  if (upstream.kind === "dynamic") return partitions.kind === "dynamic" && partitions.name === upstream.name;
  if (partitions.kind !== "static" || partitions.keys.length !== upstream.keys.length) return false;
  const keys = new Set(upstream.keys);
  return partitions.keys.every((key) => keys.has(key));
}
