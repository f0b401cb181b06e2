import type pg from "pg";
import { mapDatabaseError } from "./database-unavailable.ts";
import { type MigrationFile, readMigrationFiles } from "./migration-files.ts";
import { StorageError } from "./storage-error.ts";

/** One migration as file, as row, or both. */
export interface MigrationState {
  readonly number: number;
  readonly name: string;
  readonly breaking: boolean;
  readonly state: "applied" | "pending" | "changed" | "unknown";
  readonly appliedAt: Date | undefined;
}

export interface MigrationStatus {
  readonly migrations: readonly MigrationState[];
  readonly schema: "current" | "outdated" | "newer" | "newerBreaking" | "changed";
}

export interface MigrateOptions {
  /** Default: the package's own. */
  readonly folder?: string;
}

interface MigrationRow {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  readonly breaking: boolean;
  readonly applied_at: Date;
}

type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** Any fixed number will do; it is the word "headgate" in ASCII, cut to the 63 bits of a positive bigint. */
const advisoryLock = "0x" + Buffer.from("headgate").toString("hex");

/** What is applied and what is not. Changes nothing. */
export async function migrationStatus(pool: pg.Pool, options: MigrateOptions = {}): Promise<MigrationStatus> {
  return compare(await readMigrationFiles(options.folder), await readRows(pool));
}

/**
 * Applies what is pending, each file in a transaction of its own, and returns what it applied. Several processes may
 * call it at once: one works, the others wait and find nothing to do.
 *
 * Throws `schema.newer` (a newer Headgate made a breaking change), `schema.changed` (an applied file is not what it
 * was) and `schema.migration_failed` (the database refused one; those before it stay applied).
 */
export async function migrate(pool: pg.Pool, options: MigrateOptions = {}): Promise<MigrationFile[]> {
  const files = await readMigrationFiles(options.folder);
  const client = await pool.connect();
  try {
    // A migration may rightly take longer than any query of the running product, and so may the wait for another's.
    await client.query("set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0");
    await client.query("select pg_advisory_lock($1::bigint)", [BigInt(advisoryLock).toString()]);
    await client.query(
      `create table if not exists migrations (
         number integer primary key,
         name text not null,
         checksum text not null,
         breaking boolean not null,
         applied_at timestamptz not null default clock_timestamp()
       )`,
    );
    const status = compare(files, await readRows(client));
    refuseForeign(status);
    const applied: MigrationFile[] = [];
    for (const file of files) {
      if (status.migrations.find(({ number }) => number === file.number)?.state !== "pending") continue;
      await apply(client, file);
      applied.push(file);
    }
    return applied;
  } finally {
    // The connection goes, and with it the lock and the settings.
    client.release(true);
  }
}

/**
 * For `api` and `daemon`, which migrate nothing silently. Throws `schema.outdated`, `schema.newer` or
 * `schema.changed`. A database with newer migrations, none of them breaking, is fine.
 */
export async function assertSchemaCurrent(pool: pg.Pool, options: MigrateOptions = {}): Promise<void> {
  const status = await migrationStatus(pool, options);
  refuseForeign(status);
  const pending = status.migrations.filter(({ state }) => state === "pending");
  if (pending.length > 0) {
    const names = pending.map(({ number, name }) => `${String(number)} ${name}`).join(", ");
    throw new StorageError("schema.outdated", `the database lacks ${String(pending.length)} migration(s): ${names}`);
  }
}

async function apply(client: pg.PoolClient, file: MigrationFile): Promise<void> {
  try {
    await client.query("begin");
    const before = await transactionId(client);
    await client.query(file.sql);
    if ((await transactionId(client)) !== before) {
      throw new Error("it begins or ends a transaction by itself, so that a failure would leave half of it behind");
    }
    await client.query("insert into migrations (number, name, checksum, breaking) values ($1, $2, $3, $4)", [
      file.number,
      file.name,
      file.checksum,
      file.breaking,
    ]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    if (mapDatabaseError(error) !== error || error instanceof StorageError) throw error;
    throw new StorageError(
      "schema.migration_failed",
      `${file.file}${place(error, file.sql)}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

async function transactionId(client: pg.PoolClient): Promise<string> {
  const { rows } = await client.query<{ id: string }>("select pg_current_xact_id()::text as id");
  return rows[0]?.id ?? "";
}

/** ":12" if Postgres said at which character it stumbled. */
function place(error: unknown, sql: string): string {
  const position = Number((error as { position?: string }).position);
  return Number.isInteger(position) ? `:${String(sql.slice(0, position - 1).split("\n").length)}` : "";
}

async function readRows(db: Queryable): Promise<MigrationRow[]> {
  const found = await db.query<{ found: boolean }>("select to_regclass('migrations') is not null as found");
  if (found.rows[0]?.found !== true) return [];
  const { rows } = await db.query<MigrationRow>(
    "select number, name, checksum, breaking, applied_at from migrations order by number",
  );
  return rows;
}

function compare(files: readonly MigrationFile[], rows: readonly MigrationRow[]): MigrationStatus {
  const byNumber = new Map(rows.map((row) => [row.number, row]));
  const known = files.map((file): MigrationState => {
    const row = byNumber.get(file.number);
    const state = row === undefined ? "pending" : row.checksum === file.checksum ? "applied" : "changed";
    return { number: file.number, name: file.name, breaking: file.breaking, state, appliedAt: row?.applied_at };
  });
  const unknown = rows
    .filter(({ number }) => number > files.length)
    .map(({ number, name, breaking, applied_at: appliedAt }): MigrationState => {
      return { number, name, breaking, state: "unknown", appliedAt };
    });
  const has = (state: MigrationState["state"]) => known.some((migration) => migration.state === state);
  const schema = has("changed")
    ? "changed"
    : unknown.some(({ breaking }) => breaking)
      ? "newerBreaking"
      : has("pending")
        ? "outdated"
        : unknown.length > 0
          ? "newer"
          : "current";
  return { migrations: [...known, ...unknown], schema };
}

function refuseForeign(status: MigrationStatus): void {
  if (status.schema === "changed") {
    const changed = status.migrations.find(({ state }) => state === "changed");
    throw new StorageError(
      "schema.changed",
      `migration ${String(changed?.number)} ${String(changed?.name)} is not the one that this database was migrated with`,
    );
  }
  if (status.schema === "newerBreaking") {
    const newer = status.migrations.find(({ state, breaking }) => state === "unknown" && breaking);
    throw new StorageError(
      "schema.newer",
      `this database has migration ${String(newer?.number)} ${String(newer?.name)}, which this version does not know and which it cannot work with`,
    );
  }
}
