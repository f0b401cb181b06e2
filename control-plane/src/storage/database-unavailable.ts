import { StorageError } from "./storage-error.ts";

/** The database could not be reached, or the connection broke. Code `database.unavailable`. */
export class DatabaseUnavailableError extends StorageError {
  override readonly name = "DatabaseUnavailableError";
  /**
   * True if the connection broke while a commit was under way, so that nobody knows whether it happened. Whoever runs
   * the transaction again must be able to find its own earlier effect.
   */
  readonly commitUnknown: boolean;

  constructor(message: string, options: { readonly cause: unknown; readonly commitUnknown?: boolean }) {
    super("database.unavailable", message, options);
    this.commitUnknown = options.commitUnknown ?? false;
  }
}

/** Codes of Node's sockets and name look-ups. */
const socketCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT", // the unix socket's file is not there
]);

/** SQLSTATEs that say "not now" rather than "not so": connection exceptions, shutdown, start-up, too many clients. */
const unavailableStates = /^(08...|57P0[1-5]|53300|25P0[34])$/;

/** pg gives these no code of their own. */
const messages =
  /^(Connection terminated|Connection ended|Query read timeout|timeout (expired|exceeded when trying to connect)|Client has encountered a connection error|Client was closed)/;

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  const code: unknown = (error as { code?: unknown }).code;
  if (typeof code === "string") return socketCodes.has(code) || unavailableStates.test(code);
  return messages.test(error.message);
}

/** The error itself, or a `DatabaseUnavailableError` with it as cause if it means that the database was not there. */
export function mapDatabaseError(error: unknown): unknown {
  if (error instanceof StorageError || !isUnavailable(error)) return error;
  const said = error instanceof AggregateError ? String(error.errors[0]) : (error as Error).message;
  return new DatabaseUnavailableError(`the database is unavailable: ${said}`, { cause: error });
}
