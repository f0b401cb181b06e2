/**
 * What a parameter may be. A date is written in UTC, also to a column without a zone; a list becomes an array, any other
 * object JSON (a list that is to be JSON: `JSON.stringify` it); undefined is null.
 */
export type PostgresValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | Uint8Array
  | readonly PostgresValue[]
  | { readonly [name: string]: unknown };

/** Bounds of one query. */
export interface PostgresQueryOptions {
  /** More rows than this throw `postgres.rows_too_many`; default 10,000. */
  readonly rowsMax?: number | undefined;
  /** Its abort cancels the statement on the server. */
  readonly signal?: AbortSignal | undefined;
}

/** What one query gave. */
export interface PostgresResult<Row> {
  readonly rows: Row[];
  /** Rows that the last statement gave or changed. */
  readonly rowCount: number;
}

/** What takes queries: the connections, or one transaction. */
export interface PostgresQueries {
  /**
   * Runs one statement with parameters, `$1` and on: `query("select * from orders where day = $1", [day], { signal })`.
   * Integers of rows are numbers, `date` and `numeric` text, `timestamp` is read and written as UTC.
   *
   * @throws ConnectionError `postgres.unavailable`, `.denied`, `.timed_out`, `.query_failed`, `.rows_too_many`,
   * `.integer_unsafe`, `.value_invalid`; the signal's reason when it is aborted
   */
  query<Row = Record<string, unknown>>(
    text: string,
    values?: readonly PostgresValue[],
    options?: PostgresQueryOptions,
  ): Promise<PostgresResult<Row>>;
}

/** A Postgres in a worker process. */
export interface Postgres extends PostgresQueries {
  /** Host, port and database: for messages. */
  readonly location: string;
  /**
   * Runs `work` in one transaction on one connection: committed when it returns, rolled back when it throws, which is
   * thrown on. Its queries run one after the other and end with the signal of the transaction.
   *
   * @throws what `query` throws; `postgres.unavailable` says so when nobody knows whether the commit happened
   */
  transaction<T>(
    work: (transaction: PostgresQueries) => Promise<T>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<T>;
  /** Ends what runs and every connection. */
  close(): Promise<void>;
}
