import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Answer, ApiFixture, julyFails } from "./api-fixture.ts";

const raw = "flights%2Fraw_flights";
const inAWeek = () => new Date(Date.now() + 7 * 86_400_000).toISOString();

async function epochOf(api: ApiFixture, asset: string): Promise<number> {
  const { rows } = await api.database.pool.query("select epoch from asset_gate where asset_key = $1", [asset]);
  return rows[0].epoch;
}

async function eventsOf(api: ApiFixture, asset: string, after: number): Promise<Answer[]> {
  const { rows } = await api.database.pool.query(
    "select kind, payload from events where asset_key = $1 and seq > $2 and kind not like 'step_%' order by seq",
    [asset, after],
  );
  return rows;
}

async function newestSeq(api: ApiFixture): Promise<number> {
  const { rows } = await api.database.pool.query("select max(seq) as seq from events");
  return rows[0].seq;
}

describe("launching a run", () => {
  let api: ApiFixture;
  beforeAll(async () => {
    api = await ApiFixture.open();
  });
  afterAll(() => api.close());

  it("writes run, steps, audit row and event together, and answers the run", async () => {
    const { status, json } = await api.post("/api/v1/runs", {
      selection: "flights/raw_flights",
      partitions: "2001-01..2001-02",
      tags: { why: "test" },
      priority: 3,
    });
    expect(status).toBe(201);
    expect(json).toMatchObject({
      state: "queued",
      stepCount: 2,
      steps: { waiting: 2 },
      tags: { why: "test" },
      priority: 3,
      actor: "ada",
    });
    const audit = (await api.get(`/api/v1/audit?subject=${json.id}`)).json.items;
    expect(audit).toHaveLength(1);
    expect(audit[0]).toMatchObject({ actor: "ada", action: "run.create" });
    const events = (await api.get(`/api/v1/runs/${json.id}/events`)).json.items;
    expect(events.map((event: Answer) => event.kind)).toEqual(["run_queued"]);
  });

  it("refuses empty partitions: a variable that was not set does not mean every partition", async () => {
    for (const path of ["/api/v1/runs", "/api/v1/plan"]) {
      const { status, json } = await api.post(path, { selection: "flights/raw_flights", partitions: " " });
      expect(status).toBe(400);
      expect(json).toMatchObject({ code: "request.invalid" });
      expect(json.detail).toContain("name partitions");
    }
  });

  it("answers the same to the same key and request, and does it once", async () => {
    const body = { selection: "flights/airports" };
    const before = (await api.get("/api/v1/runs?asset=flights/airports")).json.items.length;
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => api.post("/api/v1/runs", body, { "idempotency-key": "once" })),
    );
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 201, 201, 201]);
    expect((await api.get("/api/v1/runs?asset=flights/airports")).json.items).toHaveLength(before + 1);
  });

  it("refuses a key that was used for another request", async () => {
    await api.post("/api/v1/runs", { selection: "flights/airports" }, { "idempotency-key": "twice" });
    const { status, json } = await api.post(
      "/api/v1/runs",
      { selection: "flights/raw_flights" },
      { "idempotency-key": "twice" },
    );
    expect(status).toBe(409);
    expect(json.code).toBe("idempotency.key_reused");
  });

  it("keeps no key of a refused request, so that it can be sent again once it is mended", async () => {
    const refused = await api.post("/api/v1/runs", { selection: "flights/typo" }, { "idempotency-key": "mend" });
    expect(refused.status).toBe(422);
    const accepted = await api.post("/api/v1/runs", { selection: "flights/airports" }, { "idempotency-key": "mend" });
    expect(accepted.status).toBe(201);
  });

  it.each([
    [{ selection: "flights/clean_flihgts" }, "asset.unknown", "flights/clean_flights"],
    [{ selection: "flights/clean_flights and" }, "selection.invalid", ""],
    [{ selection: "flights/raw_flights", partitions: "1999-01" }, "partitions.invalid", ""],
    [{ selection: "flights/airports", partitions: "2001-01" }, "partitions.not_partitioned", "Leave"],
    [{ selection: "analytics/broken" }, "asset.refused", "flights/clean_flights"],
    [
      { selection: "flights/airports", config: { "flights/other": { a: 1 } } },
      "config.unknown_asset",
      "flights/airports",
    ],
    [
      { selection: "flights/airports", config: { "flights/airports": { limit: 0, source: "iata" } } },
      "config.invalid",
      "--set asset.field=value",
    ],
    [
      { selection: "flights/raw_flights", config: { "flights/raw_flights": { limit: 1 } } },
      "config.invalid",
      "--set asset.field=value",
    ],
  ])("refuses %j as %s and says how to mend it", async (body, code, hint) => {
    const { status, json, headers } = await api.post("/api/v1/runs", body);
    expect(status).toBe(422);
    expect(headers["content-type"]).toContain("application/problem+json");
    expect(json).toMatchObject({ code, status: 422, type: `urn:headgate:problem:${code}` });
    expect(json.hint).toContain(hint);
    expect(json.hint).not.toBe("");
  });

  it("names each place of config that its asset cannot take, for a run and for a plan", async () => {
    const config = { "flights/airports": { limit: "many", source: "iata" } };
    for (const path of ["/api/v1/runs", "/api/v1/plan"]) {
      const { status, json } = await api.post(path, { selection: "flights/airports", config });
      expect(status).toBe(422);
      expect(json.detail).toContain('flights/airports.limit must be a whole number, and is "many" (and 1 more)');
      expect(json.errors).toEqual([
        { path: "flights/airports.limit", message: 'must be a whole number, and is "many"' },
        { path: "flights/airports.source", message: 'must be "faa" or "icao", and is "iata"' },
      ]);
    }
  });

  it("refuses unknown body fields and names them", async () => {
    const { status, json } = await api.post("/api/v1/runs", { selection: "flights/airports", partition: "2001-01" });
    expect(status).toBe(400);
    expect(json.code).toBe("request.invalid");
    expect(JSON.stringify(json.errors)).toContain("partition");
  });

  it("cancels at once what no daemon has taken", async () => {
    const { id } = (await api.post("/api/v1/runs", { selection: "flights/airports" })).json;
    const { status, json } = await api.post(`/api/v1/runs/${id}/cancel`);
    expect(status).toBe(202);
    expect(json).toMatchObject({ state: "canceled", steps: { canceled: 1 }, cancelRequestedBy: "ada" });
    const events = (await api.get(`/api/v1/runs/${id}/events`)).json.items.map((event: Answer) => event.kind);
    expect(events).toEqual(["run_queued", "run_cancel_requested", "run_canceled"]);
    expect((await api.post(`/api/v1/runs/${id}/cancel`)).json.code).toBe("run.ended");
  });

  it("asks the driver to cancel what it has taken, once", async () => {
    const { id } = (await api.post("/api/v1/runs", { selection: "flights/airports" })).json;
    await api.drive.claim();
    expect((await api.post(`/api/v1/runs/${id}/cancel`)).json.cancelRequestedBy).toBe("ada");
    expect((await api.post(`/api/v1/runs/${id}/cancel`)).status).toBe(202);
    const events = (await api.get(`/api/v1/runs/${id}/events`)).json.items.map((event: Answer) => event.kind);
    expect(events.filter((kind: string) => kind === "run_cancel_requested")).toHaveLength(1);
    const { rows } = await api.database.pool.query("select cancel_requested_at, ended_at from runs where id = $1", [
      id,
    ]);
    expect(rows[0]).toMatchObject({ cancel_requested_at: expect.any(Date), ended_at: null });
  });
});

