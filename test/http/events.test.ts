import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServerSentEvent, serverSentEvents } from "../../control-plane/src/cli/server-sent-events.ts";
import { openEventFeed } from "../../control-plane/src/http/event-feed.ts";
import { ApiFixture } from "./api-fixture.ts";

describe("following the log", () => {
  let api: ApiFixture;
  let url: string;

  beforeAll(async () => {
    api = await ApiFixture.open();
    url = await api.app.listen({ host: "127.0.0.1", port: 0 });
  });
  afterAll(() => api.close());

  /** A reader that hands out what it is sent until `enough` of it came. */
  async function read(
    query: string,
    enough: (events: ServerSentEvent[]) => boolean,
    options: { readonly lastEventId?: string; readonly connected?: () => Promise<void> } = {},
  ): Promise<ServerSentEvent[]> {
    const stop = new AbortController();
    const response = await fetch(`${url}/api/v1/events${query}`, {
      signal: stop.signal,
      headers: options.lastEventId === undefined ? {} : { "last-event-id": options.lastEventId },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const events: ServerSentEvent[] = [];
    const connected = options.connected?.();
    for await (const event of serverSentEvents(response.body as AsyncIterable<Uint8Array>)) {
      events.push(event);
      if (enough(events)) break;
    }
    await connected;
    stop.abort();
    return events;
  }

  const ended = (events: ServerSentEvent[]) => /^run_(succeeded|failed|blocked)$/.test(events.at(-1)?.event ?? "");

  it("sends what happens as it happens, in commit order and without a gap", async () => {
    let run = "";
    const events = await read("", ended, {
      connected: async () => {
        run = await api.run("flights/raw_flights", "2001-01..2001-03");
      },
    });
    const ids = events.map((event) => Number(event.id));
    expect(ids).toEqual(ids.map((_, i) => (ids[0] ?? 0) + i));
    expect(events[0]?.event).toBe("run_queued");
    expect(JSON.parse(events.at(-1)?.data ?? "")).toMatchObject({ kind: "run_succeeded", run });
  });

  it("resumes after Last-Event-ID, and from the start with after=0", async () => {
    const all = await read("?after=0", ended);
    const middle = all[Math.floor(all.length / 2)];
    const rest = await read("", ended, { lastEventId: middle?.id ?? "" });
    expect(rest).toEqual(all.slice(all.indexOf(middle as ServerSentEvent) + 1));
    expect(Number(all[0]?.id)).toBe(1);
  });

  it("sends only what fits a topic", async () => {
    const other = await api.run("flights/airports");
    const run = await api.run("flights/raw_flights", "2001-04");
    const events = await read(`?after=0&topics=run:${run}`, ended);
    expect(events.length).toBeGreaterThan(3);
    for (const event of events) expect(JSON.parse(event.data).run).toBe(run);
    const blocked = await read("?after=0&topics=kind:run_succeeded", (got) => got.length === 3);
    expect(blocked.map((event) => JSON.parse(event.data).run)).toEqual([expect.any(String), other, run]);
    const wrong = await fetch(`${url}/api/v1/events?topics=nonsense`);
    expect(wrong.status).toBe(400);
  });

  it("serves a reader from the log what is older than this process has in memory, topics included", async () => {
    const fresh = await openEventFeed(api.database.db, api.notifications);
    const stop = new AbortController();
    const kinds = new Set(["run_queued"]);
    const none = new Set<string>();
    const topics = { runs: none, assets: none, locations: none, kinds };
    const seen: (string | number)[] = [];
    for await (const item of fresh.follow(0, topics, stop.signal)) {
      if (item.kind === "events") seen.push(...item.events.map((event) => event.kind));
      if (seen.length === 3) stop.abort();
    }
    expect(seen).toEqual(["run_queued", "run_queued", "run_queued"]);
    await fresh.close();
  });

  it("tells a reader that the log no longer reaches back to where it was", async () => {
    const newest = await api.events.newest();
    await api.database.pool.query("delete from events where seq <= 5");
    const events = await read("?after=2", (got) => got.length === 2);
    expect(events[0]).toMatchObject({ event: "reset", id: "5", data: '{"from":5}' });
    expect(events[1]?.id).toBe("6");
    expect(newest).toBeGreaterThan(6);
  });

  it("ends its streams when the server closes, so that closing does not wait for readers", async () => {
    const other = await ApiFixture.open();
    const at = await other.app.listen({ host: "127.0.0.1", port: 0 });
    const response = await fetch(`${at}/api/v1/events`);
    const reading = (async () => {
      for await (const _event of serverSentEvents(response.body as AsyncIterable<Uint8Array>)) continue;
    })();
    const closed = other.close();
    await reading.catch(() => undefined);
    await closed;
    expect(response.status).toBe(200);
  });
});
