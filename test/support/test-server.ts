import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { isAlive, type ProcessIdentity, processIdentity } from "../../control-plane/src/processes/process-identity.ts";
import { takeProcessLock } from "../../control-plane/src/processes/process-lock.ts";
import { startEmbeddedPostgres } from "../../control-plane/src/storage/embedded-postgres.ts";
import { migrate } from "../../control-plane/src/storage/migrate.ts";
import { readMigrationFiles } from "../../control-plane/src/storage/migration-files.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const key = createHash("sha256").update(checkout).digest("hex").slice(0, 12);
/** Shared by the runs of one checkout, at the same time and one after another: only the first pays for initdb. */
const folder = join(tmpdir(), `headgate-test-${String(process.getuid?.() ?? 0)}-${key}`);
const users = join(folder, "users");

export interface TestServer {
  /** Of a database from which others can be made. */
  readonly adminUrl: string;
  /** A migrated database to copy. */
  readonly template: string;
}

let server: Promise<TestServer> | undefined;

/**
 * A Postgres for this run, started by the first test that needs one: the embedded one, or the ordinary server that
 * `HEADGATE_TEST_DATABASE_URL` names (with the right to create databases).
 */
export function testServer(): Promise<TestServer> {
  return (server ??= exclusively(async () => {
    const adminUrl = process.env["HEADGATE_TEST_DATABASE_URL"] ?? (await embeddedServer());
    return { adminUrl, template: await migratedTemplate(adminUrl) };
  }));
}

/** After the last test of a run: ends the server unless another run still uses it. */
export async function releaseTestServer(): Promise<void> {
  const mine = join(users, String(runPid()));
  if ((await readFile(mine).catch(() => undefined)) === undefined) return;
  await exclusively(async () => {
    await rm(mine, { force: true });
    for (const name of await readdir(users)) {
      const user = JSON.parse(await readFile(join(users, name), "utf8")) as ProcessIdentity;
      if (isAlive(user)) return;
      await rm(join(users, name));
    }
    const embedded = await startEmbeddedPostgres({ dataDir: folder });
    await dropDatabases(embedded.url);
    await embedded.stop();
  });
}

async function embeddedServer(): Promise<string> {
  await mkdir(users, { recursive: true });
  const run = processIdentity(runPid());
  await writeFile(join(users, String(runPid())), JSON.stringify(run));
  const embedded = await startEmbeddedPostgres({ dataDir: folder, settings: ["max_connections=300"] });
  await embedded.leave();
  return embedded.url;
}

/** The process that lives as long as the run: global-setup.ts names it to the workers. */
function runPid(): number {
  return Number(process.env["HEADGATE_TEST_RUN_PID"] ?? process.pid);
}

async function migratedTemplate(adminUrl: string): Promise<string> {
  const files = await readMigrationFiles();
  const checksum = createHash("sha256")
    .update(files.map((file) => file.checksum).join())
    .digest("hex")
    .slice(0, 16);
  const template = `headgate_template_${checksum}`;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    const { rowCount } = await admin.query("select from pg_database where datname = $1", [template]);
    if (rowCount === 1) return template;
    // Renamed once it is whole, so that a killed run leaves no half of a template.
    const draft = `${template}_draft`;
    await admin.query(`drop database if exists ${draft} with (force)`);
    await admin.query(`create database ${draft}`);
    const pool = new pg.Pool({ connectionString: databaseUrl(adminUrl, draft), max: 1 });
    try {
      await migrate(pool);
    } finally {
      await pool.end();
    }
    await admin.query(`alter database ${draft} rename to ${template}`);
    return template;
  } finally {
    await admin.end();
  }
}

async function dropDatabases(adminUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    const { rows } = await admin.query<{ name: string }>(
      "select datname as name from pg_database where datname like 'headgate\\_test\\_%' or datname like 'headgate\\_template\\_%'",
    );
    // The newest template is made again in a second, and old ones would pile up.
    for (const { name } of rows) await admin.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
  } finally {
    await admin.end();
  }
}

/** One process at a time starts, migrates or stops. */
async function exclusively<T>(action: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  for (;;) {
    const lock = await takeProcessLock(join(folder, "turn"));
    if ("heldBy" in lock) {
      await delay(20);
      continue;
    }
    try {
      return await action();
    } finally {
      await lock.release();
    }
  }
}

export function databaseUrl(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}