describe("launching again", () => {
  let api: ApiFixture;
  beforeAll(async () => {
    api = await ApiFixture.open();
  });
  afterAll(() => api.close());

  it("repeats, from failure, only the steps that did not succeed, and links the new run to the old", async () => {
    api.say = (step) =>
      step.asset_key === "flights/clean_flights" ? { threw: "out of memory" } : { checks: passed(step) };
    const failed = await api.run("flights/raw_flights or flights/clean_flights", "2001-01");
    expect((await api.get(`/api/v1/runs/${failed}`)).json.state).toBe("failed");
    const [step] = (await api.get(`/api/v1/runs/${failed}/steps?state=failed`)).json.items;
    expect(step).toMatchObject({
      error: { code: "compute.threw", message: "out of memory" },
      lastAttempt: { number: 1, state: "failed" },
    });
    const why = (await api.get("/api/v1/why/flights%2Fclean_flights?partition=2001-01")).json;
    expect(why).toMatchObject({
      status: "computeFailed",
      failure: { run: failed, error: { message: "out of memory" } },
    });
    api.say = (next) => ({ checks: passed(next) });
    const { status, json } = await api.post(`/api/v1/runs/${failed}/retry`, { fromFailure: true });
    expect(status).toBe(201);
    expect(json).toMatchObject({ retryOf: failed, source: "retry", stepCount: 1 });
    await api.drive.playAll();
    expect((await api.get(`/api/v1/runs/${json.id}`)).json.state).toBe("succeeded");
    const again = await api.post(`/api/v1/runs/${json.id}/retry`, { fromFailure: true });
    expect(again.json).toMatchObject({ stepCount: 1, retryOf: json.id });
    await api.drive.playAll();
  });

  it("launches what has a status now, and repeats that although the status has changed", async () => {
    api.say = (step) => (step.asset_key === "flights/airports" ? { threw: "once" } : { checks: passed(step) });
    await api.run("flights/airports");
    api.say = (step) => ({ checks: passed(step) });
    const { status, json } = await api.post("/api/v1/runs", { selection: "status:computeFailed" });
    expect([status, json.stepCount, json.selection]).toEqual([201, 1, "status:computeFailed"]);
    await api.drive.playAll();
    expect((await api.post("/api/v1/runs", { selection: "status:computeFailed" })).json.code).toBe("selection.empty");
    expect((await api.post(`/api/v1/runs/${json.id}/retry`, {})).json).toMatchObject({
      stepCount: 1,
      retryOf: json.id,
    });
    await api.drive.playAll();
  });

  it("refuses to repeat what has not ended, and what has nothing left to do", async () => {
    const { id } = (await api.post("/api/v1/runs", { selection: "flights/airports" })).json;
    expect((await api.post(`/api/v1/runs/${id}/retry`, {})).json.code).toBe("run.not_ended");
    await api.drive.playAll();
    expect((await api.post(`/api/v1/runs/${id}/retry`, { fromFailure: true })).json.code).toBe("run.nothing_to_retry");
    expect((await api.post(`/api/v1/runs/${id}/retry`, {})).json).toMatchObject({ stepCount: 1, retryOf: id });
    await api.drive.playAll();
  });

  it("runs the checks of a version that exists, and nothing else", async () => {
    await api.run("flights/raw_flights", "2001-03");
    const version = await api.newestVersion("flights/raw_flights", "2001-03");
    const { status, json } = await api.post("/api/v1/checks/run", {
      asset: "flights/raw_flights",
      check: "enough_rows",
      version: version.id,
      partitions: "2001-03",
    });
    expect(status).toBe(201);
    await api.drive.playAll();
    const [step] = (await api.get(`/api/v1/runs/${json.id}/steps`)).json.items;
    expect(step).toMatchObject({ kind: "checks", version: version.id, checks: ["enough_rows"], state: "succeeded" });
    expect((await api.newestVersion("flights/raw_flights", "2001-03")).results[0].run).toBe(json.id);
  });
});

