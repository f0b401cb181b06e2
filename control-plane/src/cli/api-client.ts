import type { Answer, ProblemAnswer, RouteName, Routes } from "../http/contract.ts";
import { CliError } from "./cli-error.ts";
import { type ServerSentEvent, serverSentEvents } from "./server-sent-events.ts";

type Query = Readonly<Record<string, string | number | undefined>>;

/** The control plane, as a command sees it. */
export interface ApiClient {
  readonly url: string;
  get<N extends RouteName>(name: N, path: string, query?: Query): Promise<Answer<Routes[N]>>;
  /** All pages of a list, up to `itemsMax`. */
  list<N extends RouteName>(name: N, path: string, query?: Query, itemsMax?: number): Promise<ItemOf<N>[]>;
  send<N extends RouteName>(
    name: N,
    method: "POST" | "DELETE",
    path: string,
    options?: { readonly body?: unknown; readonly query?: Query; readonly idempotencyKey?: string | undefined },
  ): Promise<Answer<Routes[N]>>;
  /** One connection of the event stream; ends when the server ends it. */
  events(query: Query, lastEventId: string | undefined, signal: AbortSignal): AsyncGenerator<ServerSentEvent>;
}

export type ItemOf<N extends RouteName> = Answer<Routes[N]> extends { items: readonly (infer T)[] } ? T : never;

const pageMax = 1_000;

export function apiClient(env: Readonly<Record<string, string | undefined>>): ApiClient {
  const url = (env["HEADGATE_URL"] ?? "http://127.0.0.1:3000").replace(/\/+$/, "");
  const token = env["HEADGATE_TOKEN"];
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function ask(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, { ...init, headers: { ...authorization, ...init.headers } });
    } catch (error) {
      throw unreachable(url, error);
    }
    if (response.ok) return response;
    throw await refusal(url, response);
  }

  const client: ApiClient = {
    url,
    async get(_name, path, query = {}) {
      const response = await ask(`${apiPath(path)}${queryText(query)}`, {});
      return (await response.json()) as never;
    },
    async list(_name, path, query = {}, itemsMax = Infinity) {
      const items: unknown[] = [];
      let after: string | undefined;
      do {
        const limit = Math.min(pageMax, itemsMax - items.length);
        const response = await ask(`${apiPath(path)}${queryText({ ...query, limit, after })}`, {});
        const page = (await response.json()) as { items: unknown[]; next: string | null };
        items.push(...page.items);
        after = page.next ?? undefined;
      } while (after !== undefined && items.length < itemsMax);
      return items as never;
    },
    async send(_name, method, path, { body, query = {}, idempotencyKey } = {}) {
      const response = await ask(`${apiPath(path)}${queryText(query)}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return (await response.json()) as never;
    },
    async *events(query, lastEventId, signal) {
      const response = await ask(`${apiPath("/events")}${queryText(query)}`, {
        signal,
        headers: {
          accept: "text/event-stream",
          ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
        },
      });
      if (response.body !== null) yield* serverSentEvents(response.body);
    },
  };
  return client;
}

function apiPath(path: string): string {
  return `/api/v1${path}`;
}

function queryText(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

/** One path segment. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

/** True for what may be over in a moment: the server restarts, the network hiccups. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof CliError && (error.code === "cli.unreachable" || error.code === "cli.no_headgate");
}

function unreachable(url: string, error: unknown): unknown {
  if (error instanceof Error && error.name === "AbortError") return error;
  const cause = error instanceof Error ? error.cause : undefined;
  if (error instanceof TypeError && /Invalid URL|Failed to parse URL/.test(`${error.message} ${String(cause)}`)) {
    return new CliError("cli.bad_url", `HEADGATE_URL is no URL: ${url}`, "For example http://127.0.0.1:3000.");
  }
  const code = (cause as { code?: unknown } | undefined)?.code;
  const why = typeof code === "string" ? ` (${code})` : "";
  return new CliError(
    "cli.unreachable",
    `No control plane answers at ${url}${why}.`,
    "Start one with `npx headgate dev`, or set HEADGATE_URL to where it is.",
    { cause: error },
  );
}

async function refusal(url: string, response: Response): Promise<CliError> {
  const text = await response.text().catch(() => "");
  try {
    const problem = JSON.parse(text) as Partial<ProblemAnswer>;
    if (typeof problem.code === "string" && typeof problem.detail === "string") {
      return new CliError(problem.code, problem.detail, problem.hint ?? "");
    }
  } catch {
    // Not ours: said below.
  }
  return new CliError(
    "cli.no_headgate",
    `What answers at ${url} is not a Headgate control plane (HTTP ${response.status}).`,
    "Set HEADGATE_URL to where the control plane is.",
  );
}
