import { type PartitionSpace, type PartitionsDefinition, type RangeSet, rangeSet } from "@headgate/model";

/**
 * A set of partitions in a form that outlives the process: ranges of ordinals, or keys where partitions are dynamic, since
 * an ordinal there may be another key's tomorrow.
 */
export type StoredSet = readonly (readonly [number, number])[] | readonly string[];

export function toStoredSet(space: PartitionSpace, set: RangeSet): StoredSet {
  return isDynamic(space.definition) ? [...rangeSet.ordinals(set)].map((ordinal) => space.keyAt(ordinal)) : set;
}

/** Keys that are gone by now are left out. */
export function fromStoredSet(space: PartitionSpace, stored: StoredSet): RangeSet {
  const items = stored as readonly (string | readonly [number, number])[];
  return rangeSet.from(
    items.flatMap((item) => {
      const found = typeof item === "string" ? space.ordinalOf(item) : item;
      return found === undefined ? [] : [found];
    }),
  );
}

function isDynamic(definition: PartitionsDefinition | undefined): boolean {
  switch (definition?.kind) {
    case "dynamic":
      return true;
    case "multi":
      return definition.dimensions.some((dimension) => isDynamic(dimension.definition));
    case "static":
    case "timeWindow":
    case undefined:
      return false;
  }
}
