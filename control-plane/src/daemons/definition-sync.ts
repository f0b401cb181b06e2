import type pg from "pg";
import type { ReceivedDefinition } from "../domain/manifest.ts";
import type { LocationClient } from "../grpc/location-client.ts";
import { carryOverHistories } from "../storage/carry-over.ts";
import { withTransaction } from "../storage/database.ts";
import { type AppliedManifest, applyManifest, unknownDefinitions } from "../storage/definitions.ts";

/** A location that reloads while it is asked changes its manifest under us. */
const triesMax = 3;

/**
 * Fetches what a location defines now and stores it. `undefined`: nothing had changed.
 *
 * @throws LocationError, StorageError
 */
export async function syncDefinitions(
  pool: pg.Pool,
  client: LocationClient,
  location: string,
  team: string,
): Promise<AppliedManifest | undefined> {
  const known = await knownHash(pool, location, team);
  for (let attempt = 1; ; attempt++) {
    const manifest = await client.manifest(known);
    if (manifest === undefined || manifest.definitionsHash === known) return undefined;
    const hashes = manifest.entries.flatMap(({ hash }) => (hash === undefined ? [] : [hash]));
    const unknown = await unknownDefinitions(pool, hashes);
    const definitions: ReadonlyMap<string, ReceivedDefinition> =
      unknown.length === 0 ? new Map() : await client.definitions(unknown);
    if (definitions.size < unknown.length && attempt < triesMax) continue;
    const applied = await withTransaction(pool, (tx) =>
      applyManifest(tx, { ...manifest, location, team, definitions }),
    );
    // What has nothing in flight is carried over at once; the rest when its steps have ended.
    await carryOverHistories(pool);
    await pool.query("select pg_notify('headgate_events', '')");
    return applied.changed ? applied : undefined;
  }
}

async function knownHash(pool: pg.Pool, location: string, team: string): Promise<string> {
  const { rows } = await pool.query<{ definitions_hash: string }>(
    `select definitions_hash from locations
       where name = $1 and team = $2 and removed_at is null and definitions_hash is not null`,
    [location, team],
  );
  return rows[0]?.definitions_hash ?? "";
}
