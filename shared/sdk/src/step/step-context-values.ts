import type { StepCommand } from "@headgate/proto";
import { partitionDimensions } from "../partition-dimensions.ts";
import type { AnyPartitions } from "../partitions.ts";
import type { ResourceMap } from "../resource.ts";
import type { StepEnvironment } from "./step-environment.ts";

/** What compute and checks are both told. */
export async function stepContext(
  environment: StepEnvironment,
  command: StepCommand,
  partitions: AnyPartitions | undefined,
  resources: ResourceMap | undefined,
  versionId: string,
  signal: AbortSignal,
) {
  return {
    assetKey: command.assetKey,
    partition: command.partitionKey === "" ? undefined : partitionValue(command, partitions),
    resources: await environment.resources.values(resources, environment.log),
    log: environment.log,
    signal,
    versionId,
    runId: command.runId,
    runTags: command.runTags,
    attemptNumber: command.attemptNumber,
  };
}

/** What is known of the partition at hand. */
export function partitionValue({ partitionKey, window }: StepCommand, partitions: AnyPartitions | undefined) {
  const times = window && { start: new Date(window.start), end: new Date(window.end) };
  const dimensions = partitionDimensions(partitions, partitionKey);
  return { key: partitionKey, ...(times && { window: times }), ...(dimensions && { dimensions }) };
}
