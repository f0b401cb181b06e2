import { formatRfc3339 } from "./local-time.ts";
import { checkedDimensions } from "./dimensions.ts";
import { ModelError } from "./model-error.ts";
import { multiSpace } from "./multi-space.ts";
import { partitionKeyProblem } from "./partition-key.ts";
import type { PartitionsDefinition } from "./partitions-definition.ts";
import type { Dimensions, PartitionSpace } from "./space.ts";
import { timeWindows } from "./time-windows.ts";
import type { TimeWindows } from "./time-windows.ts";

export type { PartitionSpace } from "./space.ts";

const windowsOfSpace = new WeakMap<PartitionSpace, TimeWindows>();

/** The time windows of a space; `undefined` for other kinds. For the arithmetic of this package alone. */
export function windowsOf(space: PartitionSpace): TimeWindows | undefined {
  return windowsOfSpace.get(space);
}

/** The keys that a dynamic set has, in the order in which they were added. */
export type DynamicKeys = (name: string) => readonly string[];

/**
 * The space of a definition, or of an asset without one.
 *
 * @param dynamicKeys a snapshot of the keys of dynamic sets; default: none has any
 * @throws ModelError `invalid_partitions`, `invalid_cron`, `invalid_timezone`
 */
export function partitionSpace(
  definition: PartitionsDefinition | undefined,
  dynamicKeys: DynamicKeys = () => [],
): PartitionSpace {
  if (definition === undefined) return keyedSpace(undefined, [""]);
  switch (definition.kind) {
    case "static":
      return keyedSpace(definition, checkedKeys(definition.keys));
    case "timeWindow":
      return windowSpace(definition, timeWindows(definition));
    case "dynamic":
      checkedName(definition.name);
      return keyedSpace(definition, dynamicKeys(definition.name));
    case "multi": {
      const spaceOf = (of: PartitionsDefinition): PartitionSpace => partitionSpace(of, dynamicKeys);
      return multiSpace(definition, checkedDimensions(definition, spaceOf));
    }
  }
}

/** True if both number the same partitions: equal keys, or equal cron, zone and start, in every dimension. The end may differ. */
export function sameSpace(a: PartitionSpace, b: PartitionSpace): boolean {
  if (a.dimensions !== undefined || b.dimensions !== undefined) return sameDimensions(a.dimensions, b.dimensions);
  const left = windowsOf(a);
  const right = windowsOf(b);
  if (left !== undefined && right !== undefined)
    return sameCadence(left, right) && left.firstIndex === right.firstIndex;
  if (left !== undefined || right !== undefined) return false;
  const [leftSet, rightSet] = [dynamicName(a), dynamicName(b)];
  if (leftSet !== undefined || rightSet !== undefined) return leftSet === rightSet && sameKeys(a, b);
  const leftKeys = staticKeys(a);
  const rightKeys = staticKeys(b);
  return leftKeys.length === rightKeys.length && leftKeys.every((key, i) => key === rightKeys[i]);
}

function sameDimensions(a: Dimensions | undefined, b: Dimensions | undefined): boolean {
  if (a === undefined || b === undefined || a.inKey.length !== b.inKey.length) return false;
  return a.inKey.every((dimension, n) => {
    const other = b.inKey[n];
    return other !== undefined && dimension.name === other.name && sameSpace(dimension.space, other.space);
  });
}

function dynamicName({ definition }: PartitionSpace): string | undefined {
  return definition?.kind === "dynamic" ? definition.name : undefined;
}

/** Sets of two teams may have one name. */
function sameKeys(a: PartitionSpace, b: PartitionSpace): boolean {
  const count = a.count(0);
  if (count !== b.count(0)) return false;
  for (let n = 0; n < count; n++) if (a.keyAt(n) !== b.keyAt(n)) return false;
  return true;
}

