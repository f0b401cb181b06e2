import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { http, HttpStatusError, type Http, type HttpOptions } from "@headgate/connections";
import { env } from "@headgate/sdk";
import { OpenResources } from "./io-context.ts";
import { refusal } from "./object-store-contract.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void | Promise<void>;

let server: Server;
let origin: string;
let answer: Answer = () => undefined;
let count = 0;
const opened = new OpenResources();

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response, ++count));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => (count = 0));
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function connection(options: Partial<HttpOptions> = {}): Promise<Http> {
  return (await opened.open({ it: http({ baseUrl: `${origin}/v1`, ...options }) }))["it"] as Http;
}

describe("A request", () => {
  it("goes below the base URL with query, headers and JSON, and is read as what it is", async () => {
    answer = async (request, response) => {
      const { method, url, headers } = request;
      response.setHeader("x-seen", "yes");
      response.end(
        JSON.stringify({
          method,
          url,
          key: headers["x-api-key"],
          type: headers["content-type"],
          body: await text(request),
        }),
      );
    };
    const api = await connection({ headers: { "x-api-key": "k-123456" } });
    const body = { n: 1 };
    const seen = await api.request("/orders/7", { method: "post", query: { day: "2001-02-27", all: true }, body });
    expect(seen.json()).toEqual({
      method: "POST",
      url: "/v1/orders/7?day=2001-02-27&all=true",
      key: "k-123456",
      type: "application/json",
      body: '{"n":1}',
    });
    expect([seen.status, seen.headers.get("x-seen")]).toEqual([200, "yes"]);
    answer = (_, response) => void response.end("no json");
    const plain = await api.request("x");
    expect([plain.text(), Buffer.from(plain.bytes).toString()]).toEqual(["no json", "no json"]);
    expect(() => plain.json()).toThrow(refusal("http.not_json"));
  });

  it.each(["https://elsewhere.example", "//elsewhere.example/x", "../admin", "/../admin"])(
    "does not leave the base URL for %s",
    async (path) => {
      await expect((await connection()).request(path)).rejects.toEqual(refusal("http.url_invalid"));
      expect(count).toBe(0);
    },
  );

  it("is sent again while the server is busy, after what it asks for, if that does no harm", async () => {
    const at: number[] = [];
    answer = (_, response, n) => {
      at.push(performance.now());
      response.writeHead(n < 3 ? 503 : 200, n === 1 ? { "retry-after": "1" } : {}).end();
    };
    const api = await connection();
    expect((await api.request("x")).status).toBe(200);
    expect(count).toBe(3);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(900);
    count = 0;
    const posted: unknown = await api.request("x", { method: "POST", body: {} }).catch((error: unknown) => error);
    expect(posted).toEqual(refusal("http.status"));
    expect(posted).toMatchObject({ status: 503, retryAfterMs: 1_000 });
    expect(count).toBe(1);
    answer = (_, response) => void response.writeHead(429, { "retry-after": "86400" }).end();
    count = 0;
    await expect(api.request("x")).rejects.toMatchObject({ status: 429, retryAfterMs: 86_400_000 });
    expect(count).toBe(1);
  });

  it("ends with its timeout and with the signal of the step", async () => {
    answer = () => undefined;
    const api = await connection({ timeoutMs: 50, retriesMax: 1 });
    await expect(api.request("x")).rejects.toEqual(refusal("http.timed_out"));
    expect(count).toBe(2);
    const abort = new AbortController();
    const reason = new Error("the step was canceled");
    answer = () => abort.abort(reason);
    await expect(api.request("x", { signal: abort.signal, timeoutMs: 60_000 })).rejects.toBe(reason);
  });

  it("reads no more than was allowed", async () => {
    answer = (_, response) => {
      const chunk = "x".repeat(100_000);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
        response.once("drain", more);
      };
      more();
    };
    const api = await connection({ sizeBytesMax: 1_000 });
    await expect(api.request("x")).rejects.toEqual(refusal("http.too_large"));
  });

  it("follows redirects within its origin, and takes its credentials nowhere else", async () => {
    answer = (request, response) =>
      void (request.url === "/v1/old"
        ? response.writeHead(302, { location: "/v1/new" }).end()
        : response.end(request.url));
    const api = await connection();
    expect((await api.request("old")).text()).toBe("/v1/new");
    answer = (_, response) => void response.writeHead(302, { location: "https://elsewhere.example/?q=secret" }).end();
    await expect(api.request("old")).rejects.toThrow("is redirected to https://elsewhere.example/");
  });
});

describe("An error", () => {
  it("has the status and the beginning of what the server says, and no secret", async () => {
    const secrets = ["pass word", "token-in-header"];
    answer = (request, response) => {
      response.writeHead(403).end(`you sent ${request.headers["x-token"] as string} ${"y".repeat(5_000)}`);
    };
    const url = new URL(`${origin}/v1`);
    url.username = "reader";
    url.password = secrets[0] ?? "";
    const api = await connection({ baseUrl: env("NONE", url.href), headers: { "x-token": env("NONE", secrets[1]) } });
    const error: unknown = await api.request("x", { query: { key: "in-query" } }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HttpStatusError);
    expect(error).toMatchObject({ status: 403 });
    const { message } = error as Error;
    expect(message).toContain(`GET ${origin}/v1/x is answered with 403: you sent [redacted] yyy`);
    expect(message.length).toBeLessThan(700);
    const shown = inspect(error, { depth: 10 }) + inspect(api, { depth: 10 });
    for (const secret of [...secrets, "pass%20word", "in-query"]) expect(shown).not.toContain(secret);
    for (const secret of secrets) expect(opened.redacted).toContain(secret);
  });

  it("says that nothing answers", async () => {
    const api = await connection({ baseUrl: "http://127.0.0.1:1/", retriesMax: 0 });
    await expect(api.request("x")).rejects.toEqual(refusal("http.unavailable"));
    await expect(connection({ baseUrl: "ftp://host" })).rejects.toEqual(refusal("http.url_invalid"));
  });
});
