import type { Answer, Routes, Sent } from "../../../control-plane/src/http/contract.ts";
import type { EndpointName } from "./endpoints.ts";

type Part<K extends string, V> = undefined extends V ? { readonly [P in K]?: V } : { readonly [P in K]: V };

/** What a route is asked with. */
export type Request<N extends EndpointName> = Part<"params", Sent<Routes[N]>["params"]> & {
  readonly query?: Sent<Routes[N]>["query"];
  readonly body?: Sent<Routes[N]>["body"];
};

/** What it answers. */
export type Answered<N extends EndpointName> = Answer<Routes[N]>;

/** One item of a list that a route answers. */
export type ItemOf<N extends EndpointName> = Answered<N> extends { items: readonly (infer T)[] } ? T : never;
