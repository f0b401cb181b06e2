import type pg from "pg";
import type { CarryOver } from "../domain/rename.ts";

/** Rows one statement rewrites at most, so that none runs into the time that a statement has. */
const rowsPerStatement = 20_000;

/** By table: rewrites at most $3 rows from key $1 to $2. Each finds them by an index, but for waivers, which are few. */
const statements: Readonly<Record<string, string>> = {
  // With its attempts, which have no index of their own by key.
  steps: `with moved as (select run_id, index from steps where asset_key = $1 limit $3),
      attempted as (update attempts a set asset_key = $2 from moved m
        where a.run_id = m.run_id and a.step_index = m.index and a.asset_key = $1)
    update steps s set asset_key = $2 from moved m where s.run_id = m.run_id and s.index = m.index`,
  versions: byId("versions", "id"),
  check_results: byId("check_results", "id"),
  decisions: byId("decisions", "id"),
  waivers: byId("waivers", "id"),
  events: byId("events", "seq"),
  automation_requests: `with moved as (delete from automation_requests where (asset_key, partition_key, fingerprint) in (
        select asset_key, partition_key, fingerprint from automation_requests where asset_key = $1 limit $3) returning *),
      written as (insert into automation_requests (asset_key, partition_key, fingerprint, run_id, created_at,
          definition_hash, evaluated_at, reads)
        select $2, partition_key, fingerprint, run_id, created_at, definition_hash, evaluated_at, reads from moved
        on conflict do nothing)
    select from moved`,
  // The new key has a condition of its own by now, or none: what the old one remembered is not its.
  condition_states: "delete from condition_states where asset_key = $1 and $2 <> $1 and $3 > 0",
  condition_evaluations: `with moved as (select id from condition_evaluations where asset_key = $1 and requested_count > 0
        limit $3), dropped as (delete from condition_evaluations where asset_key = $1 and requested_count = 0)
    update condition_evaluations e set asset_key = $2 from moved m where e.id = m.id`,
  // Outside, what was shown bears the old name: under the new one nothing is shown yet, and the newest open version will be.
  publications: `update publications set asset_key = $2, version_id = null, published_at = null, daemon = null,
      claimed_until = null, failures = 0, retry_at = null, error = null
    where (asset_key, partition_key) in (select asset_key, partition_key from publications where asset_key = $1 limit $3)`,
};

function byId(table: string, id: string): string {
  return `update ${table} set asset_key = $2 where ${id} in (select ${id} from ${table} where asset_key = $1 limit $3)`;
}

/** Tables whose column `asset_key` says whose history a row is. */
export const historyTables: readonly string[] = ["attempts", ...Object.keys(statements)];

/** Gives every row of a history another key. What rows hold inside JSON (inputs, reasons) keeps the key of its time. */
export async function moveHistory(tx: pg.PoolClient, { from, to }: CarryOver): Promise<void> {
  for (const text of Object.values(statements)) {
    let rows: number;
    do {
      const { rowCount } = await tx.query(text, [from, to, rowsPerStatement]);
      rows = rowCount ?? 0;
    } while (rows === rowsPerStatement);
  }
}
