import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import type { Explanation } from "../domain/conditions/explain.ts";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** An evaluation of the condition of one asset, to be shown. */
export interface StoredEvaluation {
  readonly id: string;
  readonly asset: AssetKey;
  readonly evaluatedAtMs: number;
  readonly requestedCount: number;
  readonly runId: string | null;
  readonly explanation: Explanation;
}

/** Stores evaluations that requested nothing, each in the place of the one before it. */
export async function replaceIdleEvaluations(tx: Queryable, evaluations: readonly StoredEvaluation[]): Promise<void> {
  await tx.query(
    `insert into condition_evaluations (id, asset_key, evaluated_at, requested_count, explanation)
     select id, asset, to_timestamp("evaluatedAtMs" / 1000.0), 0, explanation
       from jsonb_to_recordset($1::jsonb) as x (id uuid, asset text, "evaluatedAtMs" double precision,
         explanation jsonb) order by asset
     on conflict (asset_key) where requested_count = 0 do update set id = excluded.id,
       evaluated_at = excluded.evaluated_at, explanation = excluded.explanation`,
    [JSON.stringify(evaluations)],
  );
}

/** Kept of each asset. */
const keptMax = 100;

/** Forgets evaluations of these assets that are older than the newest hundred. */
export async function trimEvaluations(db: Queryable, assets: readonly AssetKey[]): Promise<void> {
  await db.query(
    `delete from condition_evaluations e where id in (
       select old.id from unnest($1::text[]) k (asset)
       cross join lateral (select id from condition_evaluations where asset_key = k.asset order by id desc offset $2) old)`,
    [assets, keptMax],
  );
}

/** The newest evaluations of an asset, newest first. */
export async function readEvaluations(
  db: Queryable,
  asset: AssetKey,
  limit: number,
): Promise<readonly StoredEvaluation[]> {
  const { rows } = await db.query<StoredEvaluation & { evaluatedAtMs: string }>(
    `select id, asset_key as asset, floor(extract(epoch from evaluated_at) * 1000) as "evaluatedAtMs",
       requested_count as "requestedCount", run_id as "runId", explanation
     from condition_evaluations where asset_key = $1 order by id desc limit $2`,
    [asset, limit],
  );
  return rows.map((row) => ({ ...row, evaluatedAtMs: Number(row.evaluatedAtMs) }));
}
