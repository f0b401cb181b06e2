import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { AssetDeletion, AssetDeletions } from "../domain/asset-deletion.ts";
import type { AssetOwners, LocationSegment, StoredDefinition } from "../domain/asset-graph.ts";
import type {
  AssetDefinition,
  CheckDefinition,
  Definition,
  DefinitionError,
  DefinitionKind,
  ScheduleDefinition,
  SensorDefinition,
} from "../domain/definitions.ts";
import type { GraphOptions } from "../domain/graph.ts";
import type { Rename, Renames } from "../domain/rename.ts";
import { readDynamicSets } from "./dynamic-partitions.ts";
import type { DefinitionErrorRow } from "./schema.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** A row of `location_definitions` with its body. */
export interface DefinitionRow {
  readonly kind: DefinitionKind;
  readonly key: string;
  /** Of the last good definition; null when it never loaded. */
  readonly hash: string | null;
  readonly body: Definition | null;
  readonly error: DefinitionError | null;
  readonly retiredMs: number | null;
  readonly firstSeenMs: number;
}

/** What is stored of one location. */
export interface LocationRows {
  readonly location: string;
  readonly team: string;
  readonly rows: readonly DefinitionRow[];
}

/** Which edges have served: the graph goes on serving them when their upstream is un-exported or retired. */
export interface EstablishedEdges {
  has(reader: string, upstream: string): boolean;
}

export interface StoredDefinitions {
  readonly locations: readonly LocationRows[];
  readonly owners: AssetOwners;
  readonly established: EstablishedEdges;
  readonly renames: Renames;
  readonly deletions: AssetDeletions;
}

/** What the graph of these definitions is built with, beside segments and owners. */
export function graphOptions({
  established,
  renames,
  deletions,
}: Pick<StoredDefinitions, "established" | "renames" | "deletions">): GraphOptions {
  return { established: (reader, upstream) => established.has(reader, upstream), renames, deletions };
}

/**
 * Every definition of every location, by location, kind and key, the owner registry, the edges that have served, what
 * assets were called before and which were deleted.
 */
export async function readDefinitionRows(db: Queryable): Promise<StoredDefinitions> {
  const { rows } = await db.query<{
    location: string;
    team: string;
    kind: DefinitionRow["kind"];
    key: string;
    hash: string | null;
    body: Definition | null;
    error: DefinitionErrorRow | null;
    retired_at: Date | null;
    first_seen_at: Date;
  }>(
    `select l.name as location, l.team, d.kind, d.key, d.hash, b.body, d.error, d.retired_at, d.first_seen_at
       from location_definitions d join locations l on l.name = d.location left join definitions b on b.hash = d.hash
       order by l.name, d.kind, d.key`,
  );
  const locations = new Map<string, { location: string; team: string; rows: DefinitionRow[] }>();
  for (const { location, team, kind, key, hash, body, error, retired_at, first_seen_at } of rows) {
    let entry = locations.get(location);
    if (entry === undefined) locations.set(location, (entry = { location, team, rows: [] }));
    entry.rows.push({
      kind,
      key,
      hash,
      body,
      error: error === null ? null : fromErrorRow(error),
      retiredMs: retired_at === null ? null : retired_at.getTime(),
      firstSeenMs: first_seen_at.getTime(),
    });
  }
  const owners = await db.query<{ asset_key: string; team: string; location: string | null }>(
    "select asset_key, team, location from asset_owners",
  );
  const edges = await db.query<{ edge: string }>("select reader || E'\\n' || upstream as edge from established_edges");
  const served = new Set(edges.rows.map((row) => row.edge));
  const renames = await db.query<{ old_key: string; key: AssetKey; state: Rename["state"] }>(
    `select old_key, key, case when done_at is not null then 'done' when refused_at is not null then 'refused'
       else 'asked' end as state from asset_renames`,
  );
  const deletions = await db.query<{ asset_key: string } & AssetDeletion>(
    `select asset_key, actor, (extract(epoch from requested_at) * 1000)::double precision as "requestedAtMs",
       case when done_at is null then 'underWay' else 'done' end as state from asset_deletions`,
  );
  return {
    deletions: new Map(deletions.rows.map(({ asset_key, ...deletion }) => [asset_key, deletion])),
    established: { has: (reader, upstream) => served.has(`${reader}\n${upstream}`) },
    locations: [...locations.values()],
    renames: new Map(renames.rows.map(({ old_key, key, state }) => [old_key, { key, state }])),
    owners: new Map(owners.rows.map(({ asset_key, team, location }) => [asset_key, { team, location }])),
  };
}

/** What the asset graph is built of. */
export function locationSegment({ location, team, rows }: LocationRows): LocationSegment {
  const assets: StoredDefinition<AssetDefinition>[] = [];
  const checks: StoredDefinition<CheckDefinition>[] = [];
  const schedules: StoredDefinition<ScheduleDefinition>[] = [];
  const sensors: StoredDefinition<SensorDefinition>[] = [];
  const errors: LocationSegment["errors"][number][] = [];
  for (const { kind, key, hash, body, error, retiredMs, firstSeenMs } of rows) {
    if (hash === null || body === null) {
      if (error !== null) errors.push({ ...error, kind, key });
      continue;
    }
    const stored = {
      hash,
      firstSeenMs,
      ...(error === null ? {} : { error }),
      ...(retiredMs === null ? {} : { retired: true, retiredMs }),
    };
    switch (body.kind) {
      case "asset":
        assets.push({ definition: body, ...stored });
        break;
      case "check":
        checks.push({ definition: body, ...stored });
        break;
      case "schedule":
        schedules.push({ definition: body, ...stored });
        break;
      case "sensor":
        sensors.push({ definition: body, ...stored });
        break;
    }
  }
  return { location, team, assets, checks, schedules, sensors, errors };
}

/** The last good definitions of all locations, dead ones too, and the keys of dynamic partitions. Primary only. */
export async function loadSegments(db: Queryable): Promise<{
  readonly segments: readonly LocationSegment[];
  readonly owners: AssetOwners;
  readonly options: GraphOptions;
}> {
  const stored = await readDefinitionRows(db);
  return {
    segments: stored.locations.map(locationSegment),
    owners: stored.owners,
    options: { ...graphOptions(stored), dynamicSets: await readDynamicSets(db) },
  };
}

function fromErrorRow({ code, message, hint, file, line }: DefinitionErrorRow): DefinitionError {
  return { code, message, hint, ...(file === undefined ? {} : { source: { file, line: line ?? 0 } }) };
}

export function toErrorRow({ code, message, hint, source }: DefinitionError): DefinitionErrorRow {
  return { code, message, hint, ...(source === undefined ? {} : { file: source.file, line: source.line }) };
}
