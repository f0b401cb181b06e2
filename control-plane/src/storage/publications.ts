import type { AssetKey } from "@headgate/model";
import { type Kysely, sql } from "kysely";
import type pg from "pg";
import type { StepError } from "../domain/attempt-report.ts";
import type { VersionView } from "../domain/gate.ts";
import type { PublicationView } from "../domain/publication.ts";
import { appendEvents } from "./append-events.ts";
import type { Schema, StepErrorRow } from "./schema.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** A partition of an asset that publishes. */
export interface PublicationPlace {
  readonly asset: AssetKey;
  readonly partition: string;
}

export interface PublicationState {
  readonly partition: string;
  /** Newest first, discarded ones left out. */
  readonly versions: readonly VersionView[];
  readonly known: PublicationView | undefined;
}

/** How many versions of a partition are looked through for one that is open. */
const depth = 20;

/** The versions of these partitions of an asset, with what is known of their publication: one snapshot. */
export async function readPublicationStates(
  db: Queryable,
  asset: AssetKey,
  partitions: readonly string[],
): Promise<PublicationState[]> {
  const { rows } = await db.query<PublicationState>(
    `select p.partition, coalesce((
        select jsonb_agg(version_state(v.id) order by v.seq desc)
        from (select n.id, n.seq from versions n
          where n.asset_key = $1 and n.partition_key = p.partition and n.discarded_at is null
          order by n.seq desc limit $3) v), '[]') as versions,
      case when b.asset_key is not null then jsonb_build_object('versionId', b.version_id, 'wantedId', b.wanted_id,
        'retryAtMs', floor(extract(epoch from b.retry_at) * 1000)) end as known
     from unnest($2::text[]) p (partition)
     left join publications b on b.asset_key = $1 and b.partition_key = p.partition`,
    [asset, partitions, depth],
  );
  return rows.map(({ known, ...state }) => ({ ...state, known: known ?? undefined }));
}

/** The next partitions of an asset that have versions, in the order of their keys; each found through the index. */
export async function partitionsWithVersions(
  db: Queryable,
  asset: AssetKey,
  after: string | undefined,
  limit: number,
): Promise<string[]> {
  const { rows } = await db.query<{ partition: string }>(
    `with recursive p as (
       (select partition_key as partition from versions where asset_key = $1 and ($2::text is null or partition_key > $2)
        order by partition_key limit 1)
       union all
       select (select partition_key from versions v where v.asset_key = $1 and v.partition_key > p.partition
         order by partition_key limit 1)
       from p where p.partition is not null)
     select partition from p where partition is not null limit $3`,
    [asset, after ?? null, limit],
  );
  return rows.map(({ partition }) => partition);
}

/** The partitions of these assets that the log has spoken of after `position`, and the newest position. */
export async function placesSpokenOf(
  db: Queryable,
  assets: readonly AssetKey[],
  position: number,
): Promise<{ readonly newest: number; readonly places: readonly PublicationPlace[] }> {
  const { rows } = await db.query<{ newest: number; places: PublicationPlace[] | null }>(
    `with heard as (select max(seq) as newest from events where seq > $2)
     select coalesce(newest, $2) as newest, (
       select jsonb_agg(distinct jsonb_build_object('asset', asset_key, 'partition', coalesce(partition_key, '')))
       from events where seq > $2 and seq <= newest and asset_key = any ($1)
         and kind not in ('version_published', 'publish_failed')) as places from heard`,
    [assets, position],
  );
  return { newest: rows[0]?.newest ?? position, places: rows[0]?.places ?? [] };
}

/** The newest position of the log. */
export async function newestPosition(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ newest: number }>("select coalesce(max(seq), 0) as newest from events");
  return rows[0]?.newest ?? 0;
}

/**
 * Writes down that this daemon is about to publish a version. False: another one is at this partition, it is published
 * already, or it failed and its time has not come.
 */
