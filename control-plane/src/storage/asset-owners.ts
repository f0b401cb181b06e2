import type pg from "pg";
import { buildGraph } from "../domain/graph.ts";
import type { OwnerChange, Registry } from "../domain/owner-change.ts";
import { changeGraph } from "./change-graph.ts";
import { type StoredDefinitions, graphOptions, locationSegment, readDefinitionRows } from "./definition-rows.ts";
import { lockDefinitions } from "./definitions-lock.ts";

/** The registry as it is, until this transaction ends. */
export interface LockedRegistry extends Registry {
  readonly stored: StoredDefinitions;
  readonly nowMs: number;
}

/** Nobody defines, claims or moves anything until this transaction ends. */
export async function lockRegistry(tx: pg.PoolClient): Promise<LockedRegistry> {
  const nowMs = await lockDefinitions(tx);
  const stored = await readDefinitionRows(tx);
  const { rows } = await tx.query<{ name: string; team: string }>("select name, team from locations order by name");
  return {
    segments: stored.locations.map(locationSegment),
    owners: stored.owners,
    teams: new Map(rows.map(({ name, team }) => [name, team])),
    stored,
    nowMs,
  };
}

/** The location that owns a key, which nobody changes until this transaction ends. Before gates are locked. */
export async function shareOwner(tx: pg.PoolClient, asset: string): Promise<string | undefined> {
  const { rows } = await tx.query<{ location: string | null }>(
    "select location from asset_owners where asset_key = $1 for share",
    [asset],
  );
  return rows[0]?.location ?? undefined;
}

/**
 * Moves a key: registry, gates and events. Last in its transaction. A lease by the graph before is refused from here
 * on; attempts that are in flight go on where they are.
 */
export async function writeOwnerChange(
  tx: pg.PoolClient,
  registry: LockedRegistry,
  { asset, team, from, to }: OwnerChange,
  actor: string,
): Promise<void> {
  const { segments, owners, stored, nowMs } = registry;
  await tx.query("update asset_owners set location = $2, claimed_at = clock_timestamp() where asset_key = $1", [
    asset,
    to,
  ]);
  const after = new Map([...owners, [asset, { team, location: to }]]);
  await changeGraph(tx, {
    before: buildGraph(segments, owners, graphOptions(stored)),
    after: buildGraph(segments, after, graphOptions(stored)),
    stored,
    location: to ?? undefined,
    events: [
      {
        kind: to === null ? "owner_released" : "owner_transferred",
        assetKey: asset,
        payload: { asset, from, to, actor },
        ...(to === null ? {} : { location: to }),
      },
    ],
    nowMs,
  });
}
