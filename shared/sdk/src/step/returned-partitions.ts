import { StepFailure } from "./step-failure.ts";

/**
 * What compute returned of the partitions that it was asked for.
 *
 * @throws StepFailure `step.partitions_invalid`, `step.partition_unexpected`
 */
export function returnedPartitions(
  asset: string,
  keys: readonly string[],
  returned: unknown,
): ReadonlyMap<string, unknown> {
  if (!(returned instanceof Map)) {
    throw new StepFailure(
      "step.partitions_invalid",
      `Compute of ${asset} is given several partitions and did not return a Map of their values.`,
      "Return new Map(partitions.map(({ key }) => [key, ...])).",
    );
  }
  const asked = new Set<unknown>(keys);
  const extra = [...(returned as Map<unknown, unknown>).keys()].filter((key) => !asked.has(key)).map(String);
  if (extra.length === 0) return returned as ReadonlyMap<string, unknown>;
  const shown = extra.slice(0, 3).join(", ");
  throw new StepFailure(
    "step.partition_unexpected",
    `Compute of ${asset} returned ${extra.length > 3 ? `${shown} and ${extra.length - 3} more` : shown}, which it was not asked for.`,
    "Return those of `context.partitions` alone: what is stored unasked would belong to no step.",
  );
}

export function missingPartition(asset: string, key: string): StepFailure {
  return new StepFailure(
    "step.partition_missing",
    `Compute of ${asset} returned nothing for partition ${key}, which it was asked for.`,
    "Set a value for each of `context.partitions`; undefined where there is none to store, or call `fail` of the partition.",
  );
}
