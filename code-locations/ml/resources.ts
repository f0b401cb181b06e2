import { duckdb, objectStore, text, values } from "@headgate/connections";
import { env } from "@headgate/sdk";

const store = objectStore(env("HEADGATE_OBJECT_STORE"));

/** What team etl stored is read with this team's own store. It has no way into the database of etl, and needs none. */
export const io = values({ store, duckdb: duckdb() });

/** The card as a Markdown file that anybody can open. */
export const cards = text({ store, mediaType: "text/markdown" });
