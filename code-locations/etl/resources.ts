import { duckdb, objectStore, postgres, postgresTables, values } from "@headgate/connections";
import { env, secret } from "@headgate/sdk";

/** This team's own database: its source lives there, and what it publishes. `dev` gives it one. */
export const database = postgres({ url: secret("ETL_DATABASE_URL") });

/** What flows between assets is kept where the platform says, so that a reader needs no way into the database. */
export const io = values({ store: objectStore(env("HEADGATE_OBJECT_STORE")), duckdb: duckdb() });

/** Tables for readers outside, who find the newest open version of each by its view. */
export const published = postgresTables({ postgres: database, schema: "samples" });
