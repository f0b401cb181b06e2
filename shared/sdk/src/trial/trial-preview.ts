import type { StepCommand } from "@headgate/proto";
import { metadataEntries } from "../step/metadata-entries.ts";
import type { StepEnvironment } from "../step/step-environment.ts";
import type { Scratch, TrialPreview } from "./scratch.ts";
import { printed } from "./scratch.ts";

/** Never throws: a value that cannot be shown is no fault of the asset. */
export async function previewOf(
  environment: StepEnvironment,
  { assetKey, partitionKey }: StepCommand,
  scratch: Scratch,
): Promise<TrialPreview> {
  const { written } = scratch;
  if (written === undefined) return { value: undefined, inMemory: false };
  const { io, value, inMemory } = written;
  const shown = async () => {
    if (io.preview === undefined) return undefined;
    const resources = await environment.resources.values(io.resources, environment.log);
    return await io.preview(value as never, {
      assetKey,
      partitionKey,
      versionId: "",
      inPlace: false,
      resources,
      log: environment.log,
      signal: AbortSignal.timeout(10_000),
    });
  };
  try {
    return { value: metadataEntries({ value: (await shown()) ?? printed(value) }, environment.redaction)[0], inMemory };
  } catch (error) {
    const words = `It cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
    return { value: metadataEntries({ value: words }, environment.redaction)[0], inMemory };
  }
}
