import type pg from "pg";
import { buildGraph } from "../domain/graph.ts";
import { changeGraph } from "./change-graph.ts";
import { withTransaction } from "./database.ts";
import { graphOptions, locationSegment, readDefinitionRows } from "./definition-rows.ts";
import { lockDefinitions } from "./definitions-lock.ts";

/** Versions with their results and waivers, or rows of one other table, that one transaction removes at most. */
const batchSize = 1_000;
/** Partitions, each in one run, whose logs one transaction removes at most. */
const logBatchSize = 100;

/** Tables whose rows go with the asset that `asset_key` names, in this order; the logs of its attempts go too. */
export const removedTables = [
  "waivers",
  "check_results",
  "publications",
  "versions",
  "decisions",
  "automation_requests",
  "condition_evaluations",
  "condition_states",
] as const;

/** Runs are the history of several assets: their steps and attempts stay, and so do the log and the gate's epoch. */
export const keptTables: readonly string[] = ["steps", "attempts", "events", "asset_gate"];

interface Removal {
  readonly asset: string;
  readonly partition: string | null;
  readonly run: string | null;
}

/**
 * Removes a part of the history of an asset that was deleted: "removed"; "ended" with the last part; undefined where
 * there is nothing to do, or another daemon is at it. What a kill interrupts is rolled back, and begun again by the next
 * call, of whichever daemon.
 */
export async function removeHistory(pool: pg.Pool): Promise<"removed" | "ended" | undefined> {
  const found = await withTransaction(pool, async (tx) => {
    // One daemon at a time: the others pass over the row.
    const { rows } = await tx.query<Removal>(
      `select asset_key as asset, logs_partition as partition, logs_run as run from asset_deletions
       where done_at is null order by requested_at, asset_key limit 1 for update skip locked`,
    );
    const [removal] = rows;
    return removal === undefined ? undefined : { removal, removed: await removeBatch(tx, removal) };
  });
  if (found === undefined) return undefined;
  if (found.removed) return "removed";
  return (await withTransaction(pool, (tx) => endRemoval(tx, found.removal.asset))) ? "ended" : undefined;
}

/** False: nothing was left. */
async function removeBatch(tx: pg.PoolClient, removal: Removal): Promise<boolean> {
  const { asset } = removal;
  return (
    (await removeVersions(tx, asset)) ||
    (await removeRows(tx, "decisions", asset)) ||
    (await removeRows(tx, "automation_requests", asset)) ||
    (await removeRows(tx, "condition_evaluations", asset)) ||
    (await removeRows(tx, "condition_states", asset)) ||
    (await removeLogs(tx, removal))
  );
}

/** What is recorded after the deletion, by whoever did not know of it, is not part of what was deleted. */
const beforeDeletion = `seq < (select seq from events where asset_key = $1 and kind = 'asset_deleted' order by seq desc limit 1)`;

/** A version goes together with what is known of it, so that at no moment one is seen without its results. */
async function removeVersions(tx: pg.PoolClient, asset: string): Promise<boolean> {
  // Locked first: whoever would add a waiver or a result waits, and finds the version gone.
  const { rows } = await tx.query<{ id: string }>(
    `select id from versions where asset_key = $1 and ${beforeDeletion} order by partition_key, seq desc limit $2 for update`,
    [asset, batchSize],
  );
  if (rows.length === 0) return false;
  const ids = rows.map(({ id }) => id);
  await tx.query("delete from waivers where version_id = any ($1)", [ids]);
  await tx.query("delete from check_results where version_id = any ($1)", [ids]);
  await tx.query("delete from publications where version_id = any ($1) or wanted_id = any ($1)", [ids]);
  await tx.query("delete from versions where id = any ($1)", [ids]);
  await tx.query("update asset_deletions set removed = removed + $2 where asset_key = $1", [asset, ids.length]);
  return true;
}

async function removeRows(
  tx: pg.PoolClient,
  table: "decisions" | "automation_requests" | "condition_evaluations" | "condition_states",
  asset: string,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `delete from ${table} where ctid in (select ctid from ${table} where asset_key = $1 limit $2)`,
    [asset, batchSize],
  );
  return rowCount !== null && rowCount > 0;
}

/** The steps stay, so that where this has come to is noted. */
async function removeLogs(tx: pg.PoolClient, { asset, partition, run }: Removal): Promise<boolean> {
  const { rows } = await tx.query<{ partition: string; run: string }>(
    `select distinct partition_key as partition, run_id as run from steps
     where asset_key = $1 and ($2::text is null or (partition_key, run_id) > ($2::text, $3::uuid))
     order by partition_key, run_id limit $4`,
    [asset, partition, run, logBatchSize],
  );
  const last = rows.at(-1);
  if (last === undefined) return false;
  await tx.query(
    `delete from log_chunks where attempt_id in (
       select a.id from steps s join attempts a on a.run_id = s.run_id and a.step_index = s.index
       where s.asset_key = $1 and (s.partition_key, s.run_id) in (select * from unnest($2::text[], $3::uuid[])))`,
    [asset, rows.map((row) => row.partition), rows.map((row) => row.run)],
  );
  await tx.query("update asset_deletions set logs_partition = $2, logs_run = $3 where asset_key = $1", [
    asset,
    last.partition,
    last.run,
  ]);
  return true;
}

/** From here on the key may be defined; where it is defined already, it is served. False: another daemon was first. */
async function endRemoval(tx: pg.PoolClient, asset: string): Promise<boolean> {
  const nowMs = await lockDefinitions(tx);
  const before = await readDefinitionRows(tx);
  const ended = await tx.query<{ versions: number }>(
    `update asset_deletions set done_at = clock_timestamp(), logs_partition = null, logs_run = null
     where asset_key = $1 and done_at is null returning removed as versions`,
    [asset],
  );
  if (ended.rows[0] === undefined) return false;
  await tx.query(
    `delete from asset_deletions d where asset_key = $1
       and exists (select from asset_owners o where o.asset_key = d.asset_key)`,
    [asset],
  );
  const after = await readDefinitionRows(tx);
  await changeGraph(tx, {
    before: buildGraph(before.locations.map(locationSegment), before.owners, graphOptions(before)),
    after: buildGraph(after.locations.map(locationSegment), after.owners, graphOptions(after)),
    stored: after,
    location: undefined,
    events: [{ kind: "asset_history_removed", assetKey: asset, payload: { asset, ...ended.rows[0] } }],
    nowMs,
  });
  return true;
}
