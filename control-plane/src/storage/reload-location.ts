import type pg from "pg";

/** Asks for a location's definitions to be fetched again; the daemon that holds its session does it. Returns when. */
export async function requestReload(tx: pg.PoolClient, name: string): Promise<Date | undefined> {
  const { rows } = await tx.query<{ reload_requested_at: Date }>(
    "update locations set reload_requested_at = clock_timestamp() where name = $1 returning reload_requested_at",
    [name],
  );
  return rows[0]?.reload_requested_at;
}
