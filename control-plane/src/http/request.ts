import type { ApiContext } from "./api-context.ts";
import type { Answer, Asked } from "./contract/route.ts";
import type { RouteName, Routes } from "./contract/routes.ts";
import type { Actor } from "./tokens.ts";

/** The idempotency key of a mutation, and what it was sent with. */
export interface IdempotencyKey {
  readonly key: string;
  /** SHA-256 of method, path and body, in hex. */
  readonly requestHash: string;
}

/** A validated request. */
export type ApiRequest<N extends RouteName> = Asked<Routes[N]> & {
  readonly actor: Actor;
  readonly idempotency: IdempotencyKey | undefined;
};

/** Answers one route. Refusals are thrown as `Problem`. */
export type Handler<N extends RouteName> = (context: ApiContext, request: ApiRequest<N>) => Promise<Answer<Routes[N]>>;

/** Routes with a JSON answer; the others write their own. */
export type JsonRouteName = {
  [N in RouteName]: Routes[N] extends { readonly answer: object } ? N : never;
}[RouteName];

export type Handlers = { readonly [N in JsonRouteName]: Handler<N> };
