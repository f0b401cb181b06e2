import { setTimeout as delay } from "node:timers/promises";
import { resource, type Resource, type Setting } from "@headgate/sdk";
import { ConnectionError } from "./connection-error.ts";
import { HttpStatusError } from "./http-status-error.ts";
import { parseBaseUrl, shownUrl, urlBelow } from "./http-url.ts";
import { retryAfterMs } from "./retry-after.ts";

/** Which service is asked, with what, and within which bounds. */
export interface HttpOptions {
  /** `https://api.example.com/v2`; every path is below it. User and password in it become basic authentication. */
  readonly baseUrl: Setting;
  /** Sent with each request, such as `{ authorization: secret("API_AUTHORIZATION") }`; none is shown anywhere. */
  readonly headers?: Readonly<Record<string, Setting>>;
  /** Of one try; default 30,000. */
  readonly timeoutMs?: number;
  /** Tries after the first, of requests that may be sent twice; default 3. */
  readonly retriesMax?: number;
  /** Larger answers are refused; default 16 MiB. */
  readonly sizeBytesMax?: number;
}

/** One request below the base URL; by default a GET. */
export interface HttpRequest {
  readonly method?: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text and bytes as they are; anything else as JSON. */
  readonly body?: unknown;
  /** It may be sent twice; default: GET, HEAD, PUT, DELETE and OPTIONS. */
  readonly idempotent?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  readonly sizeBytesMax?: number;
}

/** An answer that is a success, read to its end. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  text(): string;
  /** @throws ConnectionError `http.not_json` */
  json<T = unknown>(): T;
}

/** Requests to one service, as `http` makes them: bounded, tried again where that does no harm. */
export interface Http {
  /**
   * Sends a request to a path below the base URL. Tries again where that does no harm: when nothing answers, and for
   * 408, 429, 502, 503 and 504, after what `Retry-After` says (a minute at most) or a delay that doubles.
   *
   * @throws HttpStatusError (`http.status`), ConnectionError `http.unavailable`, `.timed_out`, `.too_large`,
   * `.redirected`, `.url_invalid`; the signal's reason when it is aborted
   */
  request(path: string, request?: HttpRequest): Promise<HttpAnswer>;
}

/** An HTTP resource: `http({ baseUrl: env("API_URL"), headers: { "x-api-key": secret("API_KEY") } })`. */
export function http({ baseUrl, headers = {}, ...options }: HttpOptions): Resource<Http> {
  return resource({
    create: (context) => {
      const base = parseBaseUrl(context.read(baseUrl));
      const sent = Object.entries(headers).map(([name, value]) => [name, context.read(value)] as const);
      const authorization = base.authorization === undefined ? [] : [["authorization", base.authorization] as const];
      // A value that is spelt out in the code is not secret by itself; what authenticates is, wherever it comes from.
      const secrets = sent.flatMap(([name, value]) => (authenticates.test(name) ? [value, credentialsOf(value)] : []));
      for (const secret of [...base.secrets, ...secrets]) context.redact(secret);
      return new FetchHttp(
        base.url,
        new Headers(Object.fromEntries([...authorization, ...sent])),
        [...base.secrets, ...secrets],
        options,
      );
    },
  });
}

const authenticates = /authorization|cookie|token|key|secret/i;

/** Without the scheme: servers quote `abc` of `Bearer abc`. */
function credentialsOf(value: string): string {
  return value.replace(/^\w+ /, "");
}

const idempotentMethods = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);
const retriedStatuses = new Set([408, 429, 502, 503, 504]);
const redirectStatuses = new Set([301, 302, 303, 307, 308]);
const redirectsMax = 5;
const delayMsMin = 200;
const delayMsMax = 60_000;
const excerptLengthMax = 500;

class FetchHttp implements Http {
  readonly #base: URL;
  readonly #headers: Headers;
  readonly #secrets: readonly string[];
  readonly #options: Omit<HttpOptions, "baseUrl" | "headers">;

  constructor(
    base: URL,
    headers: Headers,
    secrets: readonly string[],
    options: Omit<HttpOptions, "baseUrl" | "headers">,
  ) {
    this.#base = base;
    this.#headers = headers;
    this.#secrets = secrets.filter((secret) => secret.length >= 4);
    this.#options = options;
  }

