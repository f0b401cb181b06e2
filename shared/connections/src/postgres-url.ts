import { ConnectionError } from "./connection-error.ts";

/** What a URL of a Postgres says that others may know, and what nobody may. */
export interface PostgresUrl {
  /** Host, port and database: for messages. */
  readonly location: string;
  /** The password as it is and as it is written in the URL; empty where there is none. */
  readonly secrets: readonly string[];
}

/**
 * Reads `postgresql://user:password@host:port/database?sslmode=...`, or the form for a socket, with `host` in the query.
 *
 * @throws ConnectionError `postgres.url_invalid`, which quotes nothing of the URL
 */
export function parsePostgresUrl(url: string): PostgresUrl {
  // A URL with a user and no host is one for a socket, which the URL of browsers does not know.
  const parsed = tryParse(url) ?? tryParse(url.replace("@/", "@socket/"));
  if (parsed === undefined || !["postgres:", "postgresql:"].includes(parsed.protocol)) {
    const what = parsed === undefined ? "it cannot be read as a URL" : `it begins with ${parsed.protocol}//`;
    throw new ConnectionError("postgres.url_invalid", `the URL of a Postgres is not valid: ${what}`);
  }
  const host = parsed.searchParams.get("host") ?? (parsed.host || "localhost");
  const written = [parsed.password, ...rawParameters(parsed, "password")];
  const secrets = new Set([...written, ...written.map(decoded), ...parsed.searchParams.getAll("password")]);
  return { location: `${host}${parsed.pathname}`, secrets: [...secrets].filter((secret) => secret !== "") };
}

function tryParse(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}

function rawParameters(url: URL, name: string): string[] {
  const pairs = url.search.slice(1).split("&");
  return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
