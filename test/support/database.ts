import { randomBytes } from "node:crypto";
import pg from "pg";
import { type Database, openDatabase } from "../../control-plane/src/storage/database.ts";
import { databaseUrl, testServer } from "./test-server.ts";

export interface TestDatabase extends Database {
  readonly url: string;
  /** Ends this side's connections and drops the database, whoever is still connected to it. */
  drop(): Promise<void>;
}

/**
 * A database of its own for one test file, on a real Postgres: migrated, or empty with `migrated: false`. Call it in
 * `beforeAll` and `drop()` in `afterAll`.
 */
export async function testDatabase(
  options: { readonly migrated?: boolean; readonly max?: number } = {},
): Promise<TestDatabase> {
  const { adminUrl, template } = await testServer();
  const name = `headgate_test_${String(process.pid)}_${randomBytes(4).toString("hex")}`;
  await onServer(adminUrl, `create database ${name}${options.migrated === false ? "" : ` template ${template}`}`);
  const url = databaseUrl(adminUrl, name);
  const database = openDatabase(url, { max: options.max ?? 5, applicationName: "headgate test" });
  return {
    ...database,
    url,
    drop: async () => {
      await database.close();
      await onServer(adminUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

async function onServer(adminUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
