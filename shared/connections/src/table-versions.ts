import { ConnectionError } from "./connection-error.ts";
import type { Postgres, PostgresQueries } from "./postgres-queries.ts";
import {
  type EncodedTable,
  type TableColumn,
  type TableColumnType,
  digestOfTable,
  encodeTable,
} from "./table-columns.ts";
import { type TableName, type TableVersion, quoteName, quoteTable } from "./table-names.ts";

const rowsPerInsert = 5_000;

/** What the comment of a version's table says: whose it is, and what is in it. */
export interface TableNote extends TableVersion {
  readonly digest: string;
}

/** Makes a schema that is not there; asking needs no right to make one. */
export async function ensureSchema(postgres: Postgres, schema: string, signal: AbortSignal): Promise<void> {
  const found = await postgres.query("select from pg_namespace where nspname = $1", [schema], { signal });
  if (found.rowCount > 0) return;
  await postgres.transaction(
    async (transaction) => {
      await lockName(transaction, schema);
      await transaction.query(`create schema if not exists ${quoteName(schema)}`);
    },
    { signal },
  );
}

/** Two who make or change the same thing do so one after the other, until their transactions end. */
export async function lockName(transaction: PostgresQueries, name: string): Promise<void> {
  await transaction.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`headgate:${name}`]);
}

/**
 * Stores a version's rows in a table of its own, whole or not at all. The same rows again change nothing; others replace
 * what was written under this version before, unless it is shown to readers already.
 */
export async function writeTable(
  postgres: Postgres,
  table: TableName,
  version: TableVersion,
  encoded: EncodedTable,
  signal: AbortSignal,
): Promise<{ readonly digest: string; readonly sizeBytes: number; readonly database: string }> {
  const digested = digestOfTable(encoded);
  const database = await postgres.transaction(
    async (transaction) => {
      await lockName(transaction, quoteTable(table));
      if ((await readNote(transaction, table))?.digest !== digested.digest) {
        await transaction.query(`drop table if exists ${quoteTable(table)}`);
        await createTable(transaction, table, encoded.columns);
        await insertRows(transaction, table, encoded);
        await writeNote(transaction, table, { ...version, digest: digested.digest });
      }
      return await currentDatabase(transaction);
    },
    { signal },
  );
  return { ...digested, database };
}

/**
 * The rows of a version, in the order in which they were written, verified by their digest.
 *
 * @throws ConnectionError `table.not_found`, `.elsewhere`, `.digest_mismatch`, `postgres.rows_too_many`
 */
export async function readTable(
  postgres: Postgres,
  place: TableName & { readonly database: string },
  digest: string,
  options: { readonly rowsMax: number; readonly signal: AbortSignal },
): Promise<Record<string, unknown>[]> {
  const table = quoteTable(place);
  const columns = await readColumns(postgres, place, options.signal);
  if (columns.length === 0) {
    const database = await currentDatabase(postgres);
    if (database === place.database) {
      throw new ConnectionError("table.not_found", `there is no table ${table} in ${database}`);
    }
    throw new ConnectionError(
      "table.elsewhere",
      `${table} is in ${place.database}, and this connection in ${database}`,
    );
  }
  const names = columns.map(({ name }) => quoteName(name)).join(", ");
  const { rows } = await postgres.query(`select ${names} from ${table} order by ctid`, [], options);
  const declared = Object.fromEntries(columns.map(({ name, type }) => [name, type]));
  if (digestOfTable(encodeTable(table, rows, declared)).digest !== digest) {
    throw new ConnectionError("table.digest_mismatch", `${table} does not hold what was written to it`);
  }
  return rows;
}

/** The columns of a table or view, in their order; empty where it is not there. */
export async function readColumns(
  queries: PostgresQueries,
  { schema, name }: TableName,
  signal?: AbortSignal,
): Promise<TableColumn[]> {
  const { rows } = await queries.query<{ name: string; type: string }>(
    `select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [schema, name],
    { signal },
  );
  return rows.map(({ name, type }) => ({ name, type: columnTypes[type] ?? (type as TableColumnType) }));
}

/** As Postgres calls those whose names have a long form. */
const columnTypes: Readonly<Record<string, TableColumnType>> = { "timestamp with time zone": "timestamptz" };

/** What the comment of a table or view says of us; undefined where there is none of ours. */
export async function readNote(
  queries: PostgresQueries,
  { schema, name }: TableName,
): Promise<Partial<TableNote> | undefined> {
  const { rows } = await queries.query<{ note: string | null }>(
    `select obj_description(c.oid, 'pg_class') as note from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2`,
    [schema, name],
  );
  try {
    return (JSON.parse(rows[0]?.note ?? "{}") as { headgate?: Partial<TableNote> }).headgate;
  } catch {
    return undefined;
  }
}

async function writeNote(queries: PostgresQueries, table: TableName, note: TableNote): Promise<void> {
  await queries.query(`comment on table ${quoteTable(table)} is ${quoteText(JSON.stringify({ headgate: note }))}`);
}

/** A text where SQL takes no parameter. */
export function quoteText(text: string): string {
  return `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

async function createTable(queries: PostgresQueries, table: TableName, columns: readonly TableColumn[]): Promise<void> {
  const list = columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(", ");
  await queries.query(`create table ${quoteTable(table)} (${list})`);
}

async function insertRows(
  queries: PostgresQueries,
  table: TableName,
  { columns, cells, rowCount }: EncodedTable,
): Promise<void> {
  const arrays = columns.map(({ type }, index) => `$${index + 1}::text[]::${type}[]`).join(", ");
  const text = `insert into ${quoteTable(table)} select * from unnest(${arrays})`;
  for (let at = 0; at < rowCount; at += rowsPerInsert) {
    await queries.query(
      text,
      cells.map((column) => column.slice(at, at + rowsPerInsert)),
    );
  }
}

async function currentDatabase(queries: PostgresQueries): Promise<string> {
  const { rows } = await queries.query<{ name: string }>("select current_database()::text as name");
  return rows[0]?.name ?? "";
}
