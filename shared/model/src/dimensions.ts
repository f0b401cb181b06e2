import { dynamicKeyLengthMax } from "./partition-key.ts";
import { ModelError } from "./model-error.ts";
import type { DimensionDefinition, NamedDimension, PartitionsDefinition } from "./partitions-definition.ts";
import type { Dimension, Dimensions, PartitionSpace } from "./space.ts";

export type MultiDefinition = Extract<PartitionsDefinition, { kind: "multi" }>;

const dimensionsMax = 6;
/** Combinations of everything that does not grow. */
const combinationsMax = 100_000;
const keyLengthMax = 255;

/**
 * The layout of a multi-dimensional definition.
 *
 * @param spaceOf the space of one dimension
 * @throws ModelError `invalid_partitions`, and what `spaceOf` throws, with the name of the dimension
 */
export function checkedDimensions(
  definition: MultiDefinition,
  spaceOf: (definition: DimensionDefinition) => PartitionSpace,
): Dimensions {
  // From user code: what it says of its own type is not always so.
  const dimensions: readonly NamedDimension[] = Array.isArray(definition.dimensions) ? definition.dimensions : [];
  if (dimensions.length < 2 || dimensions.length > dimensionsMax) {
    refuse(
      `there are ${dimensions.length} dimensions`,
      `name 2 to ${dimensionsMax}, such as { region: ..., month: ... }`,
    );
  }
  const spaces = dimensions.map(({ name, definition: of }) => {
    checkName(name, dimensions.filter((other) => other.name === name).length);
    return { name, space: named(name, () => spaceOf(checkedKind(of))), grows: of.kind !== "static" };
  });
  const growing = spaces.filter(({ grows }) => grows).map(({ name }) => name);
  if (growing.length > 1) {
    refuse(`dimensions ${growing.join(" and ")} both grow`, "keep one that grows, and make the others static");
  }
  let stride = 1;
  const slowestFirst: Dimension[] = [];
  for (const { name, space, grows } of [...spaces].sort((a, b) => Number(b.grows) - Number(a.grows)).reverse()) {
    slowestFirst.unshift({ name, space, stride });
    if (!grows) stride *= space.count(0);
    if (stride > combinationsMax)
      refuse(`${stride} combinations of keys are too many`, `give at most ${combinationsMax}`);
  }
  checkLength(spaces);
  return { inKey: spaces.flatMap(({ name }) => slowestFirst.filter((other) => other.name === name)), slowestFirst };
}

function refuse(message: string, hint: string): never {
  throw new ModelError("invalid_partitions", message, hint);
}

function checkName(name: unknown, count: number): void {
  if (typeof name !== "string" || !/^[A-Za-z][A-Za-z0-9_-]{0,62}$/.test(name)) {
    const hint = 'use letters, digits, "_" and "-", starting with a letter, at most 63';
    refuse(`${JSON.stringify(name)} is no name of a dimension`, hint);
  }
  if (count > 1) refuse(`dimension ${String(name)} is there twice`, "name every dimension once");
}

function checkedKind(definition: DimensionDefinition): DimensionDefinition {
  const kind: unknown = (definition as { kind?: unknown } | undefined)?.kind;
  if (kind === "static" || kind === "timeWindow" || kind === "dynamic") return definition;
  const what = kind === "multi" ? "has dimensions itself" : "is no partitions definition";
  return refuse(what, "make it with staticPartitions, monthlyPartitions and the like");
}

/** Says of which dimension an error speaks. */
function named<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new ModelError(error.code, `dimension ${name}: ${error.message}`, error.hint, { cause: error });
  }
}

/** An instant with its offset is the longest key of a window. */
const windowKeyLength = "2026-10-25T02:00+02:00".length;

function checkLength(spaces: readonly { name: string; space: PartitionSpace }[]): void {
  let length = -1;
  for (const { name, space } of spaces) {
    const keys = space.definition?.kind === "static" ? space.definition.keys : [];
    const strange = keys.find((key) => key.includes("="));
    if (strange !== undefined) {
      refuse(`dimension ${name}: partition key ${JSON.stringify(strange)} has a "="`, "it would end the name in a key");
    }
    const growing = space.definition?.kind === "dynamic" ? dynamicKeyLengthMax : windowKeyLength;
    length += keys.reduce((most, key) => Math.max(most, key.length), keys.length === 0 ? growing : 0);
    length += name.length + 2;
  }
  if (length > keyLengthMax) {
    refuse(`partition keys have up to ${length} characters`, `use names and keys of at most ${keyLengthMax} in all`);
  }
}
