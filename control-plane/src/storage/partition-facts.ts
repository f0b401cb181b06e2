import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { HandledVersion, ObservedVersion, PartitionState } from "../domain/conditions/partition-state.ts";
import type { VersionView } from "../domain/gate.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** One partition of one asset; '' where it is not partitioned. */
export interface Place {
  readonly asset: AssetKey;
  readonly partition: string;
}

/** What conditions know of a partition. */
export interface PlaceState extends Place {
  readonly state: PartitionState;
}

/** How many versions of a partition are looked through for one that is open. */
const depth = 20;

/** As the SQL function partition_facts() returns it. */
interface FactsRow {
  readonly asset_key: AssetKey;
  readonly partition_key: string;
  readonly facts: {
    readonly versions: readonly ObservedVersion[];
    readonly inProgress: boolean;
    readonly checking: boolean;
    readonly failedAtMs: number | null;
    /** Newest first. */
    readonly requests: readonly {
      readonly definition: string;
      readonly run: string;
      readonly atMs: number;
      readonly blocked: boolean;
      readonly reads: readonly HandledVersion[];
    }[];
    readonly madeFrom: readonly HandledVersion[];
  };
}

/**
 * What is recorded of every partition of these assets of which anything is.
 *
 * @param readers those of them that have a condition
 */
export async function readAssetFacts(
  db: Queryable,
  assets: readonly AssetKey[],
  readers: readonly AssetKey[],
): Promise<readonly PlaceState[]> {
  const { rows } = await db.query<FactsRow>(
    `select p.asset_key, p.partition_key,
       partition_facts(p.asset_key, p.partition_key, p.asset_key = any ($2), $3) as facts
     from (select asset_key, partition_key from versions where asset_key = any ($1)
       union select asset_key, partition_key from steps where asset_key = any ($1)
       union select asset_key, partition_key from automation_requests where asset_key = any ($2)) p`,
    [assets, readers, depth],
  );
  return rows.map(placeState);
}

/** What is recorded of these partitions. */
export async function readPlaceFacts(
  db: Queryable,
  places: readonly Place[],
  readers: readonly AssetKey[],
): Promise<readonly PlaceState[]> {
  if (places.length === 0) return [];
  const { rows } = await db.query<FactsRow>(
    `select p.asset_key, p.partition_key,
       partition_facts(p.asset_key, p.partition_key, p.asset_key = any ($3), $4) as facts
     from unnest($1::text[], $2::text[]) as p (asset_key, partition_key)`,
    [places.map(({ asset }) => asset), places.map(({ partition }) => partition), readers, depth],
  );
  return rows.map(placeState);
}

/** The versions of these partitions as the gate sees them, "asset\npartition" to newest first. */
export async function readPlaceVersions(db: Queryable, places: readonly Place[]): Promise<Map<string, VersionView[]>> {
  const { rows } = await db.query<{ place: string; versions: VersionView[] }>(
    `select p.asset_key || E'\\n' || p.partition_key as place, coalesce((
         select jsonb_agg(version_state(v.id) order by v.seq desc)
         from (select n.id, n.seq from versions n where n.asset_key = p.asset_key and n.partition_key = p.partition_key
           and n.discarded_at is null order by n.seq desc limit $3) v), '[]') as versions
     from unnest($1::text[], $2::text[]) as p (asset_key, partition_key)`,
    [places.map(({ asset }) => asset), places.map(({ partition }) => partition), depth],
  );
  return new Map(rows.map((row) => [row.place, row.versions]));
}

/** Partitions that an event since `after` was about, and how far the log was read. */
export interface TouchedPlaces {
  readonly seq: number;
  readonly places: readonly Place[];
  /** There is more to read. */
  readonly more: boolean;
}

const eventsMax = 10_000;

/** Reads the log on: which partitions its events are about, by themselves or by the run that they tell of. */
export async function readTouchedPlaces(db: Queryable, after: number): Promise<TouchedPlaces> {
  const { rows } = await db.query<{
    seq: number;
    run_id: string | null;
    asset_key: AssetKey | null;
    partition_key: string | null;
  }>("select seq, run_id, asset_key, partition_key from events where seq > $1 order by seq limit $2", [
    after,
    eventsMax,
  ]);
  const places = new Map<string, Place>();
  const runs = new Set<string>();
  for (const { run_id, asset_key, partition_key } of rows) {
    if (asset_key !== null) {
      const place = { asset: asset_key, partition: partition_key ?? "" };
      places.set(`${place.asset}\n${place.partition}`, place);
    } else if (run_id !== null) runs.add(run_id);
  }
  for (const place of await placesOfRuns(db, [...runs])) places.set(`${place.asset}\n${place.partition}`, place);
  const last = rows.at(-1);
  return { seq: last?.seq ?? after, places: [...places.values()], more: rows.length === eventsMax };
}

async function placesOfRuns(db: Queryable, runs: readonly string[]): Promise<readonly Place[]> {
  if (runs.length === 0) return [];
  const { rows } = await db.query<Place>(
    "select distinct asset_key as asset, partition_key as partition from steps where run_id = any ($1)",
    [runs],
  );
  return rows;
}

function placeState({ asset_key: asset, partition_key: partition, facts }: FactsRow): PlaceState {
  const { versions, inProgress, checking, failedAtMs, requests, madeFrom } = facts;
  const counted = requests.filter(({ blocked }) => !blocked);
  const [newest] = counted;
  const [last] = requests;
  return {
    asset,
    partition,
    state: {
      versions,
      inProgress,
      checking,
      ...(failedAtMs === null ? {} : { failedAtMs }),
      ...(newest === undefined ? {} : { request: { definition: newest.definition, atMs: newest.atMs } }),
      ...(last?.blocked === true ? { blockedRun: last.run } : {}),
      handled: [...madeFrom, ...counted.flatMap(({ reads }) => reads)],
    },
  };
}
