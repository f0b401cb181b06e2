import type { Partitioned } from "../edge.ts";
import { PartitionedValues } from "../step/partitioned-values.ts";

/**
 * Several partitions of an upstream, as compute receives them: `partitioned({ "2001-01": [...], "2001-02": [...] })`.
 *
 * @param values by partition key, in partition order
 * @param leftOut keys of mapped partitions that had no open version
 */
export function partitioned<T>(values: Readonly<Record<string, T>>, leftOut: readonly string[] = []): Partitioned<T> {
  return new PartitionedValues(Object.entries(values), leftOut);
}
