import type { z } from "zod";

export type Method = "GET" | "POST" | "DELETE";

/** One route: all that a client, the OpenAPI document, the border's validation and the handler's type need to know. */
export interface Route {
  readonly method: Method;
  /** Below the server's root; parameters in braces. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** The status of success. */
  readonly status: 200 | 201 | 202;
  /** JSON; absent: `mediaType` of another kind. */
  readonly answer?: z.ZodType;
  readonly mediaType?: "text/event-stream" | "text/plain";
  /** True for what never changes under its path: clients keep it. */
  readonly immutable?: true;
  /** True for what probes and clients without a token may ask. */
  readonly public?: true;
}

/** Keeps the literal types of a route, so that handlers and clients are typed by it. */
export function route<const R extends Route>(definition: R): R {
  return definition;
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : Record<never, never>;

/** What the handler of a route is given, after validation. */
export interface Asked<R extends Route> {
  readonly params: Parsed<R["params"]>;
  readonly query: Parsed<R["query"]>;
  readonly body: Parsed<R["body"]>;
}

type Unparsed<S> = S extends z.ZodType ? z.input<S> : undefined;

/** What a client sends, before validation: defaults may be left out. */
export interface Sent<R extends Route> {
  readonly params: Unparsed<R["params"]>;
  readonly query: Unparsed<R["query"]>;
  readonly body: Unparsed<R["body"]>;
}

/** What it answers. */
export type Answer<R extends Route> = R extends { readonly answer: infer S extends z.ZodType } ? z.input<S> : never;

/** True if it changes something: it takes `Idempotency-Key` and leaves an audit row. */
export function changes(definition: Pick<Route, "method" | "path">): boolean {
  return definition.method !== "GET" && definition.path !== "/api/v1/plan";
}
