import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import { commonPlace } from "../domain/common-place.ts";
import type { DeletionAccepted, HistoryUse } from "../domain/deletion-decision.ts";
import { buildGraph } from "../domain/graph.ts";
import type { LockedRegistry } from "./asset-owners.ts";
import { definitionsGate } from "./bump-gate.ts";
import { changeGraph } from "./change-graph.ts";
import { graphOptions, locationSegment, readDefinitionRows } from "./definition-rows.ts";

/** What a deletion is about. */
export interface HistoryExtent {
  readonly versions: number;
  /** Stored values, which stay where they are, and the folder that holds all of a scheme. */
  readonly values: readonly { readonly scheme: string; readonly place: string; readonly count: number }[];
  /** Partitions of which readers outside see a version, and go on seeing it. */
  readonly published: number;
}

/**
 * From here to the end of the transaction nobody leases, reports or publishes anything of the asset. After the
 * definitions lock; takes the owner's row, then the gates.
 */
export async function holdHistory(tx: pg.PoolClient, asset: string): Promise<HistoryUse> {
  // Whoever reports by API shares the owner's row first: what is reported is there now, or is refused afterwards.
  await tx.query("select from asset_owners where asset_key = $1 for update", [asset]);
  await tx.query(
    `with locked as (select asset_key from asset_gate where asset_key = any ($1) order by asset_key for no key update)
     update asset_gate g set epoch = epoch + 1 from locked where g.asset_key = locked.asset_key`,
    [[definitionsGate, asset]],
  );
  const steps = await tx.query<{ run: string; asset: string }>(
    `select run_id as run, asset_key as asset from steps where ended_at is null
       and (asset_key = $1 or edges @> jsonb_build_array(jsonb_build_object('asset', $1::text)))
     order by asset_key <> $1, run_id, index limit 1`,
    [asset],
  );
  const calls = await tx.query<{ partition: string }>(
    `select partition_key as partition from publications
     where asset_key = $1 and daemon is not null and claimed_until > clock_timestamp() order by partition_key limit 1 for update`,
    [asset],
  );
  return { openStep: steps.rows[0], publishing: calls.rows[0]?.partition };
}

/** How much there is to delete, and what is left outside. */
export async function historyExtent(tx: pg.PoolClient, asset: AssetKey): Promise<HistoryExtent> {
  const { rows } = await tx.query<{ scheme: string | null; first: string; last: string; count: number }>(
    `select value ->> 'scheme' as scheme, min((value ->> 'place') collate "C") as first, max((value ->> 'place') collate "C") as last,
       count(*) as count from versions where asset_key = $1 group by 1 order by 1`,
    [asset],
  );
  const published = await tx.query<{ count: number }>(
    "select count(version_id) as count from publications where asset_key = $1",
    [asset],
  );
  return {
    versions: rows.reduce((sum, { count }) => sum + count, 0),
    values: rows.flatMap(({ scheme, first, last, count }) =>
      scheme === null ? [] : [{ scheme, place: commonPlace(first, last), count }],
    ),
    published: published.rows[0]?.count ?? 0,
  };
}

/** Notes that the asset is deleted: from here on its history is removed, and nobody defines the key until it is. */
export async function insertDeletion(
  tx: pg.PoolClient,
  { asset, team }: DeletionAccepted,
  actor: string,
  versions: number,
): Promise<Date> {
  const { rows } = await tx.query<{ requested_at: Date }>(
    "insert into asset_deletions (asset_key, team, actor, versions) values ($1, $2, $3, $4) returning requested_at",
    [asset, team, actor, versions],
  );
  return rows[0]!.requested_at;
}

/**
 * Takes the asset out of the registry: its owner, what it was last defined as and called before, the edges that served.
 * Last in its transaction; the event is what says which leases came before.
 */
export async function writeDeletion(
  tx: pg.PoolClient,
  { stored, nowMs }: LockedRegistry,
  { asset, team, formerly }: DeletionAccepted,
  actor: string,
  versions: number,
): Promise<void> {
  await tx.query("delete from asset_owners where asset_key = $1", [asset]);
  await tx.query("delete from asset_renames where asset_renames.key = $1 or old_key = $1", [asset]);
  await tx.query("delete from established_edges where reader = $1 or upstream = $1", [asset]);
  await tx.query(
    `delete from location_definitions where retired_at is not null
       and (kind = 'asset' and key = $1 or kind = 'check' and starts_with(key, $1 || '@'))`,
    [asset],
  );
  const after = await readDefinitionRows(tx);
  await changeGraph(tx, {
    before: buildGraph(stored.locations.map(locationSegment), stored.owners, graphOptions(stored)),
    after: buildGraph(after.locations.map(locationSegment), after.owners, graphOptions(after)),
    stored: after,
    location: undefined,
    events: [{ kind: "asset_deleted", assetKey: asset, payload: { asset, team, actor, versions, formerly } }],
    nowMs,
  });
}

/** Whoever asks holds the asset's gate: the graph by which it was found may be older than the deletion. */
export async function isDeleted(tx: pg.PoolClient, asset: AssetKey): Promise<boolean> {
  const { rowCount } = await tx.query("select from asset_deletions where asset_key = $1", [asset]);
  return rowCount === 1;
}

/** How far a deletion that is under way has come. */
export async function deletionProgress(
  tx: pg.PoolClient,
  asset: string,
): Promise<{ readonly versions: number; readonly removed: number } | undefined> {
  const { rows } = await tx.query<{ versions: number; removed: number }>(
    "select versions, removed from asset_deletions where asset_key = $1 and done_at is null",
    [asset],
  );
  return rows[0];
}
