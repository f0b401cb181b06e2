import { type Kysely, sql } from "kysely";
import { daemonTtlSeconds } from "./daemons.ts";
import type { Schema } from "./schema.ts";

/** Daemons that have a row, the oldest first; alive by the database's clock. */
export async function listDaemons(db: Kysely<Schema>) {
  return db
    .selectFrom("daemons")
    .select(["id", "host", "pid", "started_at", "renewed_at"])
    .select(sql<boolean>`renewed_at >= clock_timestamp() - make_interval(secs => ${daemonTtlSeconds})`.as("alive"))
    .orderBy("started_at")
    .execute();
}
