import { type Definition, type DefinitionError, definitionKey } from "../domain/definitions.ts";
import type { ManifestEntry, ReceivedDefinition } from "../domain/manifest.ts";
import type { DefinitionRow } from "./definition-rows.ts";

/** What a manifest says of each definition, once its hashes are resolved. */
export interface ResolvedManifest {
  readonly entries: readonly ManifestEntry[];
  /** By hash: what the location sent, and what was stored before. */
  readonly definitions: ReadonlyMap<string, ReceivedDefinition>;
}

/** When the same definition was first seen under another key or in another location; undefined: it is new. */
export type FirstSeenAs = (kind: ManifestEntry["kind"], key: string) => number | undefined;

/**
 * A location's rows after a manifest. A definition that fails to load keeps its last good one; one that vanished is
 * retired, unless a module did not load that may still define it; what never loaded and vanished is forgotten.
 */
export function nextDefinitions(
  previous: readonly DefinitionRow[],
  { entries, definitions }: ResolvedManifest,
  nowMs: number,
  firstSeenAs: FirstSeenAs = () => undefined,
): DefinitionRow[] {
  const before = new Map(previous.map((row) => [rowKey(row), row]));
  const next = new Map<string, DefinitionRow>();
  for (const entry of entries) {
    const key = rowKey(entry);
    const row = rowOf(entry, before.get(key), definitions, firstSeenAs(entry.kind, entry.key) ?? nowMs);
    const first = next.get(key);
    next.set(key, first === undefined ? row : bothDefined(first, row));
  }
  const broken = entries.find((entry) => entry.kind === "module" && entry.error !== undefined);
  for (const row of previous) {
    if (next.has(rowKey(row)) || row.hash === null) continue;
    if (broken?.error !== undefined && row.retiredMs === null) {
      next.set(rowKey(row), { ...row, error: perhapsIn(broken.key, row.key, broken.error) });
    } else {
      next.set(rowKey(row), { ...row, error: null, retiredMs: row.retiredMs ?? nowMs });
    }
  }
  return [...next.values()].sort((a, b) => (rowKey(a) < rowKey(b) ? -1 : 1));
}

/** Unique in a location. */
export function rowKey({ kind, key }: { readonly kind: string; readonly key: string }): string {
  return `${kind} ${key}`;
}

function rowOf(
  entry: ManifestEntry,
  last: DefinitionRow | undefined,
  definitions: ReadonlyMap<string, ReceivedDefinition>,
  newMs: number,
): DefinitionRow {
  const { kind, key } = entry;
  const firstSeenMs = last?.firstSeenMs ?? newMs;
  const failed = (error: DefinitionError): DefinitionRow => ({
    kind,
    key,
    hash: last?.hash ?? null,
    body: last?.body ?? null,
    error,
    retiredMs: null,
    firstSeenMs,
  });
  if (entry.error !== undefined) return failed(entry.error);
  const received = definitions.get(entry.hash);
  if (received === undefined) return failed(neverSent(key, entry.hash));
  if (!received.ok) return failed(received.error);
  const { definition } = received;
  if (kind !== definition.kind || key !== definitionKey(definition)) return failed(anotherKey(kind, key, definition));
  return { kind, key, hash: entry.hash, body: definition, error: null, retiredMs: null, firstSeenMs };
}

/** The first one that loaded counts; the row says that there is another. */
function bothDefined(first: DefinitionRow, second: DefinitionRow): DefinitionRow {
  if (first.error !== null && second.error !== null) return first;
  if (first.error !== null) return { ...second, error: first.error };
  if (second.error !== null) return { ...first, error: second.error };
  const { key, kind } = first;
  const error: DefinitionError = {
    code: kind === "check" ? "definition.duplicate_check" : "definition.duplicate_key",
    message: `${key} is defined twice in this code location. The first definition counts.`,
    hint: "Rename or remove one of the two.",
    ...(second.body === null ? {} : { source: second.body.source }),
  };
  return { ...first, error };
}

function perhapsIn(module: string, key: string, cause: DefinitionError): DefinitionError {
  return {
    code: "definition.module_failed",
    message: `${key} is not in the newest definitions, but module ${module} did not load and may define it: ${cause.message}`,
    hint: `Mend ${module} first (${cause.code}): ${cause.hint}`,
    ...(cause.source === undefined ? {} : { source: cause.source }),
  };
}

function neverSent(key: string, hash: string): DefinitionError {
  return {
    code: "definition.not_sent",
    message: `The code location lists ${key} with hash ${hash}, but did not send that definition.`,
    hint: "Reload the location: headgate location reload. If it stays so, its server breaks the protocol.",
  };
}

function anotherKey(kind: string, key: string, definition: Definition): DefinitionError {
  return {
    code: "definition.key_mismatch",
    message: `The manifest lists the ${kind} ${key}, but its hash is that of the ${definition.kind} ${definitionKey(definition)}.`,
    hint: "The code location breaks the protocol: an entry of the manifest names what its definition says.",
    source: definition.source,
  };
}
