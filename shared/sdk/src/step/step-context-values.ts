import type { StepCommand } from "@headgate/proto";
import type { ResourceMap } from "../resource.ts";
import type { StepEnvironment } from "./step-environment.ts";

/** What compute and checks are both told. */
export async function stepContext(
  environment: StepEnvironment,
  command: StepCommand,
  resources: ResourceMap | undefined,
  versionId: string,
  signal: AbortSignal,
) {
  const { window, partitionKey } = command;
  const times = window && { start: new Date(window.start), end: new Date(window.end) };
  return {
    assetKey: command.assetKey,
    partition: partitionKey === "" ? undefined : { key: partitionKey, ...(times && { window: times }) },
    resources: await environment.resources.values(resources, environment.log),
    log: environment.log,
    signal,
    versionId,
    runId: command.runId,
    runTags: command.runTags,
    attemptNumber: command.attemptNumber,
  };
}
