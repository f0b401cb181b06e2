import type { PartitionsDefinition as WirePartitions } from "@headgate/proto";
import { ModelError, partitionSpace } from "@headgate/model";
import type { PartitionSpace, PartitionsDefinition } from "@headgate/model";
import { DefinitionProblem } from "./problem.ts";

/** @throws DefinitionProblem */
export function spaceOf(what: string, partitions: PartitionsDefinition | undefined): PartitionSpace {
  try {
    return partitionSpace(partitions);
  } catch (error) {
    const known = error instanceof ModelError ? error : undefined;
    throw new DefinitionProblem(
      "definition.partitions_invalid",
      `The partitions of ${what} are not valid: ${error instanceof Error ? error.message : String(error)}`,
      known?.hint ??
        "Make them with dailyPartitions, monthlyPartitions, cronPartitions, staticPartitions, dynamicPartitions or multiPartitions.",
    );
  }
}

export function describePartitions(partitions: PartitionsDefinition | undefined): WirePartitions | undefined {
  switch (partitions?.kind) {
    case undefined:
      return undefined;
    case "static":
      return { kind: { $case: "static", value: { keys: [...partitions.keys] } } };
    case "timeWindow": {
      const { cron, timezone, start, end } = partitions;
      return { kind: { $case: "timeWindow", value: { cron, timezone, start, end: end ?? "" } } };
    }
    case "dynamic":
      return { kind: { $case: "dynamic", value: { name: partitions.name } } };
    case "multi": {
      const dimensions = partitions.dimensions.map(({ name, definition }) => {
        return { name, definition: describePartitions(definition) };
      });
      return { kind: { $case: "multi", value: { dimensions } } };
    }
  }
}
