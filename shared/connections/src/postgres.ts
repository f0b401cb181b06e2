import { resource, type Resource, type Setting } from "@headgate/sdk";
import type pg from "pg";
import { ConnectionError } from "./connection-error.ts";
import { postgresFailure } from "./postgres-failure.ts";
import type {
  Postgres,
  PostgresQueries,
  PostgresQueryOptions,
  PostgresResult,
  PostgresValue,
} from "./postgres-queries.ts";
import { PostgresSession, type SessionOptions } from "./postgres-session.ts";
import { parsePostgresUrl, type PostgresUrl } from "./postgres-url.ts";
import { valueParsers } from "./postgres-values.ts";

/** Bounds of the connections of one worker process. */
export interface PostgresOptions {
  /** Connections of one worker process at most; default 4. */
  readonly connectionsMax?: number;
  /** The server ends a statement, and a transaction that sits idle, after this long; default ten minutes. */
  readonly statementTimeoutMs?: number;
  /** How long making a connection may take; default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Shown in `pg_stat_activity`; default "headgate". */
  readonly applicationName?: string;
}

/**
 * A Postgres resource: `postgres({ url: secret("WAREHOUSE_URL") })`, with
 * `postgresql://user:password@host:5432/database` in that variable. The password is struck out of logs, metadata and
 * errors, wherever the URL comes from.
 */
export function postgres({ url, ...options }: PostgresOptions & { readonly url: Setting }): Resource<Postgres> {
  return resource({
    create: async (context) => {
      const text = context.read(url);
      for (const password of parsePostgresUrl(text).secrets) context.redact(password);
      return await openPostgres(text, options);
    },
    dispose: (connection) => connection.close(),
  });
}

/** Opens a Postgres; nothing is dialled before the first query. Throws ConnectionError `postgres.url_invalid`. */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Postgres> {
  const parsed = parsePostgresUrl(url);
  // A worker without Postgres never pays for the client.
  const { default: library } = await import("pg");
  return new PooledPostgres(library, url, parsed, options);
}

const statementTimeoutMsDefault = 600_000;

class PooledPostgres implements Postgres {
  readonly location: string;
  readonly #pool: pg.Pool;
  readonly #session: SessionOptions;
  readonly #running = new Set<PostgresSession>();

  constructor(library: typeof pg, url: string, { location }: PostgresUrl, options: PostgresOptions) {
    const statementTimeoutMs = options.statementTimeoutMs ?? statementTimeoutMsDefault;
    this.location = location;
    this.#session = { location, statementTimeoutMs, Query: library.Query, types: valueParsers(library.types) };
    this.#pool = new library.Pool({
      connectionString: url,
      max: options.connectionsMax ?? 4,
      application_name: options.applicationName ?? "headgate",
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      Client: clientOf(library, options.connectTimeoutMs ?? 10_000),
    });
    // An idle connection that breaks is dropped and replaced; without a listener its error would end the process.
    this.#pool.on("error", () => undefined);
  }

  async query<Row>(
    text: string,
    values: readonly PostgresValue[] = [],
    options: PostgresQueryOptions = {},
  ): Promise<PostgresResult<Row>> {
    return await this.#withSession(options.signal, (session) => session.query<Row>(text, values, options));
  }

  async transaction<T>(
    work: (transaction: PostgresQueries) => Promise<T>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    return await this.#withSession(signal, async (session) => {
      await session.query("begin", [], { signal });
      const result = await this.#within(session, signal, work);
      signal?.throwIfAborted();
      await this.#commit(session);
      return result;
    });
  }

  async close(): Promise<void> {
    for (const session of this.#running) session.destroy();
    await this.#pool.end();
  }

  async #within<T>(
    session: PostgresSession,
    signal: AbortSignal | undefined,
    work: (transaction: PostgresQueries) => Promise<T>,
  ): Promise<T> {
    let isOpen = true;
    try {
      return await work({
        query: async (text, values, options) => {
          if (isOpen) return await session.query(text, values, { ...options, signal: options?.signal ?? signal });
          throw new ConnectionError("postgres.transaction_ended", "the transaction of this query has ended");
        },
      });
    } catch (error) {
      await session.query("rollback").catch(() => {});
      throw error;
    } finally {
      isOpen = false;
    }
  }

  async #commit(session: PostgresSession): Promise<void> {
    const { command } = await session.query("commit").catch((error: unknown) => {
      if (!(error instanceof ConnectionError) || error.code !== "postgres.unavailable") throw error;
      const message = `${error.message}; whether the transaction was committed is not known`;
      throw new ConnectionError("postgres.unavailable", message, error.cause);
    });
    // Postgres answers so, and calls it a success, where a statement failed and its error was caught.
    if (command !== "ROLLBACK") return;
    throw new ConnectionError("postgres.query_failed", "the transaction was rolled back: one of its statements failed");
  }

  async #withSession<T>(signal: AbortSignal | undefined, work: (session: PostgresSession) => Promise<T>): Promise<T> {
    const session = new PostgresSession(await this.#connect(signal), this.#session);
    this.#running.add(session);
    let isBroken = true;
    try {
      const result = await work(session);
      isBroken = false;
      return result;
    } finally {
      // A connection on which something failed may have a transaction open or lost its server: it is not kept.
      await session.release(isBroken);
      this.#running.delete(session);
    }
  }

  /** Waits for a free connection as long as the signal lets it. */
  async #connect(signal: AbortSignal | undefined): Promise<pg.PoolClient> {
    signal?.throwIfAborted();
    const connecting = this.#pool.connect();
    let abort = () => {};
    const aborted = new Promise<never>((_resolve, reject) => {
      abort = () => reject(signal?.reason as Error);
      signal?.addEventListener("abort", abort, { once: true });
    });
    try {
      return await Promise.race([connecting, aborted]);
    } catch (error) {
      if (signal?.aborted !== true) throw postgresFailure(error, this.location);
      void connecting.then(
        (client) => client.release(),
        () => {},
      );
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }
}

/** A client with a timeout for its own connecting: the pool's would count the wait for a free connection too. */
function clientOf(library: typeof pg, connectionTimeoutMillis: number): typeof pg.Client {
  return class extends library.Client {
    constructor(config?: pg.ClientConfig) {
      super({ ...config, connectionTimeoutMillis });
      // A connection that breaks while somebody holds it emits `error` besides failing the query.
      this.on("error", () => undefined);
    }
  };
}
