import type { MultiDefinition } from "./dimensions.ts";
import type { Dimensions } from "./space.ts";
import { ModelError } from "./model-error.ts";
import type { PartitionSpace } from "./space.ts";

/** The space of all combinations of the keys of `dimensions`. */
export function multiSpace(definition: MultiDefinition, dimensions: Dimensions): PartitionSpace {
  const { inKey, slowestFirst } = dimensions;
  const [slowest] = slowestFirst;
  const rowLength = slowest?.stride ?? 1;
  /** The ordinal of each dimension, by its name. */
  const digits = (ordinal: number): Map<string, number> => {
    const found = new Map<string, number>();
    let rest = ordinal;
    for (const { name, stride } of slowestFirst) {
      found.set(name, Math.floor(rest / stride));
      rest %= stride;
    }
    return found;
  };
  return {
    definition,
    dimensions,
    count: (nowMs) => (slowest?.space.count(nowMs) ?? 0) * rowLength,
    keyAt(ordinal) {
      if (!Number.isSafeInteger(ordinal) || ordinal < 0) {
        const message = `there is no partition with ordinal ${ordinal}`;
        throw new ModelError("partition_out_of_range", message, "ordinals count from 0");
      }
      const at = digits(ordinal);
      return inKey.map(({ name, space }) => `${name}=${space.keyAt(at.get(name) ?? 0)}`).join(",");
    },
    ordinalOf(key) {
      const parts = key.split(",", inKey.length + 1);
      if (parts.length !== inKey.length) return undefined;
      let ordinal = 0;
      for (const [n, { name, space, stride }] of inKey.entries()) {
        const part = parts[n] ?? "";
        const digit = part.startsWith(`${name}=`) ? space.ordinalOf(part.slice(name.length + 1)) : undefined;
        if (digit === undefined) return undefined;
        ordinal += digit * stride;
      }
      return ordinal;
    },
    windowAt: (ordinal) => slowest?.space.windowAt(Math.floor(ordinal / rowLength)),
    overlapping(startMs, endMs) {
      const [start, end] = slowest?.space.overlapping(startMs, endMs) ?? [0, 0];
      return [start * rowLength, end * rowLength];
    },
  };
}
