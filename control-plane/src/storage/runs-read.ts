import type { Kysely, Selectable } from "kysely";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";
import type { Schema } from "./schema.ts";

export interface RunRow extends Selectable<Schema["runs"]> {
  /** Of the tick that launched it. */
  readonly tick_automation: string | null;
  readonly tick_scheduled_at: Date | null;
  /** What its sensor asked for it for. */
  readonly run_key: string | null;
}

/** Runs with the ticks that launched them, and their run keys. */
function selectRuns(db: Kysely<Schema>) {
  return db
    .selectFrom("runs")
    .leftJoin("ticks", "ticks.id", "runs.tick_id")
    .leftJoin("run_keys", "run_keys.run_id", "runs.id")
    .selectAll("runs")
    .select(["ticks.automation as tick_automation", "ticks.scheduled_at as tick_scheduled_at", "run_keys.run_key"]);
}

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
  let query = selectRuns(db)
    .orderBy("runs.id", "desc")
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where("runs.id", "<", page.after);
  if (state !== undefined) query = query.where("runs.state", "=", state);
  if (source !== undefined) query = query.where("runs.source", "=", source);
  if (actor !== undefined) query = query.where("runs.actor", "=", actor);
  if (asset !== undefined) {
    query = query.where("runs.id", "in", db.selectFrom("steps").select("run_id").where("asset_key", "=", asset));
  }
  return pageOf(await query.execute(), page.limit, (row) => row.id);
}

export async function readRun(db: Kysely<Schema>, id: string): Promise<RunRow | undefined> {
  return selectRuns(db).where("runs.id", "=", id).executeTakeFirst();
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
