import type pg from "pg";
import { appendEvents } from "./append-events.ts";
import type { DefinitionErrorRow } from "./schema.ts";

export type LocationState = "loading" | "healthy" | "unreachable" | "refused";

/** What a daemon knows about a location; what is absent stays as it is stored. */
export interface LocationStatus {
  readonly name: string;
  readonly team: string;
  readonly state: LocationState;
  readonly address?: string;
  /** Null: nothing is wrong. */
  readonly error: DefinitionErrorRow | null;
  readonly instanceId?: string;
  readonly pid?: number;
  readonly sdkVersion?: string;
}

/**
 * Stores the state of a location. A state that is another than before is an event too, `location_state`; returns
 * whether it was. To be called in a transaction of its own: it ends with the event log.
 */
export async function setLocationStatus(tx: pg.PoolClient, status: LocationStatus): Promise<boolean> {
  const { name, team, state, error } = status;
  const { rows } = await tx.query<{ state: LocationState; code: string | null }>(
    "select state, error ->> 'code' as code from locations where name = $1 for no key update",
    [name],
  );
  const before = rows[0];
  await tx.query(
    `insert into locations (name, team, state, error, address, instance_id, pid, sdk_version, last_seen_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, case when $3 = 'healthy' then clock_timestamp() end)
     on conflict (name) do update set state = excluded.state, error = excluded.error,
       address = coalesce(excluded.address, locations.address),
       instance_id = coalesce(excluded.instance_id, locations.instance_id), pid = coalesce(excluded.pid, locations.pid),
       sdk_version = coalesce(excluded.sdk_version, locations.sdk_version),
       last_seen_at = coalesce(excluded.last_seen_at, locations.last_seen_at)`,
    [
      name,
      team,
      state,
      error === null ? null : JSON.stringify(error),
      status.address ?? null,
      status.instanceId ?? null,
      status.pid ?? null,
      status.sdkVersion ?? null,
    ],
  );
  const code = error?.code ?? null;
  if (before?.state === state && before.code === code) return false;
  const payload = { from: before?.state ?? null, to: state, ...(error === null ? {} : { error }) };
  await appendEvents(tx, [{ kind: "location_state", location: name, payload }]);
  return true;
}

/** A location of the workspace is known from now on, whether it can be reached or not. */
export async function registerLocation(db: Pick<pg.Pool, "query">, name: string, team: string): Promise<void> {
  await db.query(
    `insert into locations (name, team, state) values ($1, $2, 'loading')
     on conflict (name) do update set removed_at = null, state = 'loading' where locations.removed_at is not null`,
    [name, team],
  );
}

/** Sessions to these locations are open: they were seen now. */
export async function touchLocations(db: Pick<pg.Pool, "query">, names: readonly string[]): Promise<void> {
  // Locked in order, so that two daemons that see the same locations never wait for each other.
  await db.query(
    `with seen as (select name from locations where name = any ($1) order by name for no key update)
     update locations l set last_seen_at = clock_timestamp() from seen where l.name = seen.name`,
    [names],
  );
}

/** Which of these locations were asked to reload, and when. */
export async function pendingReloads(db: Pick<pg.Pool, "query">, names: readonly string[]): Promise<Map<string, Date>> {
  const { rows } = await db.query<{ name: string; reload_requested_at: Date }>(
    "select name, reload_requested_at from locations where reload_requested_at is not null and name = any ($1)",
    [names],
  );
  return new Map(rows.map((row) => [row.name, row.reload_requested_at]));
}

/** The reload that was asked for at that time, or before, has been carried out. */
export async function endReload(db: Pick<pg.Pool, "query">, name: string, requestedAt: Date): Promise<void> {
  await db.query(
    // Times are read in milliseconds and stored in microseconds.
    `update locations set reload_requested_at = null
       where name = $1 and date_trunc('milliseconds', reload_requested_at) <= $2`,
    [name, requestedAt],
  );
}

/** Locations that are stored and not in this list: what left the workspace. */
export async function locationsBeyond(
  db: Pick<pg.Pool, "query">,
  names: readonly string[],
): Promise<{ readonly name: string; readonly team: string }[]> {
  const { rows } = await db.query<{ name: string; team: string }>(
    "select name, team from locations where removed_at is null and not (name = any ($1)) order by name",
    [names],
  );
  return rows;
}
