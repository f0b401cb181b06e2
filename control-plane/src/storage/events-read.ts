import { type Kysely, type Selectable, sql } from "kysely";
import type pg from "pg";
import { type Page, type PageRequest, pageOf } from "./keyset-page.ts";
import type { Schema } from "./schema.ts";

export type EventRow = Selectable<Schema["events"]>;

/** An event fits if it fits any of these; none at all: every event fits. */
export interface EventTopics {
  readonly runs: ReadonlySet<string>;
  readonly assets: ReadonlySet<string>;
  readonly locations: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

export function fitsTopics(event: EventRow, topics: EventTopics | undefined): boolean {
  return (
    topics === undefined ||
    topics.kinds.has(event.kind) ||
    (event.run_id !== null && topics.runs.has(event.run_id)) ||
    (event.asset_key !== null && topics.assets.has(event.asset_key)) ||
    (event.location !== null && topics.locations.has(event.location))
  );
}

/** In commit order, after the sequence number `after`. */
export async function readEvents(
  db: Kysely<Schema>,
  after: number,
  limit: number,
  topics?: EventTopics,
): Promise<readonly EventRow[]> {
  let query = db.selectFrom("events").selectAll().where("seq", ">", after).orderBy("seq").limit(limit);
  if (topics !== undefined) {
    query = query.where((where) =>
      where.or([
        ...(topics.runs.size > 0 ? [where("run_id", "in", [...topics.runs])] : []),
        ...(topics.assets.size > 0 ? [where("asset_key", "in", [...topics.assets])] : []),
        ...(topics.locations.size > 0 ? [where("location", "in", [...topics.locations])] : []),
        ...(topics.kinds.size > 0 ? [where("kind", "in", [...topics.kinds])] : []),
      ]),
    );
  }
  return query.execute();
}

export async function listRunEvents(
  db: Kysely<Schema>,
  runId: string,
  page: PageRequest<number>,
): Promise<Page<EventRow, number>> {
  let query = db
    .selectFrom("events")
    .selectAll()
    .where("run_id", "=", runId)
    .orderBy("seq")
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where("seq", ">", page.after);
  return pageOf(await query.execute(), page.limit, (row) => row.seq);
}

/** The first sequence number that is still kept, and the newest; both 0 before the first event. */
export async function eventBounds(db: Kysely<Schema>): Promise<{ readonly floor: number; readonly newest: number }> {
  const { rows } = await sql<{ floor: number; newest: number }>`
    select coalesce((select min(seq) from events), 0) as floor, coalesce((select max(seq) from events), 0) as newest
  `.execute(db);
  return rows[0] ?? { floor: 0, newest: 0 };
}

/** The sequence number of the newest event; 0: there is none. */
export async function newestEventSeq(db: Pick<pg.Pool | pg.PoolClient, "query">): Promise<number> {
  const { rows } = await db.query<{ newest: number }>("select coalesce(max(seq), 0) as newest from events");
  return Number(rows[0]?.newest ?? 0);
}
