import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { command } from "../cli/run-command.ts";
import { ApiFixture } from "./api-fixture.ts";

let api: ApiFixture;
/** Between two changes of clocks in Berlin. */
const nowMs = Date.parse("2026-03-28T12:00:00Z");
beforeAll(async () => {
  api = await ApiFixture.open({ now: () => nowMs });
  await api.database.pool.query("update automations set watermark = '2026-03-28T00:00:00Z'");
});
afterAll(() => api.close());

const path = (name: string, more = "") => `/api/v1/schedules/${encodeURIComponent(name)}${more}`;

it("lists schedules by name and in pages, as they stand", async () => {
  const { json } = await api.get("/api/v1/schedules?limit=2");
  expect(json.items.map(({ name }: { name: string }) => name)).toEqual(["flights/broken", "flights/monthly"]);
  const rest = await api.get(`/api/v1/schedules?limit=2&after=${json.next}`);
  expect(rest.json).toMatchObject({
    next: null,
    items: [{ name: "flights/nightly", on: false, nextAt: null, switchedBy: null, lastTick: null }],
  });
  expect(json.items[0]).toMatchObject({
    on: true,
    nextAt: "2026-03-29T00:00:00.000Z",
    nextLocal: "2026-03-29T00:00:00Z".replace("Z", "+00:00"),
    problems: [{ code: "definition.missing_target", file: "automation.ts", line: 5 }],
  });
  expect((await api.get("/api/v1/schedules?team=analytics")).json.items).toEqual([]);
});

it("shows what a tick would launch, or why it would fail", async () => {
  expect((await api.get(path("flights/monthly"))).json).toMatchObject({
    launches: ["flights/clean_flights"],
    refusal: null,
    catchUpMax: 3,
  });
  expect((await api.get(path("flights/broken"))).json).toMatchObject({
    launches: [],
    refusal: { code: "asset.unknown", message: expect.stringContaining("flights/airport") },
  });
  const unknown = await api.get(path("flights/nowhere"));
  expect(unknown).toMatchObject({ status: 404, json: { code: "schedule.unknown" } });
});

it("previews the next ticks in local time, over a change of clocks, and what each would launch", async () => {
  const { json } = await api.get(path("flights/nightly", "/preview?count=3"));
  expect(json.timezone).toBe("Europe/Berlin");
  expect(json.items.map(({ local, outcome }: { local: string; outcome: string }) => `${local} ${outcome}`)).toEqual([
    "2026-03-29T03:00:00+02:00 launches",
    "2026-03-30T02:30:00+02:00 launches",
    "2026-03-31T02:30:00+02:00 launches",
  ]);
  const monthly = await api.get(path("flights/monthly", "/preview?count=2&after=2001-07-01T12:00:00Z"));
  expect(monthly.json.items).toMatchObject([
    { at: "2001-08-01T06:00:00.000Z", outcome: "launches", runs: [{ partitions: "2001-07", steps: 1 }] },
    { at: "2001-09-01T06:00:00.000Z", outcome: "skips", reason: expect.stringContaining("2001-08") },
  ]);
  expect((await api.get(path("flights/broken", "/preview?count=1"))).json.items).toMatchObject([{ outcome: "fails" }]);
});

it("starts and stops once, with an audit row and an event, and begins at the moment of the start", async () => {
  const key = { "idempotency-key": "start" };
  const started = await api.post(path("flights/nightly", "/start"), undefined, key);
  expect(started.json).toMatchObject({
    on: true,
    switchedBy: "ada",
    doneUntil: "2026-03-28T12:00:00.000Z",
    nextLocal: "2026-03-29T03:00:00+02:00",
  });
  expect((await api.post(path("flights/nightly", "/start"), undefined, key)).json).toEqual(started.json);
  await api.post(path("flights/nightly", "/start"));
  expect((await api.post(path("flights/nightly", "/stop"))).json).toMatchObject({ on: false, nextAt: null });
  const { json } = await api.get("/api/v1/audit?subject=flights%2Fnightly");
  expect(json.items.map(({ action }: { action: string }) => action)).toEqual(["schedule.stop", "schedule.start"]);
  const { rows } = await api.database.pool.query(
    "select kind, payload ->> 'automation' as automation from events where kind like 'schedule_%' order by seq",
  );
  expect(rows).toEqual([
    { kind: "schedule_started", automation: "flights/nightly" },
    { kind: "schedule_stopped", automation: "flights/nightly" },
  ]);
});

