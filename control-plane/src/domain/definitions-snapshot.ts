import type { AssetOwners, Graph, GraphError, LocationSegment, StoredDefinition } from "./asset-graph.ts";
import type {
  AssetDefinition,
  CheckDefinition,
  Definition,
  DefinitionError,
  DefinitionKind,
  ScheduleDefinition,
  SensorDefinition,
} from "./definitions.ts";
import { buildGraph } from "./graph.ts";

/** What one location says of one key: its last good definition, and what is wrong with the newest one. */
export interface SnapshotDefinition {
  readonly kind: DefinitionKind;
  /** See `definitionKey`; the path of a module. */
  readonly key: string;
  /** Absent: it never loaded. */
  readonly definition?: Definition;
  readonly hash?: string;
  readonly error?: DefinitionError;
  /** It vanished, and is kept for its readers. */
  readonly retired?: boolean;
}

export interface SnapshotLocation {
  readonly name: string;
  readonly team: string;
  /** By kind, then key. */
  readonly definitions: readonly SnapshotDefinition[];
}

/**
 * The definitions of all locations at one moment, with nothing that the moment itself leaves behind: the same
 * definitions make the same snapshot. It holds what the asset graph is built of, so that two of them can be compared
 * as the control plane would take them.
 */
export interface DefinitionsSnapshot {
  readonly format: typeof snapshotFormat;
  readonly version: typeof snapshotVersion;
  /** By name. */
  readonly locations: readonly SnapshotLocation[];
  /** The owner registry, by asset; empty where no control plane has one. */
  readonly owners: readonly { readonly asset: string; readonly team: string; readonly location: string }[];
  /** Edges to what is retired or no longer exported, which go on because they are older; by reader, then upstream. */
  readonly keptEdges: readonly { readonly reader: string; readonly upstream: string }[];
}

export const snapshotFormat = "headgate.definitions";
/** Raised when an older program could misread the newer form. */
export const snapshotVersion = 1;

/** What a snapshot is made of, in any order. */
export type SnapshotParts = Pick<DefinitionsSnapshot, "locations"> &
  Partial<Pick<DefinitionsSnapshot, "owners" | "keptEdges">>;

/** The snapshot of these definitions, in its order. */
export function definitionsSnapshot({ locations, owners = [], keptEdges = [] }: SnapshotParts): DefinitionsSnapshot {
  return {
    format: snapshotFormat,
    version: snapshotVersion,
    locations: sorted(locations, ({ name }) => name).map(({ name, team, definitions }) => ({
      name,
      team,
      definitions: sorted(definitions, ({ kind, key }) => `${kind} ${key}`),
    })),
    owners: sorted(owners, ({ asset }) => asset),
    keptEdges: sorted(keptEdges, ({ reader, upstream }) => `${reader}\n${upstream}`),
  };
}

function sorted<T>(items: readonly T[], textOf: (item: T) => string): T[] {
  return [...items].sort((a, b) => (textOf(a) < textOf(b) ? -1 : textOf(a) > textOf(b) ? 1 : 0));
}

/** The asset graph of a snapshot, with every definition that it refuses named. */
export function snapshotGraph(snapshot: DefinitionsSnapshot): Graph {
  const owners: AssetOwners = new Map(snapshot.owners.map(({ asset, team, location }) => [asset, { team, location }]));
  const kept = new Set(snapshot.keptEdges.map(({ reader, upstream }) => `${reader}\n${upstream}`));
  return buildGraph(snapshot.locations.map(snapshotSegment), owners, {
    established: (reader, upstream) => kept.has(`${reader}\n${upstream}`),
  });
}

function snapshotSegment({ name, team, definitions }: SnapshotLocation): LocationSegment {
  const assets: StoredDefinition<AssetDefinition>[] = [];
  const checks: StoredDefinition<CheckDefinition>[] = [];
  const schedules: StoredDefinition<ScheduleDefinition>[] = [];
  const sensors: StoredDefinition<SensorDefinition>[] = [];
  const errors: Omit<GraphError, "location">[] = [];
  for (const { kind, key, definition, hash = "", error, retired } of definitions) {
    const stored = {
      hash,
      firstSeenMs: 0,
      ...(error && { error }),
      ...(retired === true && { retired, retiredMs: 0 }),
    };
    if (definition?.kind === "asset") assets.push({ definition, ...stored });
    else if (definition?.kind === "check") checks.push({ definition, ...stored });
    else if (definition?.kind === "schedule") schedules.push({ definition, ...stored });
    else if (definition?.kind === "sensor") sensors.push({ definition, ...stored });
    else if (error !== undefined) errors.push({ ...error, kind, key });
  }
  return { location: name, team, assets, checks, schedules, sensors, errors };
}
