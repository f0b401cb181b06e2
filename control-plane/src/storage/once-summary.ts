import type pg from "pg";

export interface OnceSummary {
  /** Runs that have not ended. */
  readonly open: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly blocked: number;
  readonly canceled: number;
  readonly versions: number;
  readonly assets: number;
  readonly failures: readonly { readonly asset: string; readonly partition: string; readonly message: string }[];
}

/** What became of the runs that ended since `from`, and of the versions made since. */
export async function onceSummary(pool: Pick<pg.Pool, "query">, from: Date): Promise<OnceSummary> {
  const { rows } = await pool.query<OnceSummary>(
    `select count(*) filter (where ended_at is null) as open,
       count(*) filter (where state = 'succeeded' and ended_at >= $1) as succeeded,
       count(*) filter (where state = 'failed' and ended_at >= $1) as failed,
       count(*) filter (where state = 'blocked' and ended_at >= $1) as blocked,
       count(*) filter (where state = 'canceled' and ended_at >= $1) as canceled,
       (select count(*) from versions where created_at >= $1) as versions,
       (select count(distinct asset_key) from versions where created_at >= $1) as assets,
       coalesce((select jsonb_agg(jsonb_build_object('asset', asset_key, 'partition', partition_key,
           'message', coalesce(error ->> 'message', ''))) from (
         select * from steps where state = 'failed' and ended_at >= $1 order by ended_at limit 50) f), '[]') as failures
     from runs where ended_at is null or ended_at >= $1`,
    [from],
  );
  const row = rows[0];
  if (row === undefined) throw new Error("the summary returned no row");
  return row;
}
