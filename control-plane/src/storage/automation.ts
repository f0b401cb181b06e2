import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { Reason } from "../domain/reason.ts";
import type { StoredEvaluation } from "./condition-evaluations.ts";
import type { WrittenState } from "./condition-states.ts";
import { type NewRun, auditRow, runQueued, runRow, stepRows } from "./create-run.ts";
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

/** What conditions request, with what it is judged by. */
export interface WrittenRequests {
  /** Revisions of the states of the conditions that request. */
  readonly revisions: Readonly<Record<string, number>>;
  /** Gate epochs of what would be read; none where the caller holds those gates already. */
  readonly gates: Readonly<Record<string, number>>;
  readonly runs: readonly NewRun[];
  readonly requests: readonly (ConditionRequest & { readonly run: string })[];
  readonly states: readonly WrittenState[];
  readonly evaluations: readonly StoredEvaluation[];
}

/** SQLSTATE of a request that was made before. */
const requestedBeforeState = "HG002";

/**
 * Creates the runs of requests with all that is to be written beside them, in one statement. False, and nothing is
 * written: something is other than it was judged by, or a partition is being made already.
 */
export async function requestRuns(db: Queryable, written: WrittenRequests): Promise<boolean> {
  const { revisions, gates, runs, requests, states, evaluations } = written;
  const call = {
    revisions,
    gates,
    runs: runs.map(runRow),
    steps: runs.flatMap(stepRows),
    audit: runs.map(auditRow),
    requests,
    states,
    evaluations,
    events: runs.map(runQueued),
  };
  try {
    const { rows } = await db.query<{ requested: boolean }>("select request_partitions($1) as requested", [
      JSON.stringify(call),
    ]);
    return rows[0]?.requested === true;
  } catch (error) {
    if ((error as { code?: unknown }).code === requestedBeforeState) return false;
    throw error;
  }
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
