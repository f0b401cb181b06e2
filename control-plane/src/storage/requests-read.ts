import type { AssetKey } from "@headgate/model";
import type pg from "pg";

/** The last time that a condition requested a partition. */
export interface NewestRequest {
  readonly run: string;
  readonly at: Date;
}

export async function readNewestRequest(
  db: Pick<pg.Pool | pg.PoolClient, "query">,
  asset: AssetKey,
  partition: string,
): Promise<NewestRequest | undefined> {
  const { rows } = await db.query<NewestRequest>(
    `select run_id as run, created_at as at from automation_requests
     where asset_key = $1 and partition_key = $2 order by run_id desc limit 1`,
    [asset, partition],
  );
  return rows[0];
}
