import { ConnectionError } from "./connection-error.ts";

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
  "ENOENT", // the socket's file is not there
]);

/** SQLSTATEs that say "not now" rather than "not so": connection exceptions, shutdown, start-up, too many clients. */
const unavailableStates = /^(08...|57P0[1-5]|53300|25P0[34])$/;
/** Authentication, rights, a database that is not there. */
const deniedStates = /^(28...|42501|3D000)$/;
/** pg gives these no code of their own. */
const unavailableMessages = /^(Connection terminated|Connection ended|timeout (expired|exceeded)|Client )/;
const queryCanceled = "57014";

const queryLengthMax = 2_000;

/** What pg threw, in this package's words: `location` says where, `query` what was asked, without its values. */
export function postgresFailure(error: unknown, location: string, query?: string): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const { message = String(first), code, detail, position } = (first ?? {}) as PostgresMessage;
  const asked = query === undefined ? "" : `\nin the query: ${excerpt(query)}`;
  if (isUnavailable(code, message)) {
    return new ConnectionError("postgres.unavailable", `the Postgres at ${location} is unavailable: ${message}`, error);
  }
  if (code !== undefined && deniedStates.test(code)) {
    return new ConnectionError("postgres.denied", `the Postgres at ${location} refuses: ${message}${asked}`, error);
  }
  if (code === queryCanceled && message.includes("timeout")) {
    return new ConnectionError("postgres.timed_out", `${message}${asked}`, error);
  }
  const more = [code && `SQLSTATE ${code}`, detail, position && `at character ${position}`].filter(Boolean).join(", ");
  return new ConnectionError("postgres.query_failed", `${message}${more && ` (${more})`}${asked}`, error);
}

interface PostgresMessage {
  readonly message?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly position?: string;
}

function isUnavailable(code: string | undefined, message: string): boolean {
  if (code !== undefined) return socketCodes.has(code) || unavailableStates.test(code);
  return unavailableMessages.test(message);
}

function excerpt(query: string): string {
  return query.length > queryLengthMax ? `${query.slice(0, queryLengthMax)} ...` : query;
}
