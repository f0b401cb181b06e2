import type pg from "pg";

/**
 * Somebody starts or stops an automation. A schedule that is started begins now: what was due while it was off stays
 * undone. Returns false where it was said before, and nothing changes.
 */
export async function switchAutomation(
  tx: pg.PoolClient,
  name: string,
  isOn: boolean,
  actor: string,
  nowMs: number,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update automations set is_on = $2, switched_by = $3, switched_at = clock_timestamp(),
         watermark = case when $2 and watermark is not null
           then greatest(watermark, to_timestamp($4::double precision / 1000)) else watermark end
       where name = $1 and retired_at is null and is_on is distinct from $2`,
    [name, isOn, actor, nowMs],
  );
  return rowCount === 1;
}
