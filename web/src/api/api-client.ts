import type { ProblemAnswer } from "../../../control-plane/src/http/contract.ts";
import { readToken } from "../settings/token.ts";
import type { Answered, Request } from "./answers.ts";
import { ApiProblem } from "./api-problem.ts";
import { type EndpointName, endpoints } from "./endpoints.ts";

interface Asked {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** The same key for the same request: a double click, or an answer that was lost, does it once. */
  readonly idempotencyKey?: string;
}

/**
 * Asks one route of the control plane.
 *
 * @throws ApiProblem with what the server said, or `network.unreachable`
 */
export async function ask<N extends EndpointName>(
  name: N,
  request: Request<N>,
  { signal, idempotencyKey }: AskOptions = {},
): Promise<Answered<N>> {
  const { params = {}, query = {}, body } = request as Asked;
  const [method = "GET", template = ""] = endpoints[name].split(" ");
  const path = template.replaceAll(/\{(\w+)\}/g, (_, field: string) => encodeURIComponent(params[field] ?? ""));
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([field, value]) => (value === undefined ? [] : [[field, String(value)]])),
  );
  const response = await fetch(search.size === 0 ? path : `${path}?${search}`, {
    method,
    headers: {
      ...authorization(),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new ApiProblem({
      status: 0,
      code: "network.unreachable",
      detail: "The control plane does not answer.",
      hint: "It is asked again by itself; see the terminal where it runs.",
    });
  });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as Answered<N>;
}

export function authorization(): Record<string, string> {
  const token = readToken();
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const answer = (await response.json().catch(() => undefined)) as Partial<ProblemAnswer> | undefined;
  return new ApiProblem({
    status: response.status,
    code: answer?.code ?? "network.no_problem",
    detail: answer?.detail ?? `The server answered ${response.status}.`,
    hint: answer?.hint ?? "Whatever lies between this page and the control plane may have answered instead of it.",
    ...(answer?.errors === undefined ? {} : { errors: answer.errors }),
  });
}
