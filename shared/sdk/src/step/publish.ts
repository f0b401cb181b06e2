import type { PublishRequest } from "@headgate/proto";
import { writerFor } from "./io-choice.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { StepFailure } from "./step-failure.ts";

/** Shows a version to readers outside, by the IO manager that stored it. */
export async function publish(
  environment: StepEnvironment,
  { assetKey, version }: PublishRequest,
  signal: AbortSignal,
): Promise<void> {
  const asset = environment.assets.get(assetKey);
  if (asset === undefined) {
    throw new StepFailure(
      "step.asset_unknown",
      `This location's code does not define the asset ${assetKey}, or it did not load.`,
      "See the location's definition errors; mend them, or deploy the code that has the asset.",
    );
  }
  const io = writerFor(environment, asset);
  if (io.publish === undefined || version?.value === undefined) {
    throw new StepFailure(
      "io.publishes_nothing",
      `The IO manager of ${assetKey} publishes nothing here.`,
      "The location was reloaded with other code: what is asked for next follows its definitions.",
    );
  }
  const resources = await environment.resources.values(io.resources, environment.log);
  const context = {
    assetKey,
    partitionKey: version.partitionKey,
    versionId: version.versionId,
    inPlace: asset.inPlace ?? false,
    resources: resources as never,
    log: environment.log,
    signal,
  };
  signal.throwIfAborted();
  await io.publish(version.value, context);
  signal.throwIfAborted();
}
