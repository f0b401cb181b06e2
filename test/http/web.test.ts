import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiContext } from "../../control-plane/src/http/api-context.ts";
import { createApp } from "../../control-plane/src/http/app.ts";

/** Files are served without a question to the database; whoever asks one here fails. */
const context = { tokens: undefined } as unknown as ApiContext;
const script = "console.log(1);\n".repeat(100);

describe("The files of the web UI", () => {
  const folder = mkdtempSync(join(tmpdir(), "headgate-web-"));
  let app: FastifyInstance;

  beforeAll(async () => {
    mkdirSync(join(folder, "static"));
    writeFileSync(join(folder, "index.html"), "<!doctype html><title>Headgate</title>");
    writeFileSync(join(folder, "static", "index-C2avQQVc.js"), script);
    app = await createApp(context, { webFolder: folder });
  });

  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const get = (url: string, headers: Record<string, string> = {}, from = app) =>
    from.inject({ method: "GET", url, headers: { host: "localhost", ...headers } });
  const html = { accept: "text/html,application/xhtml+xml" };

  it("are one page at every address that is none of the API's, which allows no script but its own files", async () => {
    for (const url of ["/", "/assets/flights%2Fraw_flights?tab=checks", "/runs/0199a7c4"]) {
      const page = await get(url, html);
      expect([url, page.statusCode, page.body]).toEqual([url, 200, "<!doctype html><title>Headgate</title>"]);
      expect(page.headers["cache-control"]).toBe("no-cache");
      const policy = String(page.headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toContain("unsafe");
    }
  });

  it("leave unknown paths of the API, and whoever wants no page, a problem", async () => {
    for (const [url, accept] of [
      ["/api/v1/nothing", "text/html"],
      ["/runs/0199a7c4", "application/json"],
      ["/static/index-older123.js", "*/*"],
      ["/static/../../package.json", "*/*"],
    ]) {
      const answer = await get(url ?? "", { accept: accept ?? "" });
      expect([url, answer.statusCode, answer.json().code]).toEqual([url, 404, "route.unknown"]);
    }
  });

  it("are kept by the browser for good if their name says what is in them, and are compressed if it can be", async () => {
    const plain = await get("/static/index-C2avQQVc.js");
    expect(plain.body).toBe(script);
    expect(plain.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(plain.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    const compressed = await get("/static/index-C2avQQVc.js", { "accept-encoding": "gzip, br" });
    expect(compressed.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(compressed.rawPayload).toString()).toBe(script);
    const again = await get("/", { "if-none-match": String((await get("/")).headers.etag) });
    expect([again.statusCode, again.body]).toEqual([304, ""]);
  });

  it("are missed with the command that builds them", async () => {
    const bare = await createApp(context, { webFolder: join(folder, "static") });
    const answer = await get("/", html, bare);
    expect([answer.statusCode, answer.json().code]).toEqual([503, "web.not_built"]);
    expect(answer.json().hint).toContain("node build.mjs");
    await bare.close();
  });
});
