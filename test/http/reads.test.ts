import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, ApiFixture } from "./api-fixture.ts";

const raw = "flights%2Fraw_flights";
const delays = "analytics%2Froute_delays";

describe("reading what a run did", () => {
  let api: ApiFixture;
  let spring: string;
  let july: string;

  beforeAll(async () => {
    api = await ApiFixture.open();
    spring = await api.run("flights/* or analytics/route_delays", "2001-01..2001-03");
    july = await api.run("flights/* or analytics/route_delays", "2001-07");
  });
  afterAll(() => api.close());

  it("ends a run blocked when a check shut a gate that its own steps needed, and succeeded otherwise", async () => {
    expect((await api.get(`/api/v1/runs/${spring}`)).json).toMatchObject({
      state: "succeeded",
      steps: { succeeded: 10 },
      actor: "ada",
      source: "manual",
    });
    expect((await api.get(`/api/v1/runs/${july}`)).json).toMatchObject({ state: "blocked", steps: { blocked: 2 } });
  });

  it("names check, figures, version, run and owner where a step is blocked, with commands that open it", async () => {
    const { json } = await api.get(`/api/v1/runs/${july}/steps?state=blocked`);
    const version = await api.newestVersion("flights/raw_flights", "2001-07");
    for (const step of json.items) {
      expect(step.reasons).toHaveLength(1);
      expect(step.reasons[0]).toMatchObject({
        kind: "checkFailed",
        asset: "flights/raw_flights",
        partition: "2001-07",
        check: "enough_rows",
        team: "flights",
        version: version.id,
        run: july,
        owner: { team: "flights", contacts: ["flights@example.com"] },
      });
      expect(step.reasons[0].message).toBe(
        "flights/raw_flights 2001-07: check enough_rows failed: fewer rows than 10,000 a day · 6 observed, 310,000 needed",
      );
      expect(step.remedies.map((remedy: Answer) => remedy.command)).toEqual([
        "npx headgate materialize flights/raw_flights --partition 2001-07",
        `npx headgate waive flights/raw_flights@${version.id} --check enough_rows --reason "why this is acceptable"`,
        `npx headgate run logs ${july} --step flights/raw_flights --partition 2001-07`,
      ]);
    }
  });

  it("shows partitions as ranges with their status, never as lists", async () => {
    const { json } = await api.get(`/api/v1/assets/${raw}/partitions`);
    expect(json).toEqual({
      count: 7,
      ranges: [
        { status: "failed", partitions: "2001-07", count: 1 },
        { status: "passed", partitions: "2001-01..2001-03", count: 3 },
        { status: "neverMaterialized", partitions: "2001-04..2001-06", count: 3 },
      ],
      runs: [
        { status: "passed", start: 0, count: 3, first: "2001-01", last: "2001-03" },
        { status: "neverMaterialized", start: 3, count: 3, first: "2001-04", last: "2001-06" },
        { status: "failed", start: 6, count: 1, first: "2001-07", last: "2001-07" },
      ],
      keys: [],
    });
    const some = await api.get(`/api/v1/assets/${raw}/partitions?start=5&keys=5`);
    expect(some.json.keys).toEqual([
      { partition: "2001-06", status: "neverMaterialized" },
      { partition: "2001-07", status: "failed" },
    ]);
    const clean = await api.get("/api/v1/assets/flights%2Fclean_flights/partitions");
    expect(clean.json.ranges.map((range: Answer) => range.status)).toEqual(["blocked", "warned", "neverMaterialized"]);
  });

  it("counts the assets of a selection by team, group, kind and status", async () => {
    const { json } = await api.get("/api/v1/facets?selection=team:flights");
    expect(json.count).toBe(4);
    expect(json.teams).toEqual([{ value: "flights", assets: 4 }]);
    expect(json.statuses).toContainEqual({ value: "failed", assets: 1 });
  });

  it("says why a partition is blocked from the stored decision, down to the check that shut", async () => {
    const { json } = await api.get(`/api/v1/why/${delays}?partition=2001-07`);
    expect(json).toMatchObject({
      status: "blocked",
      computed: false,
      stillClosed: true,
      decision: { source: "run", run: july },
      newest: null,
    });
    expect(json.reasons[0].path).toEqual(["analytics/route_delays", "flights/clean_flights", "flights/raw_flights"]);
    expect(json.reasons[0]).toMatchObject({ kind: "checkFailed", check: "enough_rows" });
  });

  it("computes why for what was never requested, and says so", async () => {
    const { json } = await api.get(`/api/v1/why/${delays}?partition=2001-05`);
    expect(json).toMatchObject({ status: "neverMaterialized", computed: true, decision: null, stillClosed: true });
    expect(json.reasons.map((reason: Answer) => [reason.kind, reason.asset])).toEqual([
      ["neverMaterialized", "flights/raw_flights"],
    ]);
  });

  it("gives a reader the newest open version of each partition, and the root reason where there is none", async () => {
    const ask = (asset: string, query: string) =>
      api.get(`/api/v1/assets/${encodeURIComponent(asset)}/open-versions?${query}`);
    const reader = "reader=analytics/route_delays";
    const { json } = await ask("flights/clean_flights", `${reader}&partitions=2001-01,2001-05..2001-07`);
    const version = await api.newestVersion("flights/clean_flights", "2001-01");
    expect(json.items).toMatchObject([{ id: version.id, partition: "2001-01", newest: true, value: version.value }]);
    expect(
      json.leftOut.map(({ partition, reasons }: Answer) => [
        partition,
        ...reasons.map((r: Answer) => [r.kind, r.asset]),
      ]),
    ).toEqual([
      ["2001-05", ["neverMaterialized", "flights/raw_flights"]],
      ["2001-06", ["neverMaterialized", "flights/raw_flights"]],
      ["2001-07", ["checkFailed", "flights/raw_flights"]],
    ]);
    expect((await ask("flights/airports", reader)).json).toMatchObject({ items: [{ partition: "" }], leftOut: [] });
    expect(await ask("flights/clean_flights", "partitions=2001-13")).toMatchObject({
      status: 404,
      json: { code: "partition.unknown", hint: "write 2001-01 to 2001-12" },
    });
  });

  it("says which run made what is open", async () => {
    const { json } = await api.get(`/api/v1/why/${delays}?partition=2001-01`);
    expect(json).toMatchObject({ status: "unchecked", reasons: [], remedies: [], madeBy: { id: spring } });
  });

  it("says which check holds an asset's own version closed", async () => {
    const { json } = await api.get(`/api/v1/why/${raw}?partition=2001-07`);
    expect(json).toMatchObject({ status: "failed", computed: true, newest: { state: "failed", open: false } });
    expect(json.reasons).toHaveLength(1);
    expect(json.remedies[1].command).toContain("npx headgate waive flights/raw_flights@");
  });

  it("plans without changing anything, and forecasts what would be blocked", async () => {
    const before = (await api.get("/api/v1/runs")).json.items.length;
    const { status, json } = await api.post("/api/v1/plan", {
      selection: "analytics/route_delays",
      partitions: "2001-02,2001-07",
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({ runs: 1, waits: 0, blocked: 1 });
    expect(json.steps.map((step: Answer) => [step.partition, step.forecast])).toEqual([
      ["2001-02", "runs"],
      ["2001-07", "blocked"],
    ]);
    expect((await api.get("/api/v1/runs")).json.items).toHaveLength(before);
  });

  it("pages through a list without missing or repeating an item", async () => {
    const all = (await api.get(`/api/v1/runs/${spring}/events?limit=1000`)).json.items.map(
      (event: Answer) => event.seq,
    );
    const paged: number[] = [];
    let after = "";
    do {
      const { json } = await api.get(`/api/v1/runs/${spring}/events?limit=7${after && `&after=${after}`}`);
      paged.push(...json.items.map((event: Answer) => event.seq));
      after = json.next ?? "";
    } while (after !== "");
    expect(paged).toEqual(all);
    expect(all.length).toBeGreaterThan(14);
  });

  it("filters runs by state and by asset, newest first", async () => {
    expect((await api.get("/api/v1/runs?state=blocked")).json.items.map((run: Answer) => run.id)).toEqual([july]);
    expect((await api.get("/api/v1/runs?asset=flights/raw_flights")).json.items.map((run: Answer) => run.id)).toEqual([
      july,
      spring,
    ]);
    expect((await api.get("/api/v1/runs?asset=nobody/knows")).json.items).toEqual([]);
  });

  it("shows what steps printed, by step and attempt, and lets a reader come back for more", async () => {
    const { json } = await api.get(`/api/v1/runs/${spring}/logs?limit=2`);
    expect(json.items).toHaveLength(2);
    expect(json.items[0]).toMatchObject({ step: 0, attempt: 1, stream: "stdout" });
    expect(json.items[0].text).toBe(`made ${json.items[0].asset} ${json.items[0].partition}\n`);
    const rest = await api.get(`/api/v1/runs/${spring}/logs?after=${json.next}`);
    expect(rest.json.items).toHaveLength(8);
    expect(rest.json.next).toBeNull();
  });

  it("lists assets, checks, teams and locations with what is wrong with their definitions", async () => {
    const assets = (await api.get("/api/v1/assets?selection=team:flights")).json.items;
    expect(assets.map((asset: Answer) => asset.key)).toEqual([
      "flights/airports",
      "flights/clean_flights",
      "flights/raw_flights",
      "flights/weather",
    ]);
    expect(assets.map((asset: Answer) => asset.external)).toEqual([null, null, null, expect.any(Object)]);
    expect(assets[2]).toMatchObject({ status: "failed", counts: { failed: 1, passed: 3, neverMaterialized: 3 } });
    const checks = (await api.get(`/api/v1/assets/${raw}/checks`)).json.items;
    expect(checks[0]).toMatchObject({ name: "enough_rows", required: true, latest: { outcome: "failed" } });
    const teams = (await api.get("/api/v1/teams")).json.items;
    expect(teams.map((team: Answer) => [team.team, team.assets])).toEqual([
      ["analytics", 2],
      ["flights", 4],
    ]);
    const location = (await api.get("/api/v1/locations/analytics")).json;
    expect(location.problems).toHaveLength(1);
    expect(location.problems[0]).toMatchObject({ kind: "asset", key: "analytics/broken" });
  });

  it("selects by status", async () => {
    const { json } = await api.get("/api/v1/graph?selection=status:blocked");
    expect(json.assets.map((asset: Answer) => asset.key)).toEqual(["flights/clean_flights", "analytics/route_delays"]);
    expect(json.edges).toEqual([
      { from: "flights/clean_flights", to: "analytics/route_delays", name: "input_0", mode: "strict", atLeast: 0 },
    ]);
  });

  it("answers probes and metrics", async () => {
    expect((await api.get("/healthz")).json).toEqual({ status: "ok" });
    expect((await api.get("/readyz")).json).toEqual({
      status: "ready",
      locations: { flights: "healthy", analytics: "healthy" },
    });
    const metrics = (await api.get("/metrics")).text;
    expect(metrics).toContain('headgate_runs{state="blocked"} 1');
    expect(metrics).toContain('headgate_locations{state="healthy"} 2');
  });

  it("lists closed gates with what opens them, and what they block", async () => {
    const { json } = await api.get("/api/v1/gates");
    const [gate] = json.items;
    expect(json.count).toBe(1);
    expect(gate).toMatchObject({ asset: "flights/raw_flights", team: "flights", partitions: "2001-07", count: 1 });
    expect(gate.owner.contacts).toEqual(["flights@example.com"]);
    expect(gate.versions[0].reasons[0].message).toContain("6 observed, 310,000 needed");
    expect(gate.versions[0].remedies.map((remedy: Answer) => remedy.command).join("\n")).toContain(
      "npx headgate waive flights/raw_flights@",
    );
    expect(gate.blocks).toEqual({
      assets: 2,
      partitions: 2,
      teams: [
        { team: "flights", assets: 1 },
        { team: "analytics", assets: 1 },
      ],
      nearest: [
        { key: "flights/clean_flights", team: "flights", partitions: 1 },
        { key: "analytics/route_delays", team: "analytics", partitions: 1 },
      ],
    });
    expect((await api.get("/api/v1/gates?selection=team:analytics")).json).toEqual({ items: [], count: 0 });
  });

  it("shows one attempt with what it was to make, and refuses what is none", async () => {
    const made = await api.newestVersion("flights/clean_flights", "2001-03");
    const { json } = await api.get(`/api/v1/attempts/${made.attempt}`);
    expect(json).toMatchObject({ asset: "flights/clean_flights", partition: "2001-03", run: spring, version: made.id });
    const unknown = await api.get(`/api/v1/attempts/${made.id}`);
    expect(unknown).toMatchObject({ status: 404, json: { code: "attempt.unknown" } });
  });
});
