import type { DynamicKeys } from "@headgate/model";
import type { AnyPartitions } from "./partitions.ts";

/**
 * The key of each dimension in a partition key such as "region=eu,month=2001-02"; undefined where the partitions have
 * one dimension. Keys hold no comma, and no "=".
 */
export function partitionDimensions(
  partitions: AnyPartitions | undefined,
  key: string,
): Readonly<Record<string, string>> | undefined {
  if (partitions?.kind !== "multi") return undefined;
  const parts = key.split(",").map((part) => {
    const end = part.indexOf("=");
    return [part.slice(0, end), part.slice(end + 1)] as const;
  });
  return Object.fromEntries(parts);
}

/** The keys that dynamic sets must have for `key` to be a partition: where there is no control plane to say which. */
export function dynamicKeysOf(partitions: AnyPartitions | undefined, key: string): DynamicKeys {
  if (partitions?.kind !== "multi") return () => [key];
  const dimensions = partitionDimensions(partitions, key) ?? {};
  return (name) =>
    partitions.dimensions.flatMap((dimension) =>
      dimension.definition.kind === "dynamic" && dimension.definition.name === name
        ? [dimensions[dimension.name] ?? ""]
        : [],
    );
}
