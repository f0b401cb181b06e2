import type { Kysely, Selectable } from "kysely";
import type { Schema } from "./schema.ts";

export type DecisionRow = Selectable<Schema["decisions"]>;

/** The last time that this partition was asked for and refused. */
export async function newestDecision(
  db: Kysely<Schema>,
  assetKey: string,
  partition: string,
): Promise<DecisionRow | undefined> {
  return db
    .selectFrom("decisions")
    .selectAll()
    .where("asset_key", "=", assetKey)
    .where("partition_key", "=", partition)
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
}
