import { createHash } from "node:crypto";
import { Definition, ManifestEntry_Kind } from "@headgate/proto";
import type { EncodedDefinition, ManifestEntry } from "@headgate/proto";
import type { LoadedLocation } from "../load/load-location.ts";
import type { DescribedEntry } from "../step/worker-protocol.ts";

/** What a location defines, as it is served. */
export interface Manifest {
  /** Lower-case hex SHA-256 over the sorted lines "kind key hash-or-error-code message". */
  readonly hash: string;
  readonly entries: readonly ManifestEntry[];
  readonly encoded: ReadonlyMap<string, EncodedDefinition>;
}

const kinds: Record<DescribedEntry["kind"], ManifestEntry_Kind> = {
  asset: ManifestEntry_Kind.KIND_ASSET,
  check: ManifestEntry_Kind.KIND_CHECK,
  sensor: ManifestEntry_Kind.KIND_SENSOR,
  module: ManifestEntry_Kind.KIND_MODULE,
  schedule: ManifestEntry_Kind.KIND_SCHEDULE,
};

export function manifestOf(location: LoadedLocation): Manifest {
  const encoded = new Map<string, EncodedDefinition>();
  const modules = location.problems.map(({ source, error }): DescribedEntry => ({
    kind: "module",
    key: source,
    error,
  }));
  const entries = [...modules, ...location.entries].map((entry): ManifestEntry => {
    if (entry.definition === undefined)
      return { kind: kinds[entry.kind], key: entry.key, hash: "", error: entry.error };
    const definition = Buffer.from(Definition.encode(entry.definition).finish());
    const hash = createHash("sha256").update(definition).digest("hex");
    encoded.set(hash, { hash, definition });
    return { kind: kinds[entry.kind], key: entry.key, hash, error: undefined };
  });
  const lines = entries.map(
    ({ kind, key, hash, error }) => `${kind} ${key} ${error ? `${error.code} ${error.message}` : `${hash} `}`,
  );
  const hash = createHash("sha256").update(lines.sort().join("\n")).digest("hex");
  return { hash, entries, encoded };
}

const messageSizeBytesMax = 1_048_576 - 4_096;

/** The definitions in groups that fit into a message of 1 MiB; one that is larger goes alone. */
export function* definitionBatches(definitions: Iterable<EncodedDefinition>): Iterable<EncodedDefinition[]> {
  let batch: EncodedDefinition[] = [];
  let sizeBytes = 0;
  for (const definition of definitions) {
    const added = definition.definition.length + definition.hash.length + 16;
    if (batch.length > 0 && sizeBytes + added > messageSizeBytesMax) {
      yield batch;
      batch = [];
      sizeBytes = 0;
    }
    batch.push(definition);
    sizeBytes += added;
  }
  if (batch.length > 0) yield batch;
}
