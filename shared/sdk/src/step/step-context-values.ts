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
  const { window, partitionKey } = command;
  const times = window && { start: new Date(window.start), end: new Date(window.end) };
  const dimensions = partitionDimensions(partitions, partitionKey);
  return {
    assetKey: command.assetKey,
    partition:
      partitionKey === ""
        ? undefined
        : { key: partitionKey, ...(times && { window: times }), ...(dimensions && { dimensions }) },
    resources: await environment.resources.values(resources, environment.log),
    log: environment.log,
    signal,
    versionId,
    runId: command.runId,
    runTags: command.runTags,
    attemptNumber: command.attemptNumber,
  };
}
