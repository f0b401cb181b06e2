import fc from "fast-check";
import { expect, it } from "vitest";
import { buildGraph, type Graph } from "../../control-plane/src/domain/graph.ts";
import { editDistance } from "../../control-plane/src/domain/nearest-key.ts";
import { assetOf, checkOf, locationsOf } from "../support/graph-definitions.ts";
import { naiveReads, naiveServed, type NaiveGraph } from "../support/naive-graph.ts";

/** Up to 12 assets of three teams; they read any of them, themselves too, and sometimes what is not there. */
const graphs: fc.Arbitrary<NaiveGraph> = fc.integer({ min: 1, max: 12 }).chain((count) => {
  const key = (i: number): string => (i === count ? "a/missing" : `${"abc".charAt(i % 3)}/n${i}`);
  const read = fc.oneof({ weight: 6, arbitrary: fc.nat(count - 1) }, { weight: 1, arbitrary: fc.nat(count) });
  const reads = fc.array(fc.uniqueArray(read, { maxLength: 2 }), { minLength: count, maxLength: count });
  return reads.map((lists) => lists.map((list, i) => assetOf(key(i), list.map(key))));
});

const nobody = new Map<string, never>();

function built(graph: NaiveGraph): Graph {
  return buildGraph(locationsOf(graph), nobody);
}

it("serves exactly the assets whose every upstream is served, however cycles and missing keys are tangled", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      expect(new Set(built(graph).order.map(({ key }) => key))).toEqual(naiveServed(graph));
    }),
    { numRuns: 1_000 },
  );
});

it("refuses each asset that it does not serve, and no other, on its own key and location", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const served = naiveServed(graph);
      const refused = graph.filter(({ key }) => !served.has(key)).map(({ key }) => key);
      const { errors } = built(graph);
      expect(new Set(errors.map(({ key }) => key))).toEqual(new Set(refused));
      for (const { key, location } of errors) expect(location).toBe(key.charAt(0));
    }),
    { numRuns: 500 },
  );
});

it("calls a cycle what reads itself, directly or not, with a path that is one", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const cycles = built(graph).errors.filter(({ code }) => code === "definition.cycle");
      const members = graph.filter(({ key }) => naiveReads(graph, key, key)).map(({ key }) => key);
      expect([...new Set(cycles.map(({ key }) => key))].sort()).toEqual(members.sort());
      for (const { key, message } of cycles) {
        if (message.startsWith(`${key} reads itself (`)) continue;
        const path = message.slice(message.lastIndexOf(": ") + 2, -1).split(" → ");
        expect([path[0], path.at(-1)]).toEqual([key, key]);
        for (const [i, upstream] of path.slice(1).entries()) {
          const reader = graph.find((asset) => asset.key === path[i]);
          expect(reader?.dependencies.map(({ asset }) => asset)).toContain(upstream);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

it("numbers assets upstream first, and every edge is in both of its ends' lists once", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { order } = built(graph);
      expect(order.map(({ index }) => index)).toEqual(order.map((_, i) => i));
      for (const node of order) {
        expect(node.upstream.map(({ dependency }) => dependency)).toEqual(node.definition.dependencies);
        for (const edge of node.upstream) {
          expect(edge.upstream.index).toBeLessThan(node.index);
          expect(edge.upstream.downstream.filter((other) => other === edge)).toHaveLength(1);
        }
        expect(node.downstream.every(({ upstream }) => upstream === node)).toBe(true);
      }
      const edges = (side: "upstream" | "downstream"): number =>
        order.reduce((sum, node) => sum + node[side].length, 0);
      expect(edges("downstream")).toBe(edges("upstream"));
    }),
    { numRuns: 500 },
  );
});

it("is the same graph whatever the order of the locations", () => {
  fc.assert(
    fc.property(graphs, fc.integer(), (graph, seed) => {
      const locations = locationsOf(graph);
      const turned = [...locations].sort(
        (a, b) => ((a.location.charCodeAt(0) * seed) % 7) - ((b.location.charCodeAt(0) * seed) % 7),
      );
      const summary = ({ order, errors }: Graph): unknown => [order.map(({ key }) => key), errors];
      expect(summary(buildGraph(turned, nobody))).toEqual(summary(buildGraph(locations, nobody)));
    }),
    { numRuns: 200 },
  );
});

it("quotes: one bad definition never hides the good ones, whatever is wrong with it", () => {
  const good = [assetOf("a/good", ["b/good"]), assetOf("b/good")];
  const bad = fc.array(
    fc.oneof(
      fc.constantFrom(
        assetOf("a/bad", ["a/good", "a/none"]),
        assetOf("b/bad", [{ asset: "a/good", mapping: { kind: "window", startOffset: 1, endOffset: 0 } }]),
        assetOf("a/good", ["a/none"]),
        assetOf("b/self", ["b/self", "a/good"]),
        assetOf("a/zone", [], {
          partitions: { kind: "timeWindow", cron: "@daily", timezone: "Mars/Base", start: "2001" },
        }),
        assetOf("a/keys", [], { partitions: { kind: "static", keys: ["x", "x"] } }),
      ),
    ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(bad, (definitions) => {
      const [a, b] = ["a", "b"].map((team) =>
        [...good, ...definitions].filter(({ key }) => key.startsWith(`${team}/`)),
      );
      const segments = locationsOf([...(a ?? []), ...(b ?? [])]);
      const graph = buildGraph(segments, nobody);
      expect(graph.asset("a/good")?.upstream.map(({ upstream }) => upstream.key)).toEqual(["b/good"]);
      expect(graph.order.map(({ key }) => key).sort()).toEqual(["a/good", "b/good"]);
      expect(graph.errors.every(({ code, message, hint }) => code !== "" && message !== "" && hint !== "")).toBe(true);
    }),
    { numRuns: 200 },
  );
});

it("keeps each check once and in order, however often and wherever it is defined", () => {
  const checks = fc.array(fc.record({ team: fc.constantFrom("a", "b"), name: fc.constantFrom("x", "y", "z") }));
  fc.assert(
    fc.property(checks, (list) => {
      const segments = locationsOf([assetOf("a/n"), assetOf("b/n")]).map((segment) => ({
        ...segment,
        checks: list
          .filter(({ team }) => team === segment.team)
          .map(({ name }) => ({ definition: checkOf("a/n", name), hash: name, firstSeenMs: 0 })),
      }));
      const ids = [...new Set(list.map(({ team, name }) => `a/n@${team}:${name}`))].sort();
      const graph = buildGraph(segments, nobody);
      expect(graph.asset("a/n")?.checks.map(({ id }) => id)).toEqual(ids);
    }),
    { numRuns: 200 },
  );
});

/** By its definition: what an optimal string alignment of the first letters costs. */
function naiveDistance(a: string, b: string): number {
  if (a === "" || b === "") return a.length + b.length;
  const [x, y] = [a.slice(0, -1), b.slice(0, -1)];
  const swapped = a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1);
  return Math.min(
    naiveDistance(x, b) + 1,
    naiveDistance(a, y) + 1,
    naiveDistance(x, y) + (a.at(-1) === b.at(-1) ? 0 : 1),
    swapped ? naiveDistance(a.slice(0, -2), b.slice(0, -2)) + 1 : Infinity,
  );
}

it("measures the edit distance as its definition says, and stops at the bound", () => {
  const words = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 });
  fc.assert(
    fc.property(words, words, fc.nat(4), (a, b, max) => {
      expect(editDistance(a, b, max)).toBe(Math.min(naiveDistance(a, b), max + 1));
    }),
    { numRuns: 500 },
  );
});
