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

export interface PostgresQueryOptions {
  /** More rows than this throw `postgres.rows_too_many`; default 10,000. */
  readonly rowsMax?: number | undefined;
  /** Its abort cancels the statement on the server. */
  readonly signal?: AbortSignal | undefined;
}

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
