import type { Kysely, Selectable } from "kysely";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";
import type { Schema } from "./schema.ts";

export type WaiverRow = Selectable<Schema["waivers"]>;

export interface WaiverFilter {
  readonly asset?: string | undefined;
  readonly version?: string | undefined;
  /** Neither ended nor past its `until` at `now`. */
  readonly inForce?: boolean | undefined;
}

/** Newest first; the position is the id. */
export async function listWaivers(
  db: Kysely<Schema>,
  filter: WaiverFilter,
  now: Date,
  page: PageRequest<string>,
): Promise<Page<WaiverRow, string>> {
  let query = db
    .selectFrom("waivers")
    .selectAll()
    .orderBy("id", "desc")
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where("id", "<", page.after);
  if (filter.asset !== undefined) query = query.where("asset_key", "=", filter.asset);
  if (filter.version !== undefined) query = query.where("version_id", "=", filter.version);
  if (filter.inForce === true) query = query.where("ended_at", "is", null).where("until", ">", now);
  if (filter.inForce === false) {
    query = query.where((where) => where.or([where("ended_at", "is not", null), where("until", "<=", now)]));
  }
  return pageOf(await query.execute(), page.limit, (row) => row.id);
}

export async function readWaiver(db: Kysely<Schema>, id: string): Promise<WaiverRow | undefined> {
  return db.selectFrom("waivers").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Those in force of these versions, by version. */
export async function waiversInForce(
  db: Kysely<Schema>,
  versionIds: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, readonly WaiverRow[]>> {
  const found = new Map<string, WaiverRow[]>();
  if (versionIds.length === 0) return found;
  const rows = await db
    .selectFrom("waivers")
    .selectAll()
    .where("version_id", "in", versionIds)
    .where("ended_at", "is", null)
    .where("until", ">", now)
    .orderBy("id")
    .execute();
  for (const row of rows) found.set(row.version_id, [...(found.get(row.version_id) ?? []), row]);
  return found;
}
