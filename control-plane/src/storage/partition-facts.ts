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

/** Partitions that one statement reads at most, so that none takes as long as a statement may. */
const placesPerStatement = 1_000;

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
  const { rows } = await db.query<Place>(
    `select asset_key as asset, partition_key as partition from versions where asset_key = any ($1)
     union select asset_key, partition_key from steps where asset_key = any ($1)
     union select asset_key, partition_key from automation_requests where asset_key = any ($2)`,
    [assets, readers],
  );
  return readPlaceFacts(db, rows, readers);
}

/** Of how many partitions of these assets something is recorded, counted up to `max`. */
export async function countKnownPartitions(db: Queryable, assets: readonly AssetKey[], max: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*) as count from (
       select 1 from versions where asset_key = any ($1) group by asset_key, partition_key limit $2) known`,
    [assets, max],
  );
  return Number(rows[0]?.count ?? 0);
}

/** What is recorded of these partitions. */
export async function readPlaceFacts(
  db: Queryable,
  places: readonly Place[],
  readers: readonly AssetKey[],
): Promise<readonly PlaceState[]> {
  const states: PlaceState[] = [];
  for (let from = 0; from < places.length; from += placesPerStatement) {
    const some = places.slice(from, from + placesPerStatement);
    const { rows } = await db.query<FactsRow>(
      `select p.asset_key, p.partition_key,
         partition_facts(p.asset_key, p.partition_key, p.asset_key = any ($3), $4) as facts
       from unnest($1::text[], $2::text[]) as p (asset_key, partition_key)`,
      [some.map(({ asset }) => asset), some.map(({ partition }) => partition), readers, depth],
    );
    states.push(...rows.map(placeState));
  }
  return states;
}

/** What a request is judged by where memory may be too old: nothing of it moves while gates and states are locked. */
export interface RequestGround {
  /** Those of the wanted partitions that an unfinished run is to make: "asset\npartition". */
  readonly busy: ReadonlySet<string>;
  /** Of partitions that would be read, "asset\npartition" to versions as the gate sees them, newest first. */
  readonly versions: ReadonlyMap<string, readonly VersionView[]>;
}

export async function readRequestGround(
  tx: Queryable,
  wanted: readonly Place[],
  read: readonly Place[],
): Promise<RequestGround> {
  const { rows } = await tx.query<{ place: string; versions: VersionView[] | null }>(
    `select p.asset_key || E'\\n' || p.partition_key as place, null as versions
     from unnest($1::text[], $2::text[]) as p (asset_key, partition_key)
     where exists (select from steps s where s.asset_key = p.asset_key and s.partition_key = p.partition_key
       and s.ended_at is null and s.kind = 'materialize')
     union all
     select p.asset_key || E'\\n' || p.partition_key, coalesce((
         select jsonb_agg(version_state(v.id) order by v.seq desc)
         from (select n.id, n.seq from versions n where n.asset_key = p.asset_key and n.partition_key = p.partition_key
           and n.discarded_at is null order by n.seq desc limit $5) v), '[]')
     from unnest($3::text[], $4::text[]) as p (asset_key, partition_key)`,
    [
      wanted.map(({ asset }) => asset),
      wanted.map(({ partition }) => partition),
      read.map(({ asset }) => asset),
      read.map(({ partition }) => partition),
      depth,
    ],
  );
  const versions = new Map<string, readonly VersionView[]>();
  const busy = new Set<string>();
  for (const row of rows) {
    if (row.versions === null) busy.add(row.place);
    else versions.set(row.place, row.versions);
  }
  return { busy, versions };
}

/** What the log was read on for: how far, and the partitions that its events are about as they are by then. */
export interface TouchedPlaces {
  readonly seq: number;
  readonly states: readonly PlaceState[];
  /** Gate epochs of the assets of those partitions, as old as the states or older. */
  readonly epochs: Readonly<Record<AssetKey, number>>;
  /** There is more to read. */
  readonly more: boolean;
}

const eventsMax = 10_000;
/** So many partitions are read with the log itself, in one statement, since everything that reacts waits for it. */
const placesWithLog = 100;

/**
 * Reads the log on from `after`, and what is recorded by now of those partitions of `assets` that its events are about, by
 * themselves or by the run that they tell of.
 */
export async function readTouchedPlaces(
  db: Queryable,
  after: number,
  assets: readonly AssetKey[],
  readers: readonly AssetKey[],
): Promise<TouchedPlaces> {
  const { rows } = await db.query<
    { seq: number | null; count: number; epochs: Record<AssetKey, number> | null } & {
      [K in keyof FactsRow]: FactsRow[K] | null;
    }
  >(
    `with news as materialized (
         select seq, run_id, asset_key, partition_key from events where seq > $1 order by seq limit $2),
       touched as materialized (
         select asset_key, coalesce(partition_key, '') as partition_key from news where asset_key = any ($3)
         union
         select s.asset_key, s.partition_key from news n join steps s on s.run_id = n.run_id
           where n.asset_key is null and s.asset_key = any ($3)),
       read as (select max(seq) as seq, count(*) as count from news),
       few as (select count(*) <= $6 as are, (
           select jsonb_object_agg(g.asset_key, g.epoch) from asset_gate g
           where g.asset_key in (select asset_key from touched)) as epochs from touched)
     select r.seq, r.count, f.epochs, t.asset_key, t.partition_key,
       case when f.are and t.asset_key is not null
         then partition_facts(t.asset_key, t.partition_key, t.asset_key = any ($4), $5) end as facts
     from read r cross join few f left join touched t on true`,
    [after, eventsMax, assets, readers, depth, placesWithLog],
  );
  const states: PlaceState[] = [];
  const unread: Place[] = [];
  for (const { asset_key, partition_key, facts } of rows) {
    if (asset_key === null || partition_key === null) continue;
    if (facts === null) unread.push({ asset: asset_key, partition: partition_key });
    else states.push(placeState({ asset_key, partition_key, facts }));
  }
  states.push(...(await readPlaceFacts(db, unread, readers)));
  const [first] = rows;
  return {
    seq: first?.seq ?? after,
    more: Number(first?.count ?? 0) === eventsMax,
    states,
    epochs: first?.epochs ?? {},
  };
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
      ...(last === undefined ? {} : { lastRun: last.run }),
      handled: [...madeFrom, ...counted.flatMap(({ reads }) => reads)],
    },
  };
}
