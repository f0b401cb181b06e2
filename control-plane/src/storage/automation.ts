import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { Reason } from "../domain/reason.ts";
import type { Place } from "./partition-facts.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** Those of these partitions that an unfinished run is to make: "asset\npartition". */
export async function readInProgress(db: Queryable, places: readonly Place[]): Promise<Set<string>> {
  const { rows } = await db.query<{ place: string }>(
    `select p.asset_key || E'\\n' || p.partition_key as place
     from unnest($1::text[], $2::text[]) as p (asset_key, partition_key)
     where exists (select from steps s where s.asset_key = p.asset_key and s.partition_key = p.partition_key
       and s.ended_at is null and s.kind = 'materialize')`,
    [places.map(({ asset }) => asset), places.map(({ partition }) => partition)],
  );
  return new Set(rows.map((row) => row.place));
}

/** A version that a request is made for. */
export interface RequestedRead extends Place {
  readonly version: string;
  readonly seq: number;
  /** Ids of open versions between the one handled before and this one. */
  readonly coalesced?: readonly string[];
}

/** What a condition requests. */
export interface ConditionRequest extends Place {
  readonly fingerprint: string;
  readonly definition: string;
  readonly evaluatedAtMs: number;
  readonly reads: readonly RequestedRead[];
}

/** Claims requests for a run; returns those that nobody had made: "asset\npartition". */
export async function claimRequests(
  tx: Queryable,
  runId: string,
  requests: readonly ConditionRequest[],
): Promise<Set<string>> {
  const { rows } = await tx.query<{ place: string }>(
    `insert into automation_requests (asset_key, partition_key, fingerprint, run_id, definition_hash, evaluated_at, reads)
     select asset, partition, fingerprint, $1, definition, to_timestamp("evaluatedAtMs" / 1000.0), reads
       from jsonb_to_recordset($2::jsonb) as x (asset text, partition text, fingerprint text, definition text,
         "evaluatedAtMs" double precision, reads jsonb)
     on conflict do nothing returning asset_key || E'\\n' || partition_key as place`,
    [runId, JSON.stringify(requests)],
  );
  return new Set(rows.map((row) => row.place));
}

/** Holds the gates of these assets still until the commit. */
export async function shareGates(tx: Queryable, assets: readonly AssetKey[]): Promise<void> {
  await tx.query("select from asset_gate where asset_key = any ($1) order by asset_key for share", [assets]);
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
