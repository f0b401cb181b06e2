import type { Socket } from "node:net";
import type pg from "pg";
import { ConnectionError } from "./connection-error.ts";
import { cancelQuery } from "./postgres-cancel.ts";
import { postgresFailure } from "./postgres-failure.ts";
import type { PostgresQueryOptions, PostgresResult, PostgresValue } from "./postgres-queries.ts";
import { parameters } from "./postgres-values.ts";

/** More rows than this become objects only if the query says so. */
const rowsMaxDefault = 10_000;
/** How long beyond a statement's timeout the answer of a server may take before its connection is given up. */
const answerGraceMs = 5_000;
/** How long a canceled statement may take to end. */
const cancelGraceMs = 1_000;

export interface SessionOptions {
  readonly location: string;
  readonly statementTimeoutMs: number;
  readonly Query: typeof pg.Query;
  readonly types: pg.CustomTypesConfig;
}

/** `command`: what the last statement was, as Postgres says it. */
export interface SessionResult<Row> extends PostgresResult<Row> {
  readonly command: string;
}

/** One connection while somebody holds it: one query after the other, each of which can be stopped. */
export class PostgresSession {
  readonly #client: pg.PoolClient;
  readonly #options: SessionOptions;
  #last: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(client: pg.PoolClient, options: SessionOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Runs when the queries before it have ended. */
  query<Row>(
    text: string,
    values: readonly PostgresValue[] = [],
    options: PostgresQueryOptions = {},
  ): Promise<SessionResult<Row>> {
    const ran = this.#last.then(() => this.#run<Row>(text, values, options));
    this.#last = ran.catch(() => {});
    return ran;
  }

  /** Cancels what runs; the connection is not used again. */
  stop(): void {
    this.#stopping ??= cancelQuery(this.#client).then(() => {
      this.#graceTimer = setTimeout(() => this.destroy(), cancelGraceMs);
    });
  }

  /** Ends the connection at once, and with it what runs. */
  destroy(): void {
    (this.#client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
  }

  /** Waits for what runs, and gives the connection back, or closes it if it was stopped or broke. */
  async release(isBroken: boolean): Promise<void> {
    await this.#last;
    // A cancel request that is under way must not hit the next query of this connection.
    await this.#stopping;
    clearTimeout(this.#graceTimer);
    this.#client.release(isBroken || this.#stopping !== undefined);
  }

  async #run<Row>(
    text: string,
    values: readonly PostgresValue[],
    { rowsMax = rowsMaxDefault, signal }: PostgresQueryOptions,
  ): Promise<SessionResult<Row>> {
    signal?.throwIfAborted();
    const sent = parameters(values);
    const stop = () => this.stop();
    let isOverdue = false;
    const { statementTimeoutMs } = this.#options;
    const overdue = setTimeout(() => {
      isOverdue = true;
      this.destroy();
    }, statementTimeoutMs + answerGraceMs);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await this.#rows<Row>(text, sent, rowsMax);
    } catch (error) {
      signal?.throwIfAborted();
      const cause = isOverdue ? new Error(`timeout exceeded: no answer for ${statementTimeoutMs} ms`) : error;
      throw postgresFailure(cause, this.#options.location, text);
    } finally {
      clearTimeout(overdue);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Counts rows as they arrive, so that a query that gives too many does not fill the memory first. */
  #rows<Row>(text: string, values: unknown[], rowsMax: number): Promise<SessionResult<Row>> {
    return new Promise((resolve, reject) => {
      const rows: Row[] = [];
      const query = new this.#options.Query({ text, values, types: this.#options.types } as pg.QueryConfig);
      query.on("row", (row: Row) => {
        if (rows.length < rowsMax) return void rows.push(row);
        this.stop();
        // What is on its way would keep this process from everything else until the server has heard.
        this.destroy();
        const message = `the query gives more than ${rowsMax} rows\nin the query: ${text.slice(0, 2_000)}`;
        reject(new ConnectionError("postgres.rows_too_many", message));
      });
      query.on("error", reject);
      query.on("end", (result: pg.QueryResult | pg.QueryResult[]) => {
        const last = Array.isArray(result) ? result.at(-1) : result;
        resolve({ rows, rowCount: last?.rowCount ?? 0, command: last?.command ?? "" });
      });
      this.#client.query(query);
    });
  }
}
