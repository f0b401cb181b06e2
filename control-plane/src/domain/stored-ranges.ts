import { type PartitionSpace, type RangeSet, rangeSet } from "@headgate/model";

/** A set of partitions as it is stored: the first and the last key of each range. Ordinals move with a definition. */
export type StoredRanges = readonly (readonly [first: string, last: string])[];

export function storeRanges(space: PartitionSpace, set: RangeSet): StoredRanges {
  // Keys of a dynamic set come and go one by one.
  if (space.definition?.kind === "dynamic") {
    return [...rangeSet.ordinals(set)].map((n) => [space.keyAt(n), space.keyAt(n)] as const);
  }
  return set.map(([start, end]) => [space.keyAt(start), space.keyAt(end - 1)] as const);
}

/** What is left of a stored set. `isWhole` is false where a key is no longer one. */
export function readRanges(
  space: PartitionSpace,
  stored: StoredRanges,
): { readonly set: RangeSet; readonly isWhole: boolean } {
  let isWhole = true;
  const ranges = stored.flatMap(([first, last]) => {
    const [start, end] = [space.ordinalOf(first), space.ordinalOf(last)];
    if (start !== undefined && end !== undefined && start <= end) return [[start, end + 1] as const];
    isWhole = false;
    return [];
  });
  return { set: rangeSet.from(ranges), isWhole };
}
