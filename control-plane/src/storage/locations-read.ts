import type { Kysely, Selectable } from "kysely";
import type { Schema } from "./schema.ts";

export type LocationRow = Selectable<Schema["locations"]>;
export type LocationDefinitionRow = Selectable<Schema["location_definitions"]>;

/** By name. */
export async function listLocations(db: Kysely<Schema>): Promise<readonly LocationRow[]> {
  return db.selectFrom("locations").selectAll().orderBy("name").execute();
}

export async function readLocation(db: Kysely<Schema>, name: string): Promise<LocationRow | undefined> {
  return db.selectFrom("locations").selectAll().where("name", "=", name).executeTakeFirst();
}

/** What the newest manifests have wrong, by location and key. */
export async function listDefinitionErrors(db: Kysely<Schema>): Promise<readonly LocationDefinitionRow[]> {
  return db
    .selectFrom("location_definitions")
    .selectAll()
    .where("error", "is not", null)
    .orderBy("location")
    .orderBy("key")
    .execute();
}