it("is triggered by hand, on or off, and the run says by which tick", async () => {
  const { status, json } = await api.post(path("flights/nightly", "/trigger"), {});
  expect([status, json.state, json.askedBy, json.scheduledAt, json.runCount]).toEqual([
    201,
    "launched",
    "ada",
    null,
    1,
  ]);
  const run = await api.get(`/api/v1/runs/${json.runs[0]}`);
  expect(run.json).toMatchObject({
    source: "schedule",
    actor: "ada",
    selection: "flights/airports",
    config: { "flights/airports": { limit: 5 } },
    tick: { id: json.id, automation: "flights/nightly", scheduledAt: null },
  });
  const listed = await api.get("/api/v1/runs?source=schedule");
  expect(listed.json.items).toMatchObject([{ id: json.runs[0], tick: { automation: "flights/nightly" } }]);
  const ticks = await api.get(path("flights/nightly", "/ticks"));
  expect(ticks.json.items).toMatchObject([{ id: json.id, runs: json.runs }]);
});

it("is triggered as of a time, which decides what windows have closed", async () => {
  const july = await api.post(path("flights/monthly", "/trigger"), { at: "2001-08-01T06:00:00Z" });
  const run = await api.get(`/api/v1/runs/${july.json.runs[0]}`);
  expect(run.json).toMatchObject({ selection: "flights/clean_flights", partitions: "2001-07" });
  const none = await api.post(path("flights/monthly", "/trigger"), {});
  expect(none.json).toMatchObject({ state: "skipped", reason: expect.stringContaining("no partition"), runs: [] });
  const refused = await api.post(path("flights/broken", "/trigger"), {});
  expect(refused).toMatchObject({ status: 422, json: { code: "asset.unknown" } });
  expect((await api.get(path("flights/broken", "/ticks"))).json.items).toEqual([]);
});

it("is started, stopped and triggered by its own team alone", async () => {
  const theirs = await ApiFixture.open({
    now: () => nowMs,
    tokens: [{ name: "bob", teams: ["analytics"], sha256: createHash("sha256").update("secret").digest() }],
  });
  try {
    for (const word of ["start", "stop", "trigger"]) {
      const headers = { authorization: "Bearer secret" };
      const answer = await theirs.post(
        path("flights/nightly", `/${word}`),
        word === "trigger" ? {} : undefined,
        headers,
      );
      expect(answer).toMatchObject({ status: 403, json: { code: "auth.not_owner" } });
    }
  } finally {
    await theirs.close();
  }
});

it("answers on the command line too", async () => {
  const url = await api.app.listen({ port: 0, host: "127.0.0.1" });
  const headgate = (...args: string[]) => command(url, args);
  expect(await headgate("schedule", "list")).toMatchObject({
    status: 0,
    out: expect.stringContaining("flights/nightly"),
  });
  expect((await headgate("schedule", "show", "flights/broken")).out).toContain("A tick would fail");
  expect((await headgate("schedule", "preview", "flights/nightly", "--count", "1")).out).toContain("IN Europe/Berlin");
  expect((await headgate("schedule", "start", "flights/nightly")).out).toContain(
    "Next tick: 2026-03-29T03:00:00+02:00",
  );
  expect((await headgate("schedule", "trigger", "flights/nightly")).out).toContain("Launched run ");
  expect((await headgate("schedule", "ticks", "flights/nightly")).out).toContain("asked for by ada");
  expect((await headgate("run", "list")).out).toContain("flights/nightly");
  const { status, err } = await headgate("schedule", "trigger", "flights/monthly", "--at", "yesterday");
  expect([status, err]).toEqual([2, expect.stringContaining("no time")]);
});
