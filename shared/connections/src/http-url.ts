import { ConnectionError } from "./connection-error.ts";

export interface HttpBase {
  /** Without user and password, and with a slash at its end. */
  readonly url: URL;
  /** The header that user and password of the URL become. */
  readonly authorization: string | undefined;
  readonly secrets: readonly string[];
}

/** @throws ConnectionError `http.url_invalid`, which quotes nothing of the URL */
export function parseBaseUrl(text: string): HttpBase {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new ConnectionError("http.url_invalid", "the base URL cannot be read as a URL");
  }
  if (!["http:", "https:"].includes(url.protocol)) {
    throw new ConnectionError("http.url_invalid", `the base URL begins with ${url.protocol}`);
  }
  const [user, password] = [url.username, url.password].map(decodeURIComponent) as [string, string];
  const secrets = [password, url.password].filter((secret) => secret !== "");
  const hasUser = user !== "" || password !== "";
  const authorization = hasUser ? `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` : undefined;
  const base = new URL(url.origin);
  base.pathname = url.pathname.endsWith("/") ? url.pathname : `${url.pathname}/`;
  return { url: base, authorization, secrets };
}

/**
 * A path below the base, with its query.
 *
 * @throws ConnectionError `http.url_invalid` for what leads elsewhere: what is sent there bears secrets
 */
export function urlBelow(base: URL, path: string, query: Readonly<Record<string, string | number | boolean>>): URL {
  let url: URL | undefined;
  try {
    url = new URL(path.replace(/^\/(?!\/)/, ""), base);
  } catch {
    url = undefined;
  }
  if (url === undefined || url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) {
    throw new ConnectionError("http.url_invalid", `a path does not stay below ${shownUrl(base)}`);
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, String(value));
  return url;
}

/** For messages: without the query, which may have a secret in it. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
