import type pg from "pg";

/** Marks a version as discarded: the one before it is the newest again. False if it was discarded already. */
export async function markDiscarded(tx: pg.PoolClient, id: string, actor: string, reason: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update versions set discarded_at = clock_timestamp(), discarded_by = $2, discard_reason = $3
     where id = $1 and discarded_at is null`,
    [id, actor, reason],
  );
  return rowCount === 1;
}

/** Takes a discarded version back. False if it was not discarded. */
export async function unmarkDiscarded(tx: pg.PoolClient, id: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update versions set discarded_at = null, discarded_by = null, discard_reason = null
     where id = $1 and discarded_at is not null`,
    [id],
  );
  return rowCount === 1;
}

/** The runs with steps that read this version, and the versions that they made from it. */
export async function countReaders(tx: pg.PoolClient, id: string): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(
    `select count(*) as count from versions v
     where v.inputs @> jsonb_build_array(jsonb_build_object('versions', jsonb_build_array(jsonb_build_object('id', $1::text))))`,
    [id],
  );
  return rows[0]?.count ?? 0;
}
