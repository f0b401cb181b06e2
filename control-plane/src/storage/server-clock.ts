import type pg from "pg";

export interface ServerClock {
  /** For example "18.1". */
  readonly version: string;
  /** How far the server's clock is ahead of this process's, in milliseconds; negative: behind. */
  readonly aheadMs: number;
}

/** What a database server is, and what its clock says. */
export async function readServerClock(db: Pick<pg.Pool, "query">): Promise<ServerClock> {
  // The first query may open the connection, which would count as a clock that is behind.
  await db.query("select 1");
  const askedAtMs = Date.now();
  const { rows } = await db.query<{ version: string; now: Date }>(
    "select current_setting('server_version') as version, clock_timestamp() as now",
  );
  const answeredAtMs = Date.now();
  const row = rows[0];
  if (row === undefined) throw new Error("the server returned no row");
  return { version: row.version, aheadMs: Math.round(row.now.getTime() - (askedAtMs + answeredAtMs) / 2) };
}