function passed(step: { checks: readonly string[] }) {
  return step.checks.map((name) => ({ name, outcome: "passed" as const }));
}

describe("accepting and discarding versions", () => {
  let api: ApiFixture;
  let version: Answer;
  const waiver = () => `/api/v1/assets/${raw}/versions/${version.id}/waiver`;

  beforeAll(async () => {
    api = await ApiFixture.open();
  });
  beforeEach(async () => {
    await api.run("flights/raw_flights", "2001-07");
    version = await api.newestVersion("flights/raw_flights", "2001-07");
  });
  afterAll(() => api.close());

  it("opens the gate by a waiver, bumps its epoch, and says why it opened", async () => {
    const epoch = await epochOf(api, "flights/raw_flights");
    const seq = await newestSeq(api);
    const { status, json } = await api.post(waiver(), { reason: "a short month", until: inAWeek() });
    expect(status).toBe(201);
    expect(json).toMatchObject({ check: "enough_rows", team: "flights", actor: "ada", inForce: true, endedAt: null });
    expect(await api.newestVersion("flights/raw_flights", "2001-07")).toMatchObject({
      state: "waived",
      open: true,
      waivers: [{ id: json.id, reason: "a short month" }],
    });
    expect(await epochOf(api, "flights/raw_flights")).toBe(epoch + 1);
    const events = await eventsOf(api, "flights/raw_flights", seq);
    expect(events.map((event) => event.kind)).toEqual(["waiver_created", "gate_opened"]);
    expect(events[1].payload).toMatchObject({ version: version.id, cause: { kind: "waiver", waiver: json.id } });
    const why = (await api.get(`/api/v1/why/${raw}?partition=2001-07`)).json;
    expect(why).toMatchObject({ status: "waived", reasons: [], remedies: [] });
  });

  it("closes it again when the waiver is revoked, and audits both", async () => {
    const { id } = (await api.post(waiver(), { check: "enough_rows", reason: "for now", until: inAWeek() })).json;
    const epoch = await epochOf(api, "flights/raw_flights");
    const seq = await newestSeq(api);
    const { status, json } = await api.ask("DELETE", `${waiver()}?check=enough_rows`);
    expect(status).toBe(200);
    expect(json).toMatchObject({ id, inForce: false, endedBy: "ada" });
    expect((await api.newestVersion("flights/raw_flights", "2001-07")).state).toBe("failed");
    expect(await epochOf(api, "flights/raw_flights")).toBe(epoch + 1);
    expect((await eventsOf(api, "flights/raw_flights", seq)).map((event) => event.kind)).toEqual([
      "waiver_revoked",
      "gate_closed",
    ]);
    const audit = (await api.get("/api/v1/audit?subject=flights/raw_flights&limit=2")).json.items;
    expect(audit.map((entry: Answer) => entry.action)).toEqual(["waiver.revoke", "waiver.create"]);
    expect(audit[1].details).toMatchObject({ version: version.id, check: "enough_rows", reason: "for now" });
  });

  it("refuses a waiver where no check holds the gate closed, or for a check that is not there", async () => {
    await api.run("flights/raw_flights", "2001-01");
    const open = await api.newestVersion("flights/raw_flights", "2001-01");
    const path = `/api/v1/assets/${raw}/versions/${open.id}/waiver`;
    expect((await api.post(path, { reason: "x", until: inAWeek() })).json.code).toBe("waiver.not_needed");
    expect((await api.post(waiver(), { check: "enough_row", reason: "x", until: inAWeek() })).json).toMatchObject({
      status: 404,
      code: "check.unknown",
      hint: "Its checks: enough_rows.",
    });
  });

  it("refuses a waiver that ends in the past, or a second one while the first is in force", async () => {
    const past = await api.post(waiver(), { reason: "x", until: "2001-07-01T00:00:00Z" });
    expect(past.json.code).toBe("waiver.until_invalid");
    await api.post(waiver(), { reason: "first", until: inAWeek() });
    const second = await api.post(waiver(), { check: "enough_rows", reason: "second", until: inAWeek() });
    expect(second.status).toBe(409);
  });

  it("asks which check is meant where several hold the gate closed, and opens it only when all are waived", async () => {
    api.say = (step) => ({ checks: step.checks.map((name) => ({ name, outcome: "failed" as const })) });
    await api.run("flights/clean_flights", "2001-01");
    api.say = julyFails;
    const clean = await api.newestVersion("flights/clean_flights", "2001-01");
    const path = `/api/v1/assets/flights%2Fclean_flights/versions/${clean.id}/waiver`;
    const ambiguous = await api.post(path, { reason: "x", until: inAWeek() });
    expect(ambiguous.json.code).toBe("waiver.check_ambiguous");
    expect(ambiguous.json.detail).toContain("known_airports, no_nulls");
    await api.post(path, { check: "no_nulls", reason: "x", until: inAWeek() });
    expect((await api.newestVersion("flights/clean_flights", "2001-01")).state).toBe("failed");
    await api.post(path, { check: "known_airports", reason: "x", until: inAWeek() });
    expect((await api.newestVersion("flights/clean_flights", "2001-01")).state).toBe("waived");
  });

  it("discards the newest version, so that the one before decides, and takes it back", async () => {
    await api.post(waiver(), { reason: "older one is fine", until: inAWeek() });
    await api.run("flights/raw_flights", "2001-07");
    const bad = await api.newestVersion("flights/raw_flights", "2001-07");
    expect(bad.state).toBe("failed");
    const seq = await newestSeq(api);
    const discarded = await api.post(`/api/v1/assets/${raw}/versions/${bad.id}/discard`, { reason: "wrong file" });
    expect(discarded.json).toMatchObject({ newest: false, discarded: { by: "ada", reason: "wrong file" } });
    expect(await api.newestVersion("flights/raw_flights", "2001-07")).toMatchObject({
      id: version.id,
      state: "waived",
    });
    const older = await api.post(`/api/v1/assets/${raw}/versions/${bad.id}/discard`, { reason: "again" });
    expect(older.json.code).toBe("version.discarded");
    const restored = await api.post(`/api/v1/assets/${raw}/versions/${bad.id}/restore`);
    expect(restored.json).toMatchObject({ newest: true, discarded: null, state: "failed" });
    expect((await eventsOf(api, "flights/raw_flights", seq)).map((event) => event.kind)).toEqual([
      "version_discarded",
      "gate_opened",
      "version_restored",
      "gate_closed",
    ]);
    const notNewest = await api.post(`/api/v1/assets/${raw}/versions/${version.id}/discard`, { reason: "x" });
    expect(notNewest.json.code).toBe("version.not_newest");
  });
});