/** True if the windows are cut by the same cron in the same zone, wherever they start and end. */
export function sameCadence(a: TimeWindows, b: TimeWindows): boolean {
  return a.cadence.cron === b.cadence.cron && a.cadence.zone.name === b.cadence.zone.name;
}

function staticKeys(space: PartitionSpace): readonly string[] {
  return space.definition?.kind === "static" ? space.definition.keys : [""];
}

const keysMax = 100_000;
const keyLengthMax = 255;

function checkedKeys(keys: readonly string[]): readonly string[] {
  const refuse = (message: string, hint: string): never => {
    throw new ModelError("invalid_partitions", message, hint);
  };
  if (keys.length === 0) refuse("static partitions have no keys", "give at least one key");
  if (keys.length > keysMax) refuse(`${keys.length} static partition keys are too many`, `give at most ${keysMax}`);
  const seen = new Set<string>();
  for (const key of keys) {
    const problem = partitionKeyProblem(key, keyLengthMax);
    if (problem !== undefined) refuse(problem.message, problem.hint);
    if (seen.has(key)) refuse(`partition key ${JSON.stringify(key)} is there twice`, "name every partition once");
    seen.add(key);
  }
  return [...keys];
}

function checkedName(name: unknown): void {
  if (typeof name === "string" && /^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) return;
  const hint = "a name is 1 to 63 characters of a-z, 0-9, _ and -, starting with a letter or digit";
  throw new ModelError("invalid_partitions", `${JSON.stringify(name)} is no name of dynamic partitions`, hint);
}

function keyedSpace(definition: PartitionsDefinition | undefined, keys: readonly string[]): PartitionSpace {
  const ordinals = new Map(keys.map((key, ordinal) => [key, ordinal]));
  return {
    definition,
    count: () => keys.length,
    keyAt: (ordinal) => keys[ordinal] ?? outOfRange(ordinal, keys.length),
    ordinalOf: (key) => ordinals.get(key),
    windowAt: () => undefined,
    overlapping: () => [0, keys.length],
  };
}

function windowSpace(definition: PartitionsDefinition, windows: TimeWindows): PartitionSpace {
  const { cadence, firstIndex, limit } = windows;
  const { boundaries, zone } = cadence;
  const within = (ordinal: number): number => Math.min(Math.max(ordinal, 0), limit);
  /** Inside the space, and ended before the year that bounds all windows. */
  const exists = (ordinal: number): boolean =>
    Number.isInteger(ordinal) && ordinal >= 0 && ordinal < limit && boundaries.at(firstIndex + ordinal + 1) < Infinity;
  const space: PartitionSpace = {
    definition,
    count: (nowMs) => within(boundaries.indexAtOrBefore(nowMs) - firstIndex),
    keyAt: (ordinal) => (exists(ordinal) ? boundaries.keyAt(firstIndex + ordinal) : outOfRange(ordinal, limit)),
    ordinalOf(key) {
      const index = boundaries.indexOf(key);
      return index !== undefined && exists(index - firstIndex) ? index - firstIndex : undefined;
    },
    windowAt(ordinal) {
      if (!exists(ordinal)) return undefined;
      const startMs = boundaries.at(firstIndex + ordinal);
      const endMs = boundaries.at(firstIndex + ordinal + 1);
      return { startMs, endMs, start: formatRfc3339(zone, startMs), end: formatRfc3339(zone, endMs) };
    },
    overlapping(startMs, endMs) {
      const start = within(boundaries.indexAtOrBefore(startMs) - firstIndex);
      if (endMs <= startMs) return [start, start];
      return [start, Math.max(start, within(boundaries.indexAtOrBefore(endMs - 1) + 1 - firstIndex))];
    },
  };
  windowsOfSpace.set(space, windows);
  return space;
}

function outOfRange(ordinal: number, count: number): never {
  const hint = count === Infinity ? "ordinals count from 0, windows end before 2200" : `ordinals are 0 to ${count - 1}`;
  throw new ModelError("partition_out_of_range", `there is no partition with ordinal ${ordinal}`, hint);
}
