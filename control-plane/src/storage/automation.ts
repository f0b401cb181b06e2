import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { Reason } from "../domain/reason.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** Partitions that an unfinished run is to make, of any asset: "asset\npartition". */
export async function readInProgress(db: Queryable): Promise<Set<string>> {
  const { rows } = await db.query<{ place: string }>(
    `select distinct asset_key || E'\\n' || partition_key as place from steps
     where ended_at is null and kind = 'materialize'`,
  );
  return new Set(rows.map((row) => row.place));
}

/** What was requested of these assets before: "asset\npartition\nfingerprint". */
export async function readRequested(db: Queryable, assets: readonly AssetKey[]): Promise<Set<string>> {
  const { rows } = await db.query<{ request: string }>(
    `select asset_key || E'\\n' || partition_key || E'\\n' || fingerprint as request from automation_requests
     where asset_key = any ($1)`,
    [assets],
  );
  return new Set(rows.map((row) => row.request));
}

/** Claims requests for a run; returns those that nobody had made: "asset\npartition". */
export async function claimRequests(
  tx: Queryable,
  runId: string,
  requests: readonly { asset: AssetKey; partition: string; fingerprint: string }[],
): Promise<Set<string>> {
  const { rows } = await tx.query<{ place: string }>(
    `insert into automation_requests (asset_key, partition_key, fingerprint, run_id)
     select asset, partition, fingerprint, $1
       from jsonb_to_recordset($2::jsonb) as x (asset text, partition text, fingerprint text)
     on conflict do nothing returning asset_key || E'\\n' || partition_key as place`,
    [runId, JSON.stringify(requests)],
  );
  return new Set(rows.map((row) => row.place));
}

/** Holds the gates of these assets still until the commit; returns their epochs. */
export async function shareGates(tx: Queryable, assets: readonly AssetKey[]): Promise<Map<AssetKey, number>> {
  const { rows } = await tx.query<{ asset_key: AssetKey; epoch: number }>(
    "select asset_key, epoch from asset_gate where asset_key = any ($1) order by asset_key for share",
    [assets],
  );
  return new Map(rows.map((row) => [row.asset_key, row.epoch]));
}

/** The newest stored decision about each of these partitions that came from automation: "asset\npartition" to reasons. */
export async function readHeld(db: Queryable, assets: readonly AssetKey[]): Promise<Map<string, unknown>> {
  const { rows } = await db.query<{ place: string; reasons: unknown }>(
    `select distinct on (asset_key, partition_key) asset_key || E'\\n' || partition_key as place, reasons
     from decisions where asset_key = any ($1) and source = 'automation' order by asset_key, partition_key, seq desc`,
    [assets],
  );
  return new Map(rows.map((row) => [row.place, row.reasons]));
}

/** Stores why conditions were held back, with an event each. */
export async function insertHeld(
  tx: Queryable,
  held: readonly { id: string; asset: AssetKey; partition: string; reasons: readonly Reason[] }[],
): Promise<void> {
  const entries = held.map(({ asset, partition, reasons }) => ({
    kind: "automation_held",
    assetKey: asset,
    partitionKey: partition,
    payload: { reasons },
  }));
  await tx.query(
    `with logged as (select append_events($1) as base)
     insert into decisions (id, asset_key, partition_key, source, outcome, reasons, seq)
     select id, asset, partition, 'automation', 'blocked', reasons, base + n from logged,
       rows from (jsonb_to_recordset($2::jsonb) as (id uuid, asset text, partition text, reasons jsonb))
         with ordinality as x (id, asset, partition, reasons, n)`,
    [JSON.stringify(entries), JSON.stringify(held)],
  );
}
