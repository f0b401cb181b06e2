import type { Partitioned } from "../edge.ts";

/** Values by partition key, in partition order, and the keys that were left out. */
export class PartitionedValues<T> extends Map<string, T> implements Partitioned<T> {
  readonly leftOut: readonly string[];

  constructor(values: Iterable<readonly [string, T]>, leftOut: readonly string[]) {
    super(values);
    this.leftOut = leftOut;
  }
}
