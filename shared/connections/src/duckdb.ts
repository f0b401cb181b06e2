import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { resource, type Resource } from "@headgate/sdk";
import { ConnectionError } from "./connection-error.ts";
import { relationOf, type Column, type QueryRunner, type Relation } from "./relation.ts";
import { sql, type Sql } from "./sql.ts";

/** More rows than this are not turned into JavaScript objects. */
const rowsMaxLimit = 10_000;

/** Bounds of DuckDB in one worker process. */
export interface DuckdbOptions {
  /**
   * Memory that one worker's DuckDB may use before it spills to disk; default: its share of half of the machine's (or
   * container's) memory, with a worker a core.
   */
  readonly memoryBytesMax?: number;
  /** Threads of one worker's DuckDB; default: half of the machine's cores, since a location has several workers. */
  readonly threads?: number;
}

/** Bounds of a query whose rows are read into memory. */
export interface RowsOptions {
  readonly rowsMax?: number;
  /** Its abort interrupts the query. */
  readonly signal?: AbortSignal;
}

/** DuckDB in a worker process. Queries of one worker share its memory and threads. */
export interface Database {
  /**
   * A relation of a query; nothing runs yet. What its rows are the compiler cannot know: without `Row` it fits an asset
   * of any columns, which are validated when it is stored, and its rows cannot be read as objects before `Row` is given.
   */
  relation<Row = never>(query: Sql): Relation<Row>;
  /**
   * Runs a query and gives its rows, at most `rowsMax` of them (default, and most: 10,000; more throw
   * `relation.rows_too_many`). Throws ConnectionError `duckdb.query_failed`, and the signal's reason when it is aborted.
   */
  rows<Row = Record<string, unknown>>(query: Sql, options?: RowsOptions): Promise<Row[]>;
  /** The relation of a Parquet file. `holds` is kept as long as the relation is. */
  parquet<Row = never>(path: string, holds?: unknown): Relation<Row>;
  /** Interrupts what runs and lets go of everything. */
  close(): void;
}

/** A DuckDB resource: one instance in memory a worker process, a connection of its own for every query. */
export function duckdb(options: DuckdbOptions = {}): Resource<Database> {
  return resource({ create: () => openDatabase(options), dispose: (database) => database.close() });
}

/** Opens a database in memory. The native library is loaded here, so that a worker without DuckDB never pays for it. */
export async function openDatabase(options: DuckdbOptions = {}): Promise<Database> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const memoryBytesMax = options.memoryBytesMax ?? memoryShareBytes();
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: `${Math.max(1, Math.floor(memoryBytesMax / 2 ** 20))}MiB`,
    threads: String(options.threads ?? Math.max(1, Math.floor(availableParallelism() / 2))),
    temp_directory: join(tmpdir(), `headgate-duckdb-${process.pid}`),
    // A query never reaches out to the network for code.
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  // What a timestamp with a zone shows does not depend on the machine.
  await connection.run("set global TimeZone = 'UTC'");
  connection.closeSync();
  return new InMemoryDatabase(instance);
}

function memoryShareBytes(): number {
  const constrainedBytes = process.constrainedMemory() || Infinity;
  return Math.min(totalmem(), constrainedBytes) / 2 / Math.max(2, availableParallelism());
}

class InMemoryDatabase implements Database {
  readonly #instance: DuckDBInstance;
  readonly #running = new Set<DuckDBConnection>();

  constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  relation<Row>(query: Sql): Relation<Row> {
    return relationOf<Row>(query.text, this.#runner, query.relations);
  }

  parquet<Row>(path: string, holds?: unknown): Relation<Row> {
    // Square brackets, stars and question marks in a path are literal; a folder `a=b` is no hidden column.
    const literal = path.replaceAll(/[[\]*?]/g, (character) => `[${character}]`);
    const query = sql`select * from read_parquet(${literal}, hive_partitioning = false)`;
    return relationOf<Row>(query.text, this.#runner, holds);
  }

  async rows<Row>(query: Sql, options: RowsOptions = {}): Promise<Row[]> {
    return (await this.#runner.rows(query.text, options.rowsMax ?? rowsMaxLimit, options.signal)) as Row[];
  }

  close(): void {
    for (const connection of this.#running) connection.interrupt();
    this.#instance.closeSync();
  }

  readonly #runner: QueryRunner = {
    rows: async (query, rowsMax, signal) => {
      if (rowsMax > rowsMaxLimit) throw tooMany(`${rowsMax} rows were asked for`, rowsMaxLimit);
      return await this.#run(query, signal, async (connection) => {
        const reader = await connection.streamAndReadUntil(query, rowsMax + 1);
        if (reader.currentRowCount > rowsMax) throw tooMany("the query gives more", rowsMax);
        return reader.getRowObjectsJS().map(plainRow);
      });
    },
    columns: async (query) =>
      await this.#run(query, undefined, async (connection) => {
        const reader = await connection.runAndReadAll(`describe ${query}`);
        return reader.getRowObjectsJS().map((row): Column => ({
          name: row["column_name"] as string,
          type: row["column_type"] as string,
        }));
      }),
    copyToParquet: async (query, path, signal) => {
      await this.#run(query, signal, async (connection) => {
        await connection.run(`copy (${query}) to ${sql`${path}`.text} (format parquet, compression zstd)`);
      });
    },
  };

  async #run<T>(
    query: string,
    signal: AbortSignal | undefined,
    work: (connection: DuckDBConnection) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const connection = await this.#instance.connect();
    const interrupt = () => connection.interrupt();
    signal?.addEventListener("abort", interrupt, { once: true });
    this.#running.add(connection);
    try {
      return await work(connection);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ConnectionError) throw error;
      const excerpt = query.length > 2_000 ? `${query.slice(0, 2_000)} ...` : query;
      throw new ConnectionError(
        "duckdb.query_failed",
        `${(error as Error).message.trim()}\nin the query: ${excerpt}`,
        error,
      );
    } finally {
      signal?.removeEventListener("abort", interrupt);
      this.#running.delete(connection);
      connection.closeSync();
    }
  }
}

/** Integers as numbers, for they are what people compute with; one that does not fit is an error and not a wrong digit. */
function plainRow(row: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value !== "bigint") continue;
    const number = Number(value);
    if (!Number.isSafeInteger(number)) {
      throw new ConnectionError("relation.integer_unsafe", `column ${name} has the integer ${value}`);
    }
    row[name] = number;
  }
  return row;
}

function tooMany(what: string, rowsMax: number): ConnectionError {
  return new ConnectionError("relation.rows_too_many", `${what}, and at most ${rowsMax} rows become objects at once`);
}
