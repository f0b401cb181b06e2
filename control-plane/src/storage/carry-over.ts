import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import { buildGraph } from "../domain/graph.ts";
import type { CarryOver } from "../domain/rename.ts";
import { underFormerKey } from "../domain/under-former-key.ts";
import { bumpGate, definitionsGate } from "./bump-gate.ts";
import { changeGraph } from "./change-graph.ts";
import { withTransaction } from "./database.ts";
import { type StoredDefinitions, graphOptions, locationSegment, readDefinitionRows } from "./definition-rows.ts";
import { lockDefinitions } from "./definitions-lock.ts";
import { moveHistory } from "./move-history.ts";

/** A history that has a new key, or is refused it. */
export interface CarriedOver extends CarryOver {
  readonly outcome: "done" | "refused";
}

/**
 * Carries over the histories that definitions ask for, as far as nothing is in flight for them; the others wait for the
 * next call. Each in one transaction: at no moment is a history in two places.
 */
export async function carryOverHistories(pool: pg.Pool): Promise<CarriedOver[]> {
  const { rows } = await pool.query<{ old_key: AssetKey; key: AssetKey }>(
    "select old_key, key from asset_renames where done_at is null and refused_at is null order by asked_at, old_key",
  );
  const carried: CarriedOver[] = [];
  for (const { old_key: from, key: to } of rows) {
    const outcome = await withTransaction(pool, (tx) => carryOver(tx, { from, to })).catch((error: unknown) => {
      if (error instanceof InFlightError) return undefined;
      throw error;
    });
    if (outcome !== undefined) carried.push({ from, to, outcome });
  }
  return carried;
}

/** Steps of the history have not ended: all of it is rolled back. */
class InFlightError extends Error {}

/**
 * Locks: definitions, owners, the rows of the history, gates in ascending key order, last the event log. The rows are moved
 * before the gates are taken, so that leases stand still only for what came meanwhile.
 */
async function carryOver(tx: pg.PoolClient, rename: CarryOver): Promise<CarriedOver["outcome"] | undefined> {
  const { from, to } = rename;
  await refuseInFlight(tx, rename);
  const nowMs = await lockDefinitions(tx);
  const asked = await tx.query(
    "select from asset_renames where old_key = $1 and key = $2 and done_at is null and refused_at is null",
    [from, to],
  );
  if (asked.rowCount === 0) return undefined;
  // Whoever reports by API shares these first: what is reported is there now, or is refused afterwards.
  await tx.query("select from asset_owners where asset_key = any ($1) order by asset_key for update", [[from, to]]);
  const stored = await readDefinitionRows(tx);
  const moved = await countVersions(tx, from);
  if (moved > 0 && (await countVersions(tx, to)) > 0) {
    await tx.query("update asset_renames set refused_at = clock_timestamp() where old_key = $1", [from]);
    await bumpGate(tx, definitionsGate);
    return "refused";
  }
  await moveHistory(tx, rename);
  await lockGates(tx, rename);
  await refuseInFlight(tx, rename);
  await moveHistory(tx, rename);
  await rewriteRegistry(tx, rename);
  const after = await readDefinitionRows(tx);
  const location = stored.owners.get(to)?.location ?? undefined;
  // Told by whose versions they are: those of before the rename were made where the old key was.
  const origin = moved === 0 ? {} : { from: stored.owners.get(from)?.location ?? null };
  await changeGraph(tx, {
    before: graphBefore(stored, rename),
    after: buildGraph(after.locations.map(locationSegment), after.owners, graphOptions(after)),
    stored: after,
    location,
    events: [
      {
        kind: "asset_renamed",
        assetKey: to,
        payload: { formerly: from, versions: moved, to: location ?? null, ...origin },
        ...(location === undefined ? {} : { location }),
      },
    ],
    nowMs,
  });
  return "done";
}

async function refuseInFlight(tx: pg.PoolClient, { from, to }: CarryOver): Promise<void> {
  const { rows } = await tx.query<{ open: boolean }>(
    "select exists (select from steps where asset_key = any ($1) and ended_at is null) as open",
    [[from, to]],
  );
  if (rows[0]?.open !== false) throw new InFlightError(`steps of ${from} have not ended`);
}

async function countVersions(tx: pg.PoolClient, key: string): Promise<number> {
  const { rows } = await tx.query<{ count: number }>("select count(*) as count from versions where asset_key = $1", [
    key,
  ]);
  return rows[0]?.count ?? 0;
}

/** From here on no lease stands on the graph before, and nobody judges the history by its old key. */
async function lockGates(tx: pg.PoolClient, { from, to }: CarryOver): Promise<void> {
  await tx.query("insert into asset_gate (asset_key) values ($1) on conflict do nothing", [to]);
  await tx.query(
    `with locked as (select asset_key from asset_gate where asset_key = any ($1) order by asset_key for no key update)
     update asset_gate g set epoch = epoch + 1 from locked where g.asset_key = locked.asset_key`,
    [[definitionsGate, from, to]],
  );
}

/** Owner, edges that have served, the retired definitions, and what the key was called before. */
async function rewriteRegistry(tx: pg.PoolClient, { from, to }: CarryOver): Promise<void> {
  await tx.query("delete from asset_owners where asset_key = $1", [from]);
  for (const [side, other] of [
    ["reader", "upstream"],
    ["upstream", "reader"],
  ] as const) {
    await tx.query(
      `delete from established_edges e where ${side} = $1
         and exists (select from established_edges n where n.${side} = $2 and n.${other} = e.${other})`,
      [from, to],
    );
    await tx.query(`update established_edges set ${side} = $2 where ${side} = $1`, [from, to]);
  }
  await tx.query(
    `delete from location_definitions where retired_at is not null
       and (kind = 'asset' and key = $1 or kind = 'check' and starts_with(key, $1 || '@'))`,
    [from],
  );
  await tx.query("delete from asset_renames where old_key = $1", [to]);
  await tx.query("update asset_renames set key = $2 where key = $1", [from, to]);
  await tx.query("update asset_renames set done_at = clock_timestamp() where old_key = $1 and key = $2", [from, to]);
}

function graphBefore({ locations, owners, established }: StoredDefinitions, rename: CarryOver) {
  const owner = owners.get(rename.from);
  const segments = underFormerKey(locations.map(locationSegment), rename);
  return buildGraph(segments, owner === undefined ? owners : new Map([...owners, [rename.to, owner]]), {
    established: (reader, upstream) => established.has(reader, upstream),
  });
}