export async function claimPublication(
  db: Queryable,
  place: PublicationPlace,
  version: string,
  daemon: string,
  forMs: number,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into publications as p (asset_key, partition_key, wanted_id, daemon, claimed_until)
     values ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5))
     on conflict (asset_key, partition_key) do update set wanted_id = excluded.wanted_id, daemon = excluded.daemon,
       claimed_until = excluded.claimed_until,
       failures = case when p.wanted_id = excluded.wanted_id then p.failures else 0 end,
       error = case when p.wanted_id = excluded.wanted_id then p.error end,
       retry_at = null
     where (p.daemon is null or p.claimed_until <= clock_timestamp()) and p.version_id is distinct from excluded.wanted_id
       and (p.wanted_id <> excluded.wanted_id or p.retry_at is null or p.retry_at <= clock_timestamp())`,
    [place.asset, place.partition, version, daemon, forMs / 1_000],
  );
  return rowCount === 1;
}

/** Gives a claim back without having called. */
export async function releasePublication(db: Queryable, place: PublicationPlace, daemon: string): Promise<void> {
  await db.query(
    `update publications set daemon = null, claimed_until = null
     where asset_key = $1 and partition_key = $2 and daemon = $3`,
    [place.asset, place.partition, daemon],
  );
}

/** Records that readers outside see the version. False: the claim was lost, and nothing is recorded. */
export async function recordPublished(
  tx: pg.PoolClient,
  { asset, partition }: PublicationPlace,
  version: string,
  daemon: string,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update publications set version_id = wanted_id, published_at = clock_timestamp(), daemon = null,
       claimed_until = null, failures = 0, retry_at = null, error = null
     where asset_key = $1 and partition_key = $2 and daemon = $3 and wanted_id = $4`,
    [asset, partition, daemon, version],
  );
  if (rowCount !== 1) return false;
  await appendEvents(tx, [
    { kind: "version_published", assetKey: asset, partitionKey: partition, payload: { version } },
  ]);
  return true;
}

/**
 * Records that publishing failed, and when it is tried again. The log is told of the first of several failures, and of
 * one with another code. Returns the failures in a row; undefined: the claim was lost, and nothing is recorded.
 */
export async function recordPublishFailed(
  tx: pg.PoolClient,
  { asset, partition }: PublicationPlace,
  version: string,
  daemon: string,
  error: StepError,
  delayMs: (failures: number) => number,
): Promise<number | undefined> {
  const { rows } = await tx.query<{ failures: number; error: StepErrorRow | null }>(
    `select failures + 1 as failures, error from publications
     where asset_key = $1 and partition_key = $2 and daemon = $3 and wanted_id = $4 for update`,
    [asset, partition, daemon, version],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  await tx.query(
    `update publications set daemon = null, claimed_until = null, failures = $3, error = $4,
       retry_at = clock_timestamp() + make_interval(secs => $5)
     where asset_key = $1 and partition_key = $2`,
    [asset, partition, row.failures, JSON.stringify(error), delayMs(row.failures) / 1_000],
  );
  if (row.error?.code !== error.code) {
    await appendEvents(tx, [
      { kind: "publish_failed", assetKey: asset, partitionKey: partition, payload: { version, error } },
    ]);
  }
  return row.failures;
}

/** Since when readers outside see each of these versions. */
export async function publishedSince(db: Kysely<Schema>, versions: readonly string[]): Promise<Map<string, Date>> {
  if (versions.length === 0) return new Map();
  const rows = await db
    .selectFrom("publications")
    .select(["version_id", "published_at"])
    .where("version_id", "in", versions)
    .execute();
  return new Map(
    rows.flatMap(({ version_id: id, published_at: at }) => (id === null || at === null ? [] : [[id, at] as const])),
  );
}

export interface PublicationFailure {
  readonly partition: string;
  readonly version: string;
  readonly failures: number;
  readonly retryAt: Date | null;
  readonly error: StepErrorRow;
}

/** Of how many partitions readers outside see a version, and which cannot be published: the first few by key. */
export async function publicationsOf(
  db: Kysely<Schema>,
  asset: AssetKey,
  failuresMax: number,
): Promise<{ readonly published: number; readonly failing: readonly PublicationFailure[] }> {
  const counted = await sql<{ published: number }>`select count(version_id) as published from publications
    where asset_key = ${asset}`.execute(db);
  const rows = await db
    .selectFrom("publications")
    .select(["partition_key", "wanted_id", "failures", "retry_at", "error"])
    .where("asset_key", "=", asset)
    .where("error", "is not", null)
    .orderBy("partition_key")
    .limit(failuresMax)
    .execute();
  const failing = rows.flatMap(({ error, ...row }) =>
    error === null
      ? []
      : [
          {
            partition: row.partition_key,
            version: row.wanted_id,
            failures: row.failures,
            retryAt: row.retry_at,
            error,
          },
        ],
  );
  return { published: counted.rows[0]?.published ?? 0, failing };
}
