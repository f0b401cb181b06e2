import { duckdb, objectStore, values } from "@headgate/connections";
import { env } from "@headgate/sdk";

/** Queries run in the worker process; tables stay in DuckDB and never become JavaScript objects. */
export const database = duckdb();

/** Values are kept where the platform says: a folder on a laptop, a bucket in production. */
export const io = values({ store: objectStore(env("HEADGATE_OBJECT_STORE")), duckdb: database });
