/** Every code that this package throws, with how to mend it. The codes are stable; the sentences may get better. */
const hints = {
  "object_store.url_invalid":
    "Write file:///absolute/folder, or s3://bucket/prefix?endpoint=https://host&region=name&forcePathStyle=true. " +
    "Credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), never from the URL.",
  "object_store.place_invalid": "A place is relative to its store and has no empty, '.' or '..' segment.",
  "object_store.scheme_mismatch":
    "Give the reader an object store of the value's scheme: values are read with the reader's own store.",
  "object_store.unavailable": "Check that the store answers from this machine; the step can be tried again.",
  "object_store.denied":
    "Check the credentials in this location's environment and what they may do with the folder or bucket.",
  "object_store.not_found":
    "The value was removed, or this location's object store is another one than its writer's: compare HEADGATE_OBJECT_STORE.",
  "object_store.conflict":
    "An object is written once. Another attempt wrote other content to this place: its version id must be its own.",
  "object_store.digest_mismatch":
    "What is stored is not what was written: the object is damaged or was overwritten. Materialize its partition again.",
  "object_store.too_large": "Store it as a relation or in parts, or raise the IO manager's sizeBytesMax.",
  "sql.value_invalid":
    "Put text, finite numbers, bigints, booleans, null, dates, relations, sql`...` and sql.identifier(...) into sql`...`.",
  "duckdb.query_failed": "Read the message of DuckDB; the query is quoted with it.",
  "postgres.url_invalid":
    "Write postgresql://user:password@host:5432/database, with %40 and the like for what a URL cannot hold, and keep it in secret(...).",
  "postgres.unavailable": "Check that the database answers from this machine; the step can be tried again.",
  "postgres.denied": "Check user, password and database of the connection's URL, and what that user may do there.",
  "postgres.timed_out": "Make the statement faster or smaller, or raise the connection's statementTimeoutMs.",
  "postgres.query_failed": "Read the message of Postgres; the query is quoted with it, without its values.",
  "postgres.rows_too_many": "Aggregate in SQL, read page by page, or raise rowsMax of the query.",
  "postgres.integer_unsafe": "Cast the column in SQL: to text to keep every digit, or to float8.",
  "postgres.value_invalid":
    "Give parameters that are text, finite or not finite numbers, bigints, booleans, null, valid dates, bytes, lists or JSON.",
  "postgres.transaction_ended": "Await every query of a transaction within its function.",
  "http.url_invalid": "Write https://host/path as the base URL, and paths below it.",
  "http.unavailable": "Check that the server answers from this machine; the step can be tried again.",
  "http.timed_out": "Ask for less at once, or raise timeoutMs.",
  "http.status": "Read what the server says; check the path, the credentials and what they may do.",
  "http.too_large": "Ask for less at once, or raise sizeBytesMax.",
  "http.redirected": "Give the connection the URL that the server names, if it is to be trusted with the credentials.",
  "http.not_json": "Read it with text() or bytes.",
  "table.columns_unknown": 'Declare them: postgresTables({ postgres, columns: { id: "bigint", name: "text" } }).',
  "table.column_invalid": "Give the column another name.",
  "table.value_invalid":
    "Return whole numbers, numbers, texts, true or false, Dates, JSON or null, of one type a column.",
  "table.rows_too_many": "Store it as a relation, in more partitions, or raise rowsMax of the IO manager.",
  "table.place_invalid": "The value was not written by postgresTables: give its reader the IO manager of its writer.",
  "table.not_found": "The table of the version was removed. Materialize its partition again.",
  "table.elsewhere": "Give the reader a connection to the database of the writer.",
  "table.digest_mismatch": "Somebody changed the table of a version. Materialize its partition again.",
  "table.view_taken": "Rename or remove what is there, or give postgresTables another schema.",
  "table.columns_differ": "Declare columns, then materialize the partitions that have another type.",
  "relation.rows_too_many": "Aggregate in SQL first; ask rows() for no more than it says.",
  "relation.integer_unsafe": "Cast the column in SQL: to VARCHAR to keep every digit, or to DOUBLE.",
  "value.not_relation": "Return duckdb.relation(sql`...`) from compute, or give the asset another IO manager.",
  "value.not_bytes": "Return a Uint8Array or Buffer from compute, or give the asset another IO manager.",
  "value.not_rows": "Return a list of plain objects from compute, or give the asset another IO manager.",
  "value.not_json": "Return plain objects, arrays, strings, finite numbers, booleans and null; write dates as text.",
  "value.not_text": "Return a string from compute, or give the asset another IO manager.",
  "value.not_readable": "Give the reader an IO manager for this media type, for example values({ store, duckdb }).",
} as const;

/** The stable codes of failures of connections: match on them, never on text. */
export type ConnectionErrorCode = keyof typeof hints;

/** An operational failure of a connection: a stable code, what happened and where, and how to mend it. */
export class ConnectionError extends Error {
  readonly code: ConnectionErrorCode;
  readonly hint: string;

  constructor(code: ConnectionErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ConnectionError";
    this.code = code;
    this.hint = hints[code];
  }
}
