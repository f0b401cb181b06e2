import type { VersionReference } from "@headgate/proto";
import type { AnyAsset } from "../asset.ts";
import type { JsonValue } from "../metadata.ts";
import { readerFor } from "./io-choice.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { StepFailure } from "./step-failure.ts";

/** The stored value of a version, read by this location's means; undefined where no value was stored. */
export async function readVersion(
  environment: StepEnvironment,
  reader: AnyAsset | undefined,
  assetKey: string,
  version: VersionReference,
  signal: AbortSignal,
): Promise<unknown> {
  const { value } = version;
  if (value === undefined || value.scheme === "") return undefined;
  const io = readerFor(environment, reader, value);
  const resources = await environment.resources.values(io.resources, environment.log);
  const context = {
    assetKey,
    partitionKey: version.partitionKey,
    versionId: version.versionId,
    inPlace: false,
    resources: resources as never,
    log: environment.log,
    signal,
  };
  try {
    return await io.read(value, context);
  } catch (error) {
    if (error instanceof StepFailure) throw error;
    const partition = version.partitionKey === "" ? "" : `, partition ${version.partitionKey}`;
    throw new StepFailure(
      "io.read_failed",
      `Version ${version.versionId} of ${assetKey}${partition} could not be read from ${value.place}: ${error instanceof Error ? error.message : String(error)}`,
      "See the cause; check that this location reaches the place and that the value is still there.",
      { cause: error },
    );
  }
}

/** Metadata as an object; what is not one is taken for none. */
export function parseMetadata(text: string): Record<string, JsonValue> {
  if (text === "") return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, JsonValue>)
      : {};
  } catch {
    return {};
  }
}
