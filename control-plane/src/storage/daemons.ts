import type pg from "pg";

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

export interface DaemonIdentity {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly processStart: string;
}

/** How long a daemon lives without renewal, by the database's clock. */
export const daemonTtlSeconds = 10;

export async function insertDaemon(db: Queryable, daemon: DaemonIdentity): Promise<void> {
  await db.query("insert into daemons (id, host, pid, process_start) values ($1, $2, $3, $4)", [
    daemon.id,
    daemon.host,
    daemon.pid,
    daemon.processStart,
  ]);
}

/** Renews the daemon's row; false: it is gone, and with it every run that it drove. */
export async function renewDaemon(db: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await db.query("update daemons set renewed_at = clock_timestamp() where id = $1", [id]);
  return rowCount === 1;
}

/**
 * Deletes the rows of daemons that have not renewed in time, and of those whose process is proven gone. Their runs lose
 * their driver by the foreign key. Returns the ids deleted.
 */
export async function deleteDeadDaemons(
  db: Queryable,
  self: string | undefined,
  provenGone: readonly string[],
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `delete from daemons where id is distinct from $3 and (id = any ($1::uuid[])
       or renewed_at < clock_timestamp() - make_interval(secs => $2)) returning id`,
    [provenGone, daemonTtlSeconds, self ?? null],
  );
  return rows.map((row) => row.id);
}

export async function deleteDaemon(db: Queryable, id: string): Promise<void> {
  await db.query("delete from daemons where id = $1", [id]);
}

/** The daemons of one host, for a neighbour that can see whether their processes live. */
export async function daemonsOfHost(db: Queryable, host: string): Promise<DaemonIdentity[]> {
  const { rows } = await db.query<{ id: string; host: string; pid: number; process_start: string }>(
    "select id, host, pid, process_start from daemons where host = $1",
    [host],
  );
  return rows.map((row) => ({ id: row.id, host: row.host, pid: row.pid, processStart: row.process_start }));
}
