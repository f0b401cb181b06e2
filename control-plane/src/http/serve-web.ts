import { gzipSync } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type WebFile, readWebFiles } from "./read-web-files.ts";
import { Problem } from "./problem.ts";

export type PageAnswer = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined;

/**
 * Serves the web UI: its files, and its one page at every address that is none of the API's, since the page itself
 * knows what is where. Returns what answers such an address; undefined where a page is not what is asked for.
 */
export function serveWeb(app: FastifyInstance, folder: string | undefined): PageAnswer {
  const files = readWebFiles(folder);
  const compressed = new Map<WebFile, Buffer>();

  const send = (request: FastifyRequest, reply: FastifyReply, file: WebFile): FastifyReply => {
    void reply
      .header("cache-control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache")
      .header("etag", file.etag)
      .header("vary", "accept-encoding");
    if (request.headers["if-none-match"] === file.etag) return reply.code(304).send();
    void reply.type(file.mediaType);
    // Fonts are compressed already.
    if (file.mediaType.startsWith("font/") || !/\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""))) {
      return reply.send(file.body);
    }
    const body = compressed.get(file) ?? gzipSync(file.body);
    compressed.set(file, body);
    return reply.header("content-encoding", "gzip").send(body);
  };

  const page = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const index = files.get("/index.html");
    if (index !== undefined) return send(request, reply, index);
    throw new Problem(
      "web.not_built",
      "The web UI is not built.",
      "`node build.mjs` builds it; the API is at /api/v1.",
    );
  };

  app.get("/", page);
  app.get("/static/*", (request, reply) => {
    const file = files.get(request.url.split("?", 1)[0] ?? "");
    return file === undefined ? reply.callNotFound() : send(request, reply, file);
  });
  return (request, reply) => {
    const asksForPage = request.method === "GET" && String(request.headers.accept ?? "").includes("text/html");
    return asksForPage && !request.url.startsWith("/api/") ? page(request, reply) : undefined;
  };
}
