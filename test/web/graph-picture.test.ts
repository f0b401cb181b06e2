import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSelection, marked, namedLike } from "../../web/src/graph/looked-for.ts";
import { type Layout, type Statuses, graphModel } from "../../web/src/graph/picture/graph-model.ts";
import { assetLook } from "../../web/src/graph/picture/asset-look.ts";
import { nextState, unknownState, withLocations } from "../../web/src/graph/picture/graph-state.ts";
import { neighbourhood, waysToGates } from "../../web/src/graph/picture/paths.ts";
import { focusScene, hitAt, wholeScene } from "../../web/src/graph/picture/scene.ts";
import { fitted, moved, parseView, seen, viewText, zoomed } from "../../web/src/graph/picture/view.ts";
import { treeRows } from "../../web/src/graph/tree-rows.ts";

/*
 * raw → clean → delays → summary, airports → delays; delays → summary is lastValidated. Numbers are by key:
 * 0 analytics/delays, 1 analytics/summary, 2 flights/airports, 3 flights/clean, 4 flights/raw.
 */
const layout: Layout = {
  hash: "one",
  keys: ["analytics/delays", "analytics/summary", "flights/airports", "flights/clean", "flights/raw"],
  teams: ["analytics", "flights"],
  team: [0, 0, 1, 1, 1],
  locations: ["analytics", "flights"],
  location: [0, 0, 1, 1, 1],
  x: [1_000, 1_300, 0, 300, 0],
  y: [0, 0, 100, 0, 0],
  checks: [1, 0, 0, 2, 1],
  edges: [2, 0, 0, 3, 0, 0, 4, 3, 0, 0, 1, 1],
  passages: [],
};
const model = graphModel(layout);
const words = ["materializing", "failed", "passed", "neverMaterialized"] as const;
const shut: Statuses = {
  hash: "one",
  revision: "e.1",
  full: true,
  words: [...words],
  statuses: [
    [0, 2, 1],
    [1, 2, 1],
    [2, 0, 1],
    [3, 2, 6, 3, 1],
    [4, 1, 1, 2, 6],
  ],
  shaded: [0, 1, 3, 1],
  evaluating: [],
  gates: [
    {
      asset: 4,
      checks: [{ team: "flights", name: "enough", state: "failed" }],
      edges: [2],
      blocked: [0, 1, 3, 1],
      assets: 2,
      teams: 2,
    },
  ],
  gateCount: 1,
};
const state = nextState(model, unknownState(model), shut)!;

describe("what is known of the graph", () => {
  it("says nothing of an asset before statuses came, and takes in only what changed afterwards", () => {
    expect(assetLook(unknownState(model), 4).tone).toBe("unknown");
    const later = nextState(model, state, { ...shut, full: false, statuses: [[2, 2, 1]], gates: [], shaded: [] })!;
    expect([...later.status]).toEqual([2, 2, 2, 2, 1]);
    expect(later.counts[3]).toEqual([2, 6, 3, 1]);
    expect([...later.gate]).toEqual([1, 0, 0, 1, 1]);
    expect(later.shutEdge.includes(1)).toBe(false);
    expect(nextState(model, state, { ...shut, hash: "two" })).toBeUndefined();
  });

  it("shows what waits as blocked, what failed or runs as such, and lays fog over assets of locations that are away", () => {
    expect([0, 2, 3, 4].map((asset) => assetLook(state, asset).tone)).toEqual([
      "blocked",
      "running",
      "blocked",
      "failed",
    ]);
    const away = { name: "analytics", team: "analytics", state: "unreachable" as const, lastSeenAt: null };
    const fogged = withLocations(model, state, [away, { ...away, name: "flights", state: "healthy" }]);
    expect([...fogged.fogged]).toEqual([1, 1, 0, 0, 0]);
    expect(assetLook(fogged, 1)).toEqual({ tone: "unknown", glyph: "question" });
  });

  it("leads from what waits to the gate that is shut, and nowhere from what does not wait", () => {
    expect(waysToGates(model, state, 0)).toEqual([{ assets: [0, 3, 4], edges: [1, 2] }]);
    expect(waysToGates(model, state, 3)).toEqual([{ assets: [3, 4], edges: [2] }]);
    expect(waysToGates(model, state, 1)).toEqual([]);
  });

  it("finds what is around an asset, so many edges up and down", () => {
    expect(neighbourhood(model, 0, 1, 1)).toEqual([0, 1, 2, 3]);
    expect(neighbourhood(model, 0, 2, 0)).toEqual([0, 2, 3, 4]);
    expect(neighbourhood(model, 4, 0, 20)).toEqual([0, 1, 3, 4]);
  });
});

