import type { AnyAsset } from "../asset.ts";
import type { IoManager, ValueReference } from "../io-manager.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { StepFailure } from "./step-failure.ts";

/** The IO manager that stores the values of `asset`; one that stores in the scratch folder where it is tried. @throws StepFailure `io.missing` */
export function writerFor(environment: StepEnvironment, asset: AnyAsset): IoManager {
  const writer = asset.io ?? environment.ioManagers[0];
  if (writer !== undefined) return environment.scratch?.writer(writer) ?? writer;
  throw new StepFailure(
    "io.missing",
    `${asset.key} returned a value and there is no IO manager to store it.`,
    "Give `io` to the asset or to `definitions`, or return nothing.",
  );
}

/**
 * The IO manager that reads `reference` here: the reader's own first, then the location's, then any other asset's; one
 * that names the scheme and media type goes before one that takes everything.
 *
 * @throws StepFailure `io.no_reader`
 */
export function readerFor(
  environment: StepEnvironment,
  reader: AnyAsset | undefined,
  reference: ValueReference,
): IoManager {
  const tried = environment.scratch?.reader(reference);
  if (tried !== undefined) return tried;
  const candidates = new Set<IoManager>();
  if (reader?.io !== undefined) candidates.add(reader.io);
  for (const candidate of environment.ioManagers) candidates.add(candidate);
  const named = [...candidates].find((candidate) => reads(candidate, reference) && isExplicit(candidate));
  if (named !== undefined) return named;
  for (const asset of environment.assets.values()) {
    if (asset.io !== undefined && isExplicit(asset.io) && reads(asset.io, reference)) return asset.io;
  }
  const any = [...candidates].find((candidate) => reads(candidate, reference));
  if (any !== undefined) return any;
  throw new StepFailure(
    "io.no_reader",
    `No IO manager of this location reads ${reference.mediaType || "values"} at "${reference.scheme}" (${reference.place}).`,
    "Add one that does to `io` of `definitions`: io: [yours, theirs].",
  );
}

function isExplicit(io: IoManager): boolean {
  return io.schemes !== undefined || io.mediaTypes !== undefined;
}

function reads(io: IoManager, reference: ValueReference): boolean {
  return (io.schemes?.includes(reference.scheme) ?? true) && (io.mediaTypes?.includes(reference.mediaType) ?? true);
}
