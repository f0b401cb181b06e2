import { QueryClient, infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { Answered, Request } from "./answers.ts";
import { ask } from "./api-client.ts";
import { ApiProblem } from "./api-problem.ts";
import type { EndpointName } from "./endpoints.ts";

/** A key of the cache: the route, then what it was asked. The event stream finds by it what an event made old. */
export type ApiKey = readonly [EndpointName, object];

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What is shown stays true by the event stream; this is for what the stream cannot say.
        staleTime: 30_000,
        refetchOnWindowFocus: false,
        retry: (failures, error) => failures < 2 && error instanceof ApiProblem && error.isPassing,
        retryDelay: 500,
      },
    },
  });
}

/** One question to the API, for `useQuery` and for loaders. */
export function query<N extends EndpointName>(name: N, request: Request<N>) {
  return queryOptions<Answered<N>>({
    queryKey: [name, request] satisfies ApiKey,
    queryFn: ({ signal }) => ask(name, request, { signal }),
  });
}

interface Page {
  readonly items: readonly unknown[];
  readonly next: string | null;
}

type PagedName = { [N in EndpointName]: Answered<N> extends Page ? N : never }[EndpointName];

/** A list of the API, page by page. */
export function pagedQuery<N extends PagedName>(name: N, request: Request<N>, limit = 100) {
  return infiniteQueryOptions({
    queryKey: [name, { ...request, paged: true }] satisfies ApiKey,
    queryFn: ({ pageParam, signal }) => {
      const { query: asked } = request as { readonly query?: object };
      const page = { ...asked, limit, ...(pageParam === "" ? {} : { after: pageParam }) };
      return ask(name, { ...request, query: page } as Request<N>, { signal });
    },
    initialPageParam: "",
    getNextPageParam: (page: Answered<N>) => (page as Page).next ?? undefined,
  });
}
