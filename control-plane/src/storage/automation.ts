import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { Reason } from "../domain/reason.ts";
import type { StoredEvaluation } from "./condition-evaluations.ts";
import type { WrittenState } from "./condition-states.ts";
import type { Place } from "./partition-facts.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

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

/** What is written beside the runs when conditions request something. */
export interface WrittenRequests {
  readonly requests: readonly (ConditionRequest & { readonly run: string })[];
  readonly states: readonly WrittenState[];
  readonly evaluations: readonly StoredEvaluation[];
}

/**
 * Claims requests for their runs, and writes what their conditions remember and how they were evaluated. Returns how many
 * of the requests nobody had made.
 */
export async function writeRequests(tx: Queryable, written: WrittenRequests): Promise<number> {
  const { rows } = await tx.query<{ claimed: number }>(
    `with claimed as (
         insert into automation_requests (asset_key, partition_key, fingerprint, run_id, definition_hash, evaluated_at, reads)
         select asset, partition, fingerprint, run, definition, to_timestamp("evaluatedAtMs" / 1000.0), reads
           from jsonb_to_recordset($1::jsonb) as x (asset text, partition text, fingerprint text, run uuid,
             definition text, "evaluatedAtMs" double precision, reads jsonb)
         on conflict do nothing returning 1),
       remembered as (
         update condition_states s set revision = s.revision + 1, seq = x.seq, requested = x.requested, held = x.held
         from jsonb_to_recordset($2::jsonb) as x (asset text, seq bigint, requested jsonb, held jsonb)
         where s.asset_key = x.asset),
       evaluated as (
         insert into condition_evaluations (id, asset_key, evaluated_at, requested_count, run_id, explanation)
         select id, asset, to_timestamp("evaluatedAtMs" / 1000.0), "requestedCount", "runId", explanation
           from jsonb_to_recordset($3::jsonb) as x (id uuid, asset text, "evaluatedAtMs" double precision,
             "requestedCount" integer, "runId" uuid, explanation jsonb))
     select (select count(*) from claimed) as claimed`,
    [JSON.stringify(written.requests), JSON.stringify(written.states), JSON.stringify(written.evaluations)],
  );
  return Number(rows[0]?.claimed ?? 0);
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
