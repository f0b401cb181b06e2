import fc from "fast-check";
import { z } from "zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Route } from "../../control-plane/src/http/contract/route.ts";
import { problemSchema } from "../../control-plane/src/http/contract/problem.ts";
import { type RouteName, routes } from "../../control-plane/src/http/contract/routes.ts";
import { type Answer, ApiFixture } from "./api-fixture.ts";

const key = encodeURIComponent("flights/raw_flights");

describe("the contract", () => {
  let api: ApiFixture;
  let run: string;
  let version: string;
  let attempt: string;
  let layout: string;
  let backfill: string;
  let canceled: string;

  beforeAll(async () => {
    api = await ApiFixture.open();
    run = await api.run("flights/* or analytics/*", "2001-01,2001-07");
    const newest = await api.newestVersion("flights/raw_flights", "2001-07");
    version = newest.id;
    attempt = newest.attempt;
    const create = async (partitions: string): Promise<string> =>
      (await api.post("/api/v1/backfills", { selection: "flights/raw_flights", partitions })).json.id;
    backfill = await create("2001-02");
    canceled = await create("2001-03");
    const end = "update backfills set state = 'canceled', ended_at = now() where id = $1";
    await api.database.pool.query(end, [canceled]);
    layout = (await api.get("/api/v1/graph/overview")).json.hash;
  });
  afterAll(() => api.close());

  /** One call of each route that succeeds, in an order in which each does. */
  const calls = (): [RouteName, "GET" | "POST" | "DELETE", string, unknown?][] => {
    const until = new Date(Date.now() + 86_400_000).toISOString();
    const one = `/api/v1/assets/${key}/versions/${version}`;
    return [
      ["health", "GET", "/healthz"],
      ["ready", "GET", "/readyz"],
      ["openapi", "GET", "/openapi.json"],
      ["listLocations", "GET", "/api/v1/locations"],
      ["getLocation", "GET", "/api/v1/locations/analytics"],
      ["reloadLocation", "POST", "/api/v1/locations/flights/reload"],
      ["getDefinitions", "GET", "/api/v1/definitions"],
      ["listTeams", "GET", "/api/v1/teams"],
      ["listGates", "GET", "/api/v1/gates"],
      ["getSystem", "GET", "/api/v1/system"],
      ["getFacets", "GET", "/api/v1/facets"],
      ["getGraph", "GET", "/api/v1/graph"],
      ["getGraphOverview", "GET", "/api/v1/graph/overview"],
      ["getGraphLayout", "GET", `/api/v1/graph/layouts/${layout}`],
      ["getGraphSelection", "GET", "/api/v1/graph/selection?selection=team:flights"],
      ["getGraphStatuses", "GET", "/api/v1/graph/statuses"],
      ["listAssets", "GET", "/api/v1/assets"],
      ["getAsset", "GET", `/api/v1/assets/${key}`],
      ["listVersions", "GET", `/api/v1/assets/${key}/versions`],
      ["getVersion", "GET", one],
      ["listOpenVersions", "GET", `/api/v1/assets/${key}/open-versions?partitions=2001-01,2001-07`],
      ["getAttempt", "GET", `/api/v1/attempts/${attempt}`],
      ["getPartitions", "GET", `/api/v1/assets/${key}/partitions`],
      ["listAssetChecks", "GET", `/api/v1/assets/${key}/checks`],
      ["listChecks", "GET", "/api/v1/checks"],
      ["why", "GET", `/api/v1/why/${key}?partition=2001-07`],
      ["listEvaluations", "GET", `/api/v1/assets/${key}/evaluations`],
      ["why", "GET", "/api/v1/why/analytics%2Froute_delays?partition=2001-07"],
      ["plan", "POST", "/api/v1/plan", { selection: "analytics/route_delays" }],
      ["createRun", "POST", "/api/v1/runs", { selection: "flights/airports" }],
      ["listRuns", "GET", "/api/v1/runs"],
      ["getRun", "GET", `/api/v1/runs/${run}`],
      ["listSteps", "GET", `/api/v1/runs/${run}/steps`],
      ["listRunEvents", "GET", `/api/v1/runs/${run}/events`],
      ["listRunLogs", "GET", `/api/v1/runs/${run}/logs`],
      ["retryRun", "POST", `/api/v1/runs/${run}/retry`, { fromFailure: true }],
      ["runChecks", "POST", "/api/v1/checks/run", { asset: "flights/raw_flights", partitions: "2001-07" }],
      ["createWaiver", "POST", `${one}/waiver`, { reason: "contract", until }],
      ["listWaivers", "GET", "/api/v1/waivers?inForce=true"],
      ["revokeWaiver", "DELETE", `${one}/waiver`],
      ["discardVersion", "POST", `${one}/discard`, { reason: "contract" }],
      ["restoreVersion", "POST", `${one}/restore`],
      ["reportMaterialization", "POST", "/api/v1/assets/flights%2Fweather/materializations", { metadata: { rows: 3 } }],
      ["reportObservation", "POST", "/api/v1/assets/flights%2Fweather/observations", { dataVersion: "2" }],
      ["listSensors", "GET", "/api/v1/sensors"],
      ["getQueue", "GET", "/api/v1/queue"],
      ["explainRun", "GET", `/api/v1/queue/${run}/explain`],
      ["setPool", "POST", "/api/v1/pools/warehouse", { slots: 2 }],
      ["getPool", "GET", "/api/v1/pools/warehouse"],
      ["listPools", "GET", "/api/v1/pools"],
      ["listSchedules", "GET", "/api/v1/schedules"],
      ["getSchedule", "GET", "/api/v1/schedules/flights%2Fbroken"],
      ["stopSchedule", "POST", "/api/v1/schedules/flights%2Fnightly/stop"],
      ["startSchedule", "POST", "/api/v1/schedules/flights%2Fnightly/start"],
      ["previewSchedule", "GET", "/api/v1/schedules/flights%2Fnightly/preview?count=3"],
      ["triggerSchedule", "POST", "/api/v1/schedules/flights%2Fnightly/trigger", {}],
      ["listScheduleTicks", "GET", "/api/v1/schedules/flights%2Fnightly/ticks"],
      ["createBackfill", "POST", "/api/v1/backfills", { selection: "analytics/route_delays", only: "missing" }],
      ["listBackfills", "GET", "/api/v1/backfills?state=running"],
      ["getBackfill", "GET", `/api/v1/backfills/${backfill}`],
      ["pauseBackfill", "POST", `/api/v1/backfills/${backfill}/pause`],
      ["resumeBackfill", "POST", `/api/v1/backfills/${backfill}/resume`],
      ["cancelBackfill", "POST", `/api/v1/backfills/${backfill}/cancel`],
      ["retryBackfill", "POST", `/api/v1/backfills/${canceled}/retry`],
      ["listAudit", "GET", "/api/v1/audit"],
    ];
  };

  it("answers every route with exactly what its schema says", async () => {
    const seen = new Set<RouteName>(["metrics", "followEvents"]);
    for (const [name, method, url, body] of calls()) {
      const { status, json, text } = await api.ask(method, url, body);
      const definition: Route = routes[name];
      expect([name, status, status === definition.status ? "" : text]).toEqual([name, definition.status, ""]);
      // A field that the schema does not know would be dropped here, and missed below.
      expect(definition.answer?.parse(json), name).toEqual(json);
      seen.add(name);
    }
    const weather = await api.newestVersion("flights/weather");
    const results = "/api/v1/assets/flights%2Fweather/checks/signed_off/results";
    const reported = await api.post(results, { version: weather.id, passed: true });
    expect(routes.reportCheckResult.answer.parse(reported.json)).toEqual(reported.json);
    const { json: cancelable } = await api.post("/api/v1/runs", { selection: "flights/airports" });
    const canceled = await api.post(`/api/v1/runs/${cancelable.id}/cancel`);
    expect(routes.cancelRun.answer.parse(canceled.json)).toEqual(canceled.json);
    const waivers = (await api.get("/api/v1/waivers")).json.items;
    const waiver = await api.get(`/api/v1/waivers/${waivers[0].id}`);
    expect(routes.getWaiver.answer.parse(waiver.json)).toEqual(waiver.json);
    // Of owners.test.ts, which has locations to move an asset between, of partitions.test.ts, with dynamic ones, and of
    // asset-deletion.test.ts, with a daemon.
    const elsewhere: RouteName[] = ["releaseAsset", "transferAsset", "addPartitions", "removePartitions"];
    elsewhere.push("listPartitionSets", "listPartitions", "deleteAsset");
    // Of sensors.test.ts, which has one.
    elsewhere.push("getSensor", "listSensorTicks", "getSensorTick", "startSensor", "stopSensor", "evaluateSensor");
    elsewhere.push("setSensorCursor");
    expect([...seen, ...elsewhere, "cancelRun", "getWaiver", "reportCheckResult"].sort()).toEqual(
      Object.keys(routes).sort(),
    );
  });

  it("publishes an OpenAPI 3.1 document with every route, whose schemas fit the answers", async () => {
    const { json: document } = await api.get("/openapi.json");
    expect(document.openapi).toBe("3.1.0");
    const operations = Object.values(document.paths as Record<string, object>).flatMap((path) => Object.values(path));
    expect(operations.map((operation: Answer) => operation.operationId).sort()).toEqual(Object.keys(routes).sort());
    const text = JSON.stringify(document);
    const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(names.filter((name) => !(name in document.components.schemas))).toEqual([]);
    const local = text.replaceAll("#/components/schemas/", "#/$defs/");
    const { Run, ...$defs } = JSON.parse(local).components.schemas;
    const runSchema = z.fromJSONSchema({ ...Run, $defs });
    const { json } = await api.get(`/api/v1/runs/${run}`);
    expect(runSchema.safeParse(json).error).toBeUndefined();
    expect(runSchema.safeParse({ ...json, state: "flying" }).success).toBe(false);
  });

  it("never answers 5xx, whatever is asked, and refuses in problem+json with a stable code", async () => {
    const word = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.constantFrom(
        "flights/raw_flights",
        "2001-07",
        "",
        run,
        version,
        "%00",
        "../..",
        "\0",
        "\ud800",
        "9".repeat(30),
      ),
    );
    const body = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.record({ selection: word, partitions: word }, { requiredKeys: ["selection"] }),
      fc.record({ reason: word, until: word, check: word }),
      fc.record({ asset: word, version: word, check: word }),
      fc.record({
        selection: fc.constant("flights/airports"),
        config: fc.record({
          "flights/airports": fc.dictionary(word, fc.jsonValue({ maxDepth: 2, stringUnit: "binary" })),
        }),
      }),
    );
    const names = (Object.keys(routes) as RouteName[]).filter((name) => name !== "followEvents");
    const request = fc.record({
      name: fc.constantFrom(...names),
      params: fc.array(word, { minLength: 3, maxLength: 3 }),
      query: fc.dictionary(
        fc.constantFrom("limit", "after", "partition", "selection", "state", "asset", "step", "check", "topics"),
        word,
        { maxKeys: 3 },
      ),
      body,
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ name, params, query, body: sent }) => {
        const route: Route = routes[name];
        let next = 0;
        const encoded = (value: string) => encodeURIComponent(value.replace(/\p{Surrogate}/gu, ""));
        const path = route.path.replaceAll(/\{\w+\}/g, () => encoded(params[next++] ?? ""));
        const search = new URLSearchParams(query).toString();
        const url = search === "" ? path : `${path}?${search}`;
        const payload = route.method === "GET" ? undefined : JSON.stringify(sent);
        const response = await api.app.inject({
          method: route.method,
          url,
          headers: { host: "localhost", ...(payload === undefined ? {} : { "content-type": "application/json" }) },
          ...(payload === undefined ? {} : { payload }),
        });
        expect(response.statusCode, `${route.method} ${url} ${payload} → ${response.payload}`).toBeLessThan(500);
        if (response.statusCode >= 400) {
          expect(response.headers["content-type"]).toContain("application/problem+json");
          expect(problemSchema.safeParse(response.json()).success).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("answers a path that cannot be decoded with a problem, like every other malformed request", async () => {
    const response = await api.app.inject({ method: "GET", url: "/api/v1/assets/%ff" });
    expect(response.statusCode).toBe(400);
    expect(response.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(problemSchema.parse(response.json())).toMatchObject({ code: "request.invalid", status: 400 });
  });
});