describe("what is looked for", () => {
  it("is a part of a name, unless it has the signs of a selection or is a key", () => {
    expect(["team:growth", "+a/b", "a/b+1", "a/*", "a or b"].map((text) => isSelection(text, model))).toEqual(
      Array(5).fill(true),
    );
    expect(isSelection("flights/raw", model)).toBe(true);
    expect(["orders", "flights/ra", "nothing", "order"].map((text) => isSelection(text, model))).toEqual(
      Array(4).fill(false),
    );
    expect(marked(namedLike(model, "raw FLIGHTS"))).toEqual([4]);
  });
});

describe("the tree", () => {
  it("has every team, the assets of those that are open, and each its place among its own", () => {
    const rows = treeRows(model, new Set([1]), undefined);
    expect(rows.map((row) => (row.kind === "team" ? model.teams[row.team] : model.keys[row.asset]))).toEqual([
      "analytics",
      "flights",
      "flights/airports",
      "flights/clean",
      "flights/raw",
    ]);
    expect(rows.map(({ place, of }) => `${place}/${of}`)).toEqual(["1/2", "2/2", "1/3", "2/3", "3/3"]);
  });

  it("has only what is looked for, with the teams that have some of it", () => {
    const rows = treeRows(model, new Set([0, 1]), namedLike(model, "raw"));
    expect(rows.map((row) => row.kind)).toEqual(["team", "asset"]);
    expect(rows[0]).toMatchObject({ team: 1, shown: 1, place: 1, of: 1 });
  });
});

describe("the picture", () => {
  const overview = { hash: "one", width: 1_508, height: 156, locations: [], edges: [], teams: [] };

  it("knows what lies under a point", () => {
    const scene = wholeScene(model, {
      ...overview,
      teams: [{ team: "flights", assets: 3, x: -20, y: -60, width: 600, height: 300 }],
    });
    expect(hitAt(scene, 310, 20)).toEqual({ kind: "asset", asset: 3 });
    expect(hitAt(scene, 560, 200)).toEqual({ kind: "team", team: 1 });
    expect(hitAt(scene, 5_000, 0)).toBeUndefined();
  });

  it("lays out what is in focus by itself, with the edges between and no others", () => {
    const scene = focusScene(model, [0, 2, 3]);
    expect([...scene.assets]).toEqual([0, 2, 3]);
    expect([...scene.edges]).toEqual([0, 1]);
    expect(scene.x[0]).toBeGreaterThan(scene.x[1]!);
  });

  const views = fc.record({
    x: fc.integer({ min: -1_000, max: 1_000 }),
    y: fc.integer({ min: -1_000, max: 1_000 }),
    scale: fc.double({ min: 0.02, max: 1.5, noNaN: true }),
  });

  it("keeps the point under the pointer where it is while one zooms", () => {
    const points = fc.record({ x: fc.nat(1_000), y: fc.nat(1_000) });
    fc.assert(
      fc.property(views, points, fc.double({ min: 0.5, max: 2, noNaN: true }), (view, at, factor) => {
        const after = zoomed(view, factor, at);
        expect(after.x + at.x / after.scale).toBeCloseTo(view.x + at.x / view.scale, 6);
        expect(after.y + at.y / after.scale).toBeCloseTo(view.y + at.y / view.scale, 6);
      }),
    );
  });

  it("shows all of what it is fitted to, and moves with the hand", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 1, max: 20_000 }), (width, height) => {
        const screen = { width: 900, height: 700 };
        const view = fitted({ x: 0, y: 0, width, height }, screen);
        const sight = seen(view, screen);
        expect(sight.x).toBeLessThanOrEqual(0);
        expect(sight.y).toBeLessThanOrEqual(0);
        expect(sight.x + sight.width).toBeGreaterThanOrEqual(width);
        expect(sight.y + sight.height).toBeGreaterThanOrEqual(height);
        expect(moved(view, 10, 0).x).toBeCloseTo(view.x - 10 / view.scale, 6);
      }),
    );
  });

  it("reads from an address what it wrote there, and nothing from what is no view", () => {
    expect(parseView(viewText({ x: 12, y: -3, scale: 0.25 }))).toEqual({ x: 12, y: -3, scale: 0.25 });
    expect(["", "1,2", "a,b,c", "1,2,0", undefined].map(parseView)).toEqual(Array(5).fill(undefined));
  });
});
