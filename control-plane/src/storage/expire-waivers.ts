import type pg from "pg";

/**
 * Ends the waivers whose time is over, moves the gates that they held open, and says so in the log. One transaction;
 * locks in the order of all that append events. Returns how many ended.
 */
export async function expireWaivers(tx: pg.PoolClient): Promise<number> {
  const { rows } = await tx.query<{ id: string; asset_key: string }>(
    "select id, asset_key from waivers where ended_at is null and until <= clock_timestamp() order by id limit 500",
  );
  if (rows.length === 0) return 0;
  const assets = [...new Set(rows.map((row) => row.asset_key))];
  await tx.query(
    `update asset_gate set epoch = epoch + 1 where asset_key in (
       select asset_key from asset_gate where asset_key = any ($1) order by asset_key for no key update)`,
    [assets],
  );
  const ended = await tx.query<{
    id: string;
    asset_key: string;
    partition_key: string;
    version_id: string;
    team: string;
    name: string;
  }>(
    `update waivers set ended_at = clock_timestamp(), ended_by = 'time'
     where id = any ($1) and ended_at is null
     returning id, asset_key, partition_key, version_id, team, name`,
    [rows.map((row) => row.id)],
  );
  const entries = ended.rows.map((row) => ({
    kind: "waiver_expired",
    assetKey: row.asset_key,
    partitionKey: row.partition_key,
    payload: { waiver: row.id, version: row.version_id, team: row.team, check: row.name },
  }));
  for (const row of ended.rows) {
    await tx.query("insert into audit (actor, action, subject, details) values ('system', 'waiver.expire', $1, $2)", [
      row.asset_key,
      JSON.stringify({ waiver: row.id, version: row.version_id }),
    ]);
  }
  await tx.query("select append_events($1)", [JSON.stringify(entries)]);
  return ended.rows.length;
}

/** Makes sure that the log has room. */
export async function ensureEventPartitions(db: Pick<pg.Pool, "query">): Promise<void> {
  await db.query("select ensure_event_partitions()");
}
