import type { Kysely, Selectable } from "kysely";
import { sql } from "kysely";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";
import type { Schema } from "./schema.ts";

export type TickRow = Selectable<Schema["ticks"]>;
export type AutomationRow = Selectable<Schema["automations"]>;

/** What is remembered of the automations with these names, by name. */
export async function readAutomations(
  db: Kysely<Schema>,
  names: readonly string[],
): Promise<ReadonlyMap<string, AutomationRow>> {
  if (names.length === 0) return new Map();
  const rows = await db.selectFrom("automations").selectAll().where("name", "in", names).execute();
  return new Map(rows.map((row) => [row.name, row]));
}

/** Ticks of one automation, newest first. Ids are UUIDv7, so their order is that of creation. */
export async function listTicks(
  db: Kysely<Schema>,
  automation: string,
  state: TickRow["state"] | undefined,
  page: PageRequest<string>,
): Promise<Page<TickRow, string>> {
  let query = db
    .selectFrom("ticks")
    .selectAll()
    .where("automation", "=", automation)
    .orderBy("id", "desc")
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where("id", "<", page.after);
  if (state !== undefined) query = query.where("state", "=", state);
  return pageOf(await query.execute(), page.limit, (row) => row.id);
}

export async function readTick(db: Kysely<Schema>, id: string): Promise<TickRow | undefined> {
  return db.selectFrom("ticks").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The newest tick of each automation that has any, by name. */
export async function lastTicks(db: Kysely<Schema>, names: readonly string[]): Promise<ReadonlyMap<string, TickRow>> {
  if (names.length === 0) return new Map();
  const { rows } = await sql<TickRow>`
    select t.* from unnest(${names}::text[]) n cross join lateral
      (select * from ticks where automation = n order by id desc limit 1) t`.execute(db);
  return new Map(rows.map((row) => [row.automation, row]));
}

/** Ids of the runs that each tick launched, at most `max` of each, oldest first. */
export async function runsOfTicks(
  db: Kysely<Schema>,
  ticks: readonly string[],
  max: number,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const runs = new Map<string, string[]>();
  if (ticks.length === 0) return runs;
  const { rows } = await sql<{ tick: string; id: string }>`
    select n as tick, r.id from unnest(${ticks}::uuid[]) n cross join lateral
      (select id from runs where tick_id = n order by id limit ${max}) r order by r.id`.execute(db);
  for (const { tick, id } of rows) {
    const known = runs.get(tick);
    if (known === undefined) runs.set(tick, [id]);
    else known.push(id);
  }
  return runs;
}