describe("who may ask", () => {
  const sha256 = (text: string) => createHash("sha256").update(text).digest();
  let api: ApiFixture;
  beforeAll(async () => {
    api = await ApiFixture.open({
      tokens: [
        { name: "ops", sha256: sha256("secret") },
        { name: "analyst", teams: ["analytics"], sha256: sha256("other") },
      ],
    });
  });
  afterAll(() => api.close());

  const as = (token: string) => ({ authorization: `Bearer ${token}` });

  it("wants a known token for everything but probes, and names its owner as actor", async () => {
    expect((await api.get("/healthz")).status).toBe(200);
    expect((await api.get("/api/v1/runs")).json.code).toBe("auth.token_required");
    const unknown = await api.ask("GET", "/api/v1/runs", undefined, as("guess"));
    expect(unknown.json.code).toBe("auth.token_unknown");
    expect(unknown.headers["www-authenticate"]).toContain("Bearer");
    const { json } = await api.post("/api/v1/runs", { selection: "flights/airports" }, as("secret"));
    expect(json.actor).toBe("ops");
    await api.drive.playAll();
  });

  it("lets only the check's owner waive it", async () => {
    await api.post("/api/v1/runs", { selection: "flights/raw_flights", partitions: "2001-07" }, as("secret"));
    await api.drive.playAll();
    const { json } = await api.ask("GET", `/api/v1/assets/${raw}/versions`, undefined, as("secret"));
    const path = `/api/v1/assets/${raw}/versions/${json.items[0].id}`;
    const body = { reason: "mine", until: inAWeek() };
    expect((await api.post(`${path}/waiver`, body, as("other"))).json).toMatchObject({
      status: 403,
      code: "auth.not_owner",
    });
    expect((await api.post(`${path}/discard`, { reason: "mine" }, as("other"))).status).toBe(403);
    expect((await api.post(`${path}/waiver`, body, as("secret"))).status).toBe(201);
  });
});

describe("reaching a server without tokens through a browser", () => {
  let api: ApiFixture;
  beforeAll(async () => {
    api = await ApiFixture.open();
  });
  afterAll(() => api.close());

  it("refuses a foreign Host, so that a name rebound to loopback reads nothing", async () => {
    const { status, json } = await api.ask("GET", "/api/v1/runs", undefined, { host: "evil.example:3000" });
    expect(status).toBe(421);
    expect(json.code).toBe("auth.host_refused");
    for (const host of ["127.0.0.1:3000", "localhost", "[::1]:3000"]) {
      expect((await api.ask("GET", "/api/v1/runs", undefined, { host })).status).toBe(200);
    }
  });

  it("refuses a foreign origin and a body that a form could send", async () => {
    const origin = { origin: "https://evil.example" };
    expect((await api.post("/api/v1/runs", { selection: "flights/airports" }, origin)).json.code).toBe(
      "auth.origin_refused",
    );
    const form = await api.app.inject({
      method: "POST",
      url: "/api/v1/runs",
      headers: { host: "localhost", "content-type": "text/plain" },
      payload: '{"selection":"flights/airports"}',
    });
    expect(form.statusCode).toBe(415);
  });
});
