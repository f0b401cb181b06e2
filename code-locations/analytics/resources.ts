import { duckdb, objectStore, text, values } from "@headgate/connections";
import { env } from "@headgate/sdk";

const store = objectStore(env("HEADGATE_OBJECT_STORE"));

export const database = duckdb();

/** Tables as Parquet. What team flights stored is read with this team's own store and credentials. */
export const io = values({ store, duckdb: database });

/** Reports as Markdown files that anybody can open. */
export const reports = text({ store, mediaType: "text/markdown" });
