const brand: unique symbol = Symbol.for("headgate.relation");
declare const rowType: unique symbol;

/** A column as DuckDB names it: `{ name: "delay", type: "BIGINT" }`. */
export interface Column {
  readonly name: string;
  readonly type: string;
}

/** What a relation asks of DuckDB; a Database is one. */
export interface QueryRunner {
  /** At most `rowsMax` rows, as JavaScript values. */
  rows(query: string, rowsMax: number, signal?: AbortSignal): Promise<Record<string, unknown>[]>;
  columns(query: string): Promise<readonly Column[]>;
  /** Runs the query and writes its rows to a Parquet file. */
  copyToParquet(query: string, path: string, signal: AbortSignal | undefined): Promise<void>;
}

/**
 * A table that is not there yet: a query that DuckDB runs when something asks. Its rows stay in DuckDB; put it into
 * sql`...` to build on it. `Row` is the type of a row, for the compiler.
 */
export interface Relation<out Row = unknown> {
  readonly [brand]: true;
  readonly [rowType]?: Row;
  /** A subquery in parentheses, valid in any query of the same worker. Prefer the relation itself in sql`...`. */
  readonly sql: string;
  /** Names and DuckDB's types, without running the query. */
  columns(): Promise<readonly Column[]>;
  count(): Promise<number>;
  /**
   * At most `rowsMax` rows (up to 10,000) as objects: integers and decimals as numbers, timestamps and dates as Date.
   * Throws ConnectionError `relation.rows_too_many` when more are asked for, `relation.integer_unsafe` for an integer
   * that a number cannot hold.
   */
  rows(rowsMax: number): Promise<Row[]>;
  /** Writes the rows to a new Parquet file, compressed with zstd. An abort interrupts the query. */
  writeParquet(path: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/** True for a relation of this package: a table that stays in DuckDB. */
export function isRelation(value: unknown): value is Relation {
  return typeof value === "object" && value !== null && brand in value;
}

/** A relation of a query's text. `holds`: what must not be let go while the relation is in use. */
export function relationOf<Row>(query: string, runner: QueryRunner, holds: unknown): Relation<Row> {
  return Object.freeze(new QueryRelation<Row>(query, runner, holds));
}

class QueryRelation<Row> implements Relation<Row> {
  readonly [brand] = true;
  readonly sql: string;
  readonly #runner: QueryRunner;
  /** Files that the query reads stay in place while something references what stands for them. */
  readonly #holds: unknown;

  constructor(query: string, runner: QueryRunner, holds: unknown) {
    // On lines of its own, so that a comment at the end of the query does not swallow the parenthesis.
    this.sql = `(\n${query.trim().replace(/;$/, "")}\n)`;
    this.#runner = runner;
    this.#holds = holds;
  }

  columns(): Promise<readonly Column[]> {
    return this.#held(this.#runner.columns(`from ${this.sql}`));
  }

  async count(): Promise<number> {
    const [row] = await this.#held(this.#runner.rows(`select count(*) as rows from ${this.sql}`, 1));
    return Number(row?.["rows"]);
  }

  async rows(rowsMax: number): Promise<Row[]> {
    return (await this.#held(this.#runner.rows(`from ${this.sql} limit ${Math.ceil(rowsMax)}`, rowsMax))) as Row[];
  }

  writeParquet(path: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#held(this.#runner.copyToParquet(`from ${this.sql}`, path, options.signal));
  }

  /** Mentions what is held once more when the query has ended, so that it is not collected while DuckDB reads it. */
  async #held<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } finally {
      void this.#holds;
    }
  }
}
