import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildGraph, type Graph } from "../../control-plane/src/domain/graph.ts";
import { assetOf, locationsOf } from "../support/graph-definitions.ts";
import { type Answer, ApiFixture } from "./api-fixture.ts";

/** Runs of numbers, written out. */
function numbers(runs: readonly number[]): number[] {
  const all: number[] = [];
  for (let i = 0; i < runs.length; i += 2) for (let n = 0; n < runs[i + 1]!; n++) all.push(runs[i]! + n);
  return all;
}

describe("the picture of the asset graph", () => {
  let api: ApiFixture;
  let layout: Answer;

  const statuses = async (after?: string): Promise<Answer> =>
    (await api.get(`/api/v1/graph/statuses${after === undefined ? "" : `?after=${after}`}`)).json;
  const named = (answer: Answer): Record<string, string> =>
    Object.fromEntries(
      answer.statuses.map(([asset, ...counts]: number[]) => [
        layout.keys[asset!],
        counts.map((n, i) => (i % 2 === 0 ? answer.words[n] : n)).join(" "),
      ]),
    );

  beforeAll(async () => {
    api = await ApiFixture.open();
    const { json } = await api.get("/api/v1/graph/overview");
    layout = (await api.get(`/api/v1/graph/layouts/${json.hash}`)).json;
  });
  afterAll(() => api.close());

  it("begins with boxes of teams that hold every asset of the layout, and says where their locations are", async () => {
    const { json } = await api.get("/api/v1/graph/overview");
    expect(json.teams.map(({ team, assets }: Answer) => [team, assets])).toEqual([
      ["analytics", 2],
      ["flights", 4],
    ]);
    expect(json.edges).toEqual([{ from: 1, to: 0, count: 2, back: false }]);
    expect(json.locations.map(({ name, state }: Answer) => [name, state])).toEqual([
      ["analytics", "healthy"],
      ["flights", "healthy"],
    ]);
    for (const [i, team] of layout.team.entries()) {
      const box = json.teams[team];
      expect(layout.x[i]).toBeGreaterThan(box.x);
      expect(layout.x[i]).toBeLessThan(box.x + box.width);
      expect(layout.y[i]).toBeGreaterThan(box.y);
      expect(layout.y[i]).toBeLessThan(box.y + box.height);
    }
  });

  it("keeps a layout under its hash for good, compressed for who takes that, and knows no other", async () => {
    const url = `/api/v1/graph/layouts/${layout.hash}`;
    const plain = await api.get(url);
    expect(plain.headers["cache-control"]).toContain("immutable");
    const again = await api.ask("GET", url, undefined, { "if-none-match": plain.headers["etag"] });
    expect([again.status, again.text]).toEqual([304, ""]);
    const packed = await api.app.inject({ url, headers: { host: "localhost", "accept-encoding": "gzip, br" } });
    expect(JSON.parse(gunzipSync(packed.rawPayload).toString())).toEqual(layout);
    expect((await api.get("/api/v1/graph/layouts/0000")).json).toMatchObject({
      status: 404,
      code: "graph.layout_unknown",
    });
  });

  it("says which assets a selection has, and what is wrong with one that has none", async () => {
    const chosen = async (selection: string) =>
      (await api.get(`/api/v1/graph/selection?selection=${encodeURIComponent(selection)}`)).json;
    const found = await chosen("flights/raw_flights+1 or analytics/half_year_summary");
    expect(found.count).toBe(3);
    expect(numbers(found.assets).map((n) => layout.keys[n])).toEqual([
      "analytics/half_year_summary",
      "flights/clean_flights",
      "flights/raw_flights",
    ]);
    expect(await chosen("flights/raw_flihgts")).toMatchObject({ status: 422, code: "selection.invalid" });
  });

  it("says which edges are strict, and how many checks hold a gate", () => {
    const edges: string[] = [];
    for (let e = 0; e < layout.edges.length; e += 3) {
      edges.push([layout.keys[layout.edges[e]], layout.keys[layout.edges[e + 1]], layout.edges[e + 2]].join(" "));
    }
    expect(edges.sort()).toEqual([
      "analytics/route_delays analytics/half_year_summary 1",
      "flights/airports analytics/route_delays 0",
      "flights/clean_flights analytics/route_delays 0",
      "flights/raw_flights flights/clean_flights 0",
    ]);
    expect(layout.checks[layout.keys.indexOf("flights/clean_flights")]).toBe(2);
  });

  it("answers every status once, and from then on what changed, with the gate that closed and all that it holds back", async () => {
    const first = await statuses();
    expect(first).toMatchObject({ full: true, hash: layout.hash, gates: [], gateCount: 0, shaded: [] });
    expect(named(first)["flights/raw_flights"]).toBe("neverMaterialized 7");
    expect(await statuses(first.revision)).toMatchObject({ full: false, statuses: [], revision: first.revision });

    await api.run("flights/raw_flights", "2001-01,2001-07");
    const second = await statuses(first.revision);
    expect(second.full).toBe(false);
    expect(named(second)).toEqual({ "flights/raw_flights": "failed 1 passed 1 neverMaterialized 5" });
    const place = (key: string) => layout.keys.indexOf(key);
    expect(second.gateCount).toBe(1);
    expect(second.gates[0]).toMatchObject({
      asset: place("flights/raw_flights"),
      checks: [{ team: "flights", name: "enough_rows", state: "failed" }],
      assets: 2,
      teams: 2,
    });
    const held = [place("analytics/route_delays"), place("flights/clean_flights")];
    expect(numbers(second.shaded)).toEqual(held);
    expect(numbers(second.gates[0].blocked)).toEqual(held);
    const shut = second.gates[0].edges.map((edge: number) => layout.keys[layout.edges[3 * edge + 1]]);
    expect(shut).toEqual(["flights/clean_flights"]);

    const { id } = await api.newestVersion("flights/raw_flights", "2001-07");
    const until = new Date(Date.now() + 86_400_000).toISOString();
    const waived = await api.post(`/api/v1/assets/flights%2Fraw_flights/versions/${id}/waiver`, {
      reason: "known",
      until,
    });
    expect(waived.status).toBe(201);
    const third = await statuses(second.revision);
    expect(named(third)).toEqual({ "flights/raw_flights": "waived 1 passed 1 neverMaterialized 5" });
    expect(third).toMatchObject({ gates: [], shaded: [] });
  });

  it("answers everything to who comes from another process, and to all once the graph is another", async () => {
    expect((await statuses("0199a7c4-5d1e-7b3a-9c55-0a4f5be1c2d3.7")).full).toBe(true);
    const { revision } = await statuses();
    const before = api.context.graph;
    const grown: Graph = buildGraph(locationsOf([assetOf("flights/new")]), new Map());
    Object.assign(api.context, { graph: () => grown });
    const after = await statuses(revision);
    expect(after.full).toBe(true);
    expect(after.hash).not.toBe(layout.hash);
    // The layout of before is still there for a page that is about to ask for it.
    expect((await api.get(`/api/v1/graph/layouts/${layout.hash}`)).status).toBe(200);
    Object.assign(api.context, { graph: before });
  });
});
