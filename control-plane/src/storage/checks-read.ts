import { type Kysely, type Selectable, sql } from "kysely";
import type { Schema } from "./schema.ts";

export type CheckResultRow = Selectable<Schema["check_results"]>;

/** The newest result of every check of these assets, whichever version it is about. */
export async function latestResults(db: Kysely<Schema>, assets: readonly string[]): Promise<readonly CheckResultRow[]> {
  if (assets.length === 0) return [];
  const { rows } = await sql<CheckResultRow>`select distinct on (asset_key, team, name) * from check_results
    where asset_key = any (${assets}) order by asset_key, team, name, seq desc`.execute(db);
  return rows;
}
