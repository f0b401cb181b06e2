import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";

const compress = promisify(gzip);

/** Sends what never changes under its path: clients keep it for good, and large answers travel compressed. */
export async function sendImmutable(request: FastifyRequest, reply: FastifyReply, answer: unknown): Promise<unknown> {
  const text = JSON.stringify(answer);
  const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 27)}"`;
  void reply
    .header("cache-control", "private, max-age=31536000, immutable")
    .header("etag", etag)
    .header("vary", "accept-encoding, authorization");
  if (request.headers["if-none-match"] === etag) return reply.code(304).send();
  void reply.type("application/json; charset=utf-8");
  if (!/\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) return reply.send(text);
  return reply.header("content-encoding", "gzip").send(await compress(text));
}