  async request(path: string, request: HttpRequest = {}): Promise<HttpAnswer> {
    const method = (request.method ?? "GET").toUpperCase();
    const url = urlBelow(this.#base, path, request.query ?? {});
    const mayRepeat = request.idempotent ?? idempotentMethods.has(method);
    const triesMax = mayRepeat ? 1 + (this.#options.retriesMax ?? 3) : 1;
    for (let tries = 1; ; tries++) {
      try {
        return await this.#try(method, url, request);
      } catch (error) {
        request.signal?.throwIfAborted();
        const waitMs = tries < triesMax ? waitBeforeRetry(error, tries) : undefined;
        if (waitMs === undefined) throw error;
        await delay(waitMs, undefined, { signal: request.signal }).catch(() => request.signal?.throwIfAborted());
      }
    }
  }

  async #try(method: string, first: URL, request: HttpRequest): Promise<HttpAnswer> {
    const timeoutMs = request.timeoutMs ?? this.#options.timeoutMs ?? 30_000;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout]);
    let url = first;
    try {
      for (let redirects = 0; ; redirects++) {
        const response = await fetch(url, { method, signal, redirect: "manual", ...this.#content(request) });
        if (!redirectStatuses.has(response.status)) return await this.#answer(method, url, response, request);
        await response.body?.cancel();
        url = this.#redirected(method, url, response, redirects);
      }
    } catch (error) {
      if (error instanceof ConnectionError) throw error;
      request.signal?.throwIfAborted();
      const what = `${method} ${shownUrl(url)}`;
      if (timeout.aborted) throw new ConnectionError("http.timed_out", `${what} took longer than ${timeoutMs} ms`);
      const cause = (error as Error).cause ?? error;
      throw new ConnectionError(
        "http.unavailable",
        `${what} has no answer: ${this.#redacted(messageOf(cause))}`,
        cause,
      );
    }
  }

  #content({ headers = {}, body }: HttpRequest): Pick<RequestInit, "headers" | "body"> {
    const all = new Headers(this.#headers);
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    if (body === undefined) return { headers: all };
    if (typeof body === "string" || body instanceof Uint8Array)
      return { headers: all, body: body as string | Uint8Array<ArrayBuffer> };
    if (!all.has("content-type")) all.set("content-type", "application/json");
    return { headers: all, body: JSON.stringify(body) };
  }

  /** Headers authenticate, so they follow to the same origin alone; and what has a body is not sent to a second place. */
  #redirected(method: string, from: URL, response: Response, redirects: number): URL {
    const to = response.headers.get("location");
    const url = to === null ? undefined : new URL(to, from);
    const isSafe = url?.origin === this.#base.origin && ["GET", "HEAD"].includes(method) && redirects < redirectsMax;
    if (url !== undefined && isSafe) return url;
    const where = url === undefined ? "nowhere" : shownUrl(url);
    throw new ConnectionError("http.redirected", `${method} ${shownUrl(from)} is redirected to ${where}`);
  }

  async #answer(method: string, url: URL, response: Response, request: HttpRequest): Promise<HttpAnswer> {
    const { status, headers } = response;
    const what = `${method} ${shownUrl(url)}`;
    const sizeBytesMax = request.sizeBytesMax ?? this.#options.sizeBytesMax ?? 16 * 2 ** 20;
    if (!response.ok) {
      const { bytes } = await readAtMost(response, 4 * excerptLengthMax);
      const said = this.#redacted(new TextDecoder().decode(bytes)).trim().slice(0, excerptLengthMax);
      const message = `${what} is answered with ${status}${said === "" ? "" : `: ${said}`}`;
      throw new HttpStatusError(message, status, retryAfterMs(headers.get("retry-after"), Date.now()));
    }
    const { bytes, isWhole } = await readAtMost(response, sizeBytesMax);
    if (!isWhole) throw new ConnectionError("http.too_large", `${what} gives more than ${sizeBytesMax} bytes`);
    const text = () => new TextDecoder().decode(bytes);
    const json = <T>() => {
      try {
        return JSON.parse(text()) as T;
      } catch (error) {
        throw new ConnectionError("http.not_json", `${what} is answered with no JSON: ${messageOf(error)}`);
      }
    };
    return { status, headers, bytes, text, json };
  }

  #redacted(text: string): string {
    return this.#secrets.reduce((shown, secret) => shown.replaceAll(secret, "[redacted]"), text);
  }
}

/** Undefined: it would be no better, or might do harm. */
function waitBeforeRetry(error: unknown, tries: number): number | undefined {
  const backoffMs = Math.min(delayMsMin * 2 ** (tries - 1), delayMsMax) * (1 - Math.random() / 2);
  if (error instanceof HttpStatusError) {
    if (!retriedStatuses.has(error.status)) return undefined;
    const askedMs = error.retryAfterMs ?? backoffMs;
    return askedMs <= delayMsMax ? askedMs : undefined;
  }
  const { code } = error as Partial<ConnectionError>;
  return code === "http.unavailable" || code === "http.timed_out" ? backoffMs : undefined;
}

async function readAtMost(
  response: Response,
  sizeBytesMax: number,
): Promise<{ readonly bytes: Uint8Array; readonly isWhole: boolean }> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    // Leaving the loop cancels what is on its way.
    if (sizeBytes > sizeBytesMax) return { bytes: Buffer.concat(chunks).subarray(0, sizeBytesMax), isWhole: false };
  }
  return { bytes: Buffer.concat(chunks), isWhole: true };
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
