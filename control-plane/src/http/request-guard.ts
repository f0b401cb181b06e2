import type { IncomingHttpHeaders } from "node:http";
import type { ApiContext } from "./api-context.ts";
import { Problem } from "./problem.ts";
import { type Actor, actorOfToken } from "./tokens.ts";

const loopbackNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return loopbackNames.has(host) || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Without tokens the server trusts whoever reaches it, and so must not be reached through a browser on behalf of a
 * site: neither under a foreign name that was rebound to loopback, nor from a foreign origin.
 *
 * @throws Problem
 */
export function checkHost(headers: IncomingHttpHeaders, others: readonly string[]): void {
  const host = headers.host ?? "";
  const named = host.replace(/:\d+$/, "").toLowerCase();
  if (!isLoopback(named) && !others.includes(named)) {
    const hint = "Ask under http://127.0.0.1 or http://localhost; elsewhere the server needs HEADGATE_TOKENS.";
    throw new Problem("auth.host_refused", `The Host header ${JSON.stringify(host)} is not this server.`, hint);
  }
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`) {
    throw new Problem("auth.origin_refused", `Requests from ${origin} are refused.`, "Ask from the command line.");
  }
}

/** @throws Problem if tokens are asked for and none, or an unknown one, was sent */
export function authenticate(context: ApiContext, headers: IncomingHttpHeaders): Actor {
  if (context.tokens === undefined) return { name: context.actor };
  const [, token] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
  const hint = "Set HEADGATE_TOKEN to a token whose hash is in HEADGATE_TOKENS.";
  if (token === undefined) throw new Problem("auth.token_required", "This server wants a bearer token.", hint);
  const actor = actorOfToken(context.tokens, token);
  if (actor === undefined) throw new Problem("auth.token_unknown", "The server does not know this token.", hint);
  return actor;
}
