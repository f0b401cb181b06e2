import { Kysely, PostgresDialect } from "kysely";
import type pg from "pg";
import type { Schema } from "./schema.ts";

/** The query builder on the connection of a transaction that is under way, so that reads see what it has written. */
export function onTransaction(tx: pg.PoolClient): Kysely<Schema> {
  const connection = {
    query: tx.query.bind(tx) as never,
    // The connection belongs to whoever began the transaction.
    release: () => undefined,
  };
  return new Kysely<Schema>({
    dialect: new PostgresDialect({
      pool: { connect: () => Promise.resolve(connection), end: () => Promise.resolve() },
    }),
  });
}
