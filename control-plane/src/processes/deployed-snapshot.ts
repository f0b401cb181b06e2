import {
  type DefinitionsSnapshot,
  definitionsSnapshot,
  type SnapshotDefinition,
  type SnapshotLocation,
} from "../domain/definitions-snapshot.ts";
import type { Graph } from "../domain/asset-graph.ts";
import type { ManifestEntry, ReceivedDefinition } from "../domain/manifest.ts";
import type { DefinitionRow } from "../storage/definition-rows.ts";
import { nextDefinitions } from "../storage/next-definitions.ts";
import { snapshotDefinition } from "../storage/stored-snapshot.ts";

/**
 * What the control plane would hold once `locations` were deployed over `before`: what vanished is retired, what does
 * not load keeps its last good form, keys stay with their owners and edges go on.
 *
 * @param graph of `before`
 * @param complete whether a location that is not among `locations` is gone; else it stays as it is
 */
export function deployedSnapshot(
  before: DefinitionsSnapshot,
  graph: Graph,
  locations: readonly SnapshotLocation[],
  complete: boolean,
): DefinitionsSnapshot {
  const known = new Map(before.locations.map((location) => [location.name, location]));
  const given = new Set(locations.map(({ name }) => name));
  const others = before.locations.filter(({ name }) => !given.has(name));
  const next = [
    ...locations.map(({ name, team, definitions }) => ({
      name,
      team,
      definitions: deployed(known.get(name)?.definitions ?? [], definitions),
    })),
    ...others.map((location) =>
      complete ? { ...location, definitions: deployed(location.definitions, []) } : location,
    ),
  ];
  const serving = graph.order.filter(({ retired }) => !retired);
  return definitionsSnapshot({
    locations: next,
    owners: [
      ...before.owners,
      // A snapshot of a checkout has no registry: whoever defines a key in it has it.
      ...(before.owners.length > 0 ? [] : serving.map(({ key, team, location }) => ({ asset: key, team, location }))),
    ],
    keptEdges: graph.order.flatMap((node) =>
      node.upstream.map(({ upstream }) => ({ reader: node.key, upstream: upstream.key })),
    ),
  });
}

function deployed(
  before: readonly SnapshotDefinition[],
  newer: readonly SnapshotDefinition[],
): readonly SnapshotDefinition[] {
  const previous = before.map(
    ({ kind, key, hash = null, definition = null, error = null, retired }): DefinitionRow => ({
      kind,
      key,
      hash: definition === null ? null : (hash ?? ""),
      body: definition,
      error,
      retiredMs: retired === true ? 0 : null,
      firstSeenMs: 0,
    }),
  );
  const entries: ManifestEntry[] = [];
  const definitions = new Map<string, ReceivedDefinition>();
  const errors = new Map<string, SnapshotDefinition["error"]>();
  for (const { kind, key, hash, definition, error } of newer) {
    if (definition === undefined) {
      if (error !== undefined) entries.push({ kind, key, error });
      continue;
    }
    // By key, not by content: two checks may say the same of two assets.
    const identity = `${kind} ${key} ${hash ?? ""}`;
    entries.push({ kind, key, hash: identity });
    definitions.set(identity, { ok: true, definition });
    if (error !== undefined) errors.set(`${kind} ${key}`, error);
  }
  return nextDefinitions(previous, { entries, definitions }, 0).map((row) => {
    const error = row.error ?? errors.get(`${row.kind} ${row.key}`) ?? null;
    return snapshotDefinition({ ...row, error });
  });
}
