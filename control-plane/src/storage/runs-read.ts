import type { Kysely, Selectable } from "kysely";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";
import type { Schema } from "./schema.ts";

export type RunRow = Selectable<Schema["runs"]>;

export interface RunFilter {
  readonly state?: RunRow["state"] | undefined;
  readonly source?: RunRow["source"] | undefined;
  readonly actor?: string | undefined;
  /** Runs with a step of this asset. */
  readonly asset?: string | undefined;
}

/** Newest first. Ids are UUIDv7, so their order is that of creation. */
export async function listRuns(
  db: Kysely<Schema>,
  filter: RunFilter,
  page: PageRequest<string>,
): Promise<Page<RunRow, string>> {
  const { state, source, actor, asset } = filter;
  let query = db
    .selectFrom("runs")
    .selectAll()
    .orderBy("id", "desc")
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where("id", "<", page.after);
  if (state !== undefined) query = query.where("state", "=", state);
  if (source !== undefined) query = query.where("source", "=", source);
  if (actor !== undefined) query = query.where("actor", "=", actor);
  if (asset !== undefined) {
    query = query.where("id", "in", db.selectFrom("steps").select("run_id").where("asset_key", "=", asset));
  }
  return pageOf(await query.execute(), page.limit, (row) => row.id);
}

export async function readRun(db: Kysely<Schema>, id: string): Promise<RunRow | undefined> {
  return db.selectFrom("runs").selectAll().where("id", "=", id).executeTakeFirst();
}

/** How many runs there are in each state. */
export async function countRuns(db: Kysely<Schema>): Promise<ReadonlyMap<RunRow["state"], number>> {
  const rows = await db
    .selectFrom("runs")
    .select(({ fn }) => ["state", fn.countAll<number>().as("count")])
    .groupBy("state")
    .execute();
  return new Map(rows.map(({ state, count }) => [state, count]));
}
