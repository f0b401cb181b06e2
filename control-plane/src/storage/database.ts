import type { Socket } from "node:net";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { DatabaseUnavailableError, mapDatabaseError } from "./database-unavailable.ts";
import type { Schema } from "./schema.ts";
import { StorageError } from "./storage-error.ts";

export interface DatabaseOptions {
  /** Connections at most. */
  readonly max: number;
  /** Shown in `pg_stat_activity`; default "headgate". */
  readonly applicationName?: string;
  /** A statement is cancelled by the server after this long; default 30,000. */
  readonly statementTimeoutMs?: number;
  /** How long beyond that the answer of a server may take before its connection is given up; default 5,000. */
  readonly answerGraceMs?: number;
  /** A transaction that sits idle for so long loses its connection, and with it its locks; default 10,000. */
  readonly idleInTransactionTimeoutMs?: number;
  /** How long a caller waits for a connection; default 5,000. */
  readonly connectTimeoutMs?: number;
}

export interface Database {
  readonly pool: pg.Pool;
  readonly db: Kysely<Schema>;
  /** Ends every connection once its statement is done. */
  close(): Promise<void>;
}

/**
 * Opens a pool of connections. Nothing is dialled before the first query. Connections that broke are replaced by the
 * next caller; what could not be reached is thrown as `DatabaseUnavailableError` (code `database.unavailable`).
 *
 * Values read: `bigint` (and `bigint[]`) is a number, checked to be a safe integer (`database.number_too_large`);
 * `numeric` is text; `timestamptz` is a `Date` of milliseconds, which is what one passes as a parameter too.
 */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const pool = new DatabasePool({
    connectionString: url,
    max: options.max,
    application_name: options.applicationName ?? "headgate",
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 10_000,
    // The server ends a statement that takes too long. This one is for a server that no longer answers at all.
    query_timeout: statementTimeoutMs === 0 ? undefined : statementTimeoutMs + (options.answerGraceMs ?? 5_000),
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    types: { getTypeParser },
    Client: DatabaseClient,
  });
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return { pool, db, close: () => db.destroy().then(() => (pool.ended ? undefined : pool.end())) };
}

/**
 * Runs `work` in one READ COMMITTED transaction on one connection. What `work` throws rolls back and is thrown on.
 * If the connection breaks during the commit itself, the error says `commitUnknown`.
 */
export async function withTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let committing = false;
  try {
    await client.query("begin");
    const result = await work(client);
    committing = true;
    await client.query("commit");
    client.release();
    return result;
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) {
      client.release(true);
      throw committing
        ? new DatabaseUnavailableError(error.message, { cause: error.cause, commitUnknown: true })
        : error;
    }
    // A connection that cannot even roll back must not go back to the pool with a transaction open.
    const rolledBack = await client.query("rollback").then(
      () => true,
      () => false,
    );
    client.release(!rolledBack);
    throw error;
  }
}

const int8 = 20;
const int8Array = 1016;
const textArray = 1009;

function parseBigint(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new StorageError("database.number_too_large", `the bigint ${text} is not a safe integer`);
  }
  return value;
}

const parseTextArray = pg.types.getTypeParser(textArray as number) as unknown as (text: string) => (string | null)[];

function getTypeParser(oid: number, format?: "text" | "binary"): unknown {
  if (format !== "binary") {
    if (oid === int8) return parseBigint;
    if (oid === int8Array) {
      return (text: string) => parseTextArray(text).map((item) => (item === null ? null : parseBigint(item)));
    }
  }
  return pg.types.getTypeParser(oid, format);
}

type Callback = (error: unknown, ...rest: unknown[]) => void;

/** Hands every error of a query, by callback or promise, through `mapDatabaseError`. */
class DatabaseClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    // A connection that breaks while somebody holds it emits `error` besides failing the query. Nobody else listens
    // then, and an `error` without a listener ends the process.
    this.on("error", () => undefined);
  }

  // pg's `query` has a dozen overloads; this one only looks at what comes back.
  override query(...args: unknown[]): never {
    const last = args.at(-1);
    const callback = typeof last === "function" ? (last as Callback) : undefined;
    if (callback !== undefined) {
      const mapped: Callback = (error, ...rest) => callback(error ? this.failed(error) : error, ...rest);
      args[args.length - 1] = mapped;
    }
    const sent = (super.query as (...args: unknown[]) => unknown).apply(this, args);
    if (!(sent instanceof Promise)) return sent as never;
    return sent.catch((error: unknown) => {
      throw this.failed(error);
    }) as never;
  }

  private failed(error: unknown): unknown {
    // The server still owes an answer, so whatever is sent next would wait behind it for ever.
    if (error instanceof Error && error.message === "Query read timeout") {
      (this as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
    }
    return mapDatabaseError(error);
  }
}

class DatabasePool extends pg.Pool {
  constructor(config: pg.PoolConfig & { Client: typeof DatabaseClient }) {
    super(config);
    // An idle connection that breaks is dropped and replaced; without a listener its error would end the process.
    this.on("error", () => undefined);
  }

  override connect(callback?: unknown): never {
    const connect = super.connect.bind(this) as (callback?: Callback) => Promise<pg.PoolClient>;
    if (typeof callback === "function") {
      return connect((error, ...rest) =>
        (callback as Callback)(error ? mapDatabaseError(error) : error, ...rest),
      ) as never;
    }
    return connect().catch((error: unknown) => {
      throw mapDatabaseError(error);
    }) as never;
  }
}
