import { rangeSet } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ClosedGate,
  assetGates,
  blastRadius,
  blockedBehind,
} from "../../control-plane/src/domain/closed-gates.ts";
import type { VersionView } from "../../control-plane/src/domain/gate.ts";
import { type AssetNode, type Graph, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { plan } from "../../control-plane/src/domain/plan.ts";
import { resultOf, versionOf, viewOf, waiverOf } from "../support/gate-versions.ts";
import { type DependencyText, assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

const nowMs = Date.UTC(2001, 7, 15);
const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2001-08" } as const;

const flights = buildGraph(
  [
    locationOf(
      "flights",
      [
        assetOf("flights/raw", [], { partitions: months }),
        assetOf("flights/clean", ["flights/raw"], { partitions: months }),
      ],
      [checkOf("flights/raw", "enough"), checkOf("flights/raw", "style", { blocking: false })],
    ),
    locationOf(
      "analytics",
      [
        assetOf("analytics/delays", ["flights/clean"], { partitions: months }),
        assetOf("analytics/worst", [{ asset: "analytics/delays", mapping: { kind: "all" }, atLeast: 6 }]),
        assetOf("analytics/total", [{ asset: "analytics/delays", mapping: { kind: "all" } }]),
        assetOf("analytics/latest", [
          { asset: "analytics/delays", mode: "lastValidated", mapping: { kind: "all" }, atLeast: 1 },
        ]),
        assetOf("analytics/after", [{ asset: "flights/raw", mode: "orderOnly", mapping: { kind: "all" } }]),
      ],
      [checkOf("flights/raw", "fit")],
    ),
  ],
  new Map(),
);

function nodeOf(graph: Graph, key: string): AssetNode {
  const node = graph.asset(key);
  if (node === undefined) throw new Error(key);
  return node;
}

/** The gates of `flights/raw` if its months have these results. */
function rawGates(results: Record<string, Partial<VersionView>>) {
  const raw = nodeOf(flights, "flights/raw");
  return assetGates(
    raw,
    Object.entries(results).map(([partition, more]) => {
      const ordinal = raw.space.ordinalOf(partition);
      if (ordinal === undefined) throw new Error(partition);
      return [ordinal, versionOf(`v-${partition}`, 7, { partition, ...more })];
    }),
    nowMs,
  );
}

const passed = [resultOf("flights:enough", "passed"), resultOf("analytics:fit", "passed")];
const failed = [resultOf("flights:enough", "failed"), resultOf("analytics:fit", "passed")];
const shutFor = (gates: readonly ClosedGate[], graph = flights) =>
  Object.fromEntries(
    [...blockedBehind(graph, gates, nowMs)].map(([node, set]) => [
      node.key,
      [...rangeSet.ordinals(set)].map((n) => node.space.keyAt(n)),
    ]),
  );

describe("closed gates", () => {
  it("are the required checks that failed, errored or were not run, with their partitions and the oldest version", () => {
    const { closed, evaluating } = rawGates({
      "2001-05": { results: passed },
      "2001-06": { results: failed, createdAtMs: 600 },
      "2001-07": {
        results: [resultOf("flights:enough", "failed"), resultOf("analytics:fit", "errored")],
        createdAtMs: 700,
      },
    });
    expect(evaluating).toBe(false);
    expect(
      closed.map(({ check, state, partitions, sinceMs, reason }) => [
        `${check.team}:${check.name}`,
        state,
        rangeSet.size(partitions),
        sinceMs,
        reason.partition,
      ]),
    ).toEqual([
      ["flights:enough", "failed", 2, 600, "2001-06"],
      ["analytics:fit", "errored", 1, 700, "2001-07"],
    ]);
  });

  it("are neither those that are waived nor those that do not gate, and a result that is still to come only evaluates", () => {
    const waived = rawGates({ "2001-07": { results: failed, liveWaivers: [waiverOf("flights:enough", nowMs + 1)] } });
    expect(waived).toEqual({ closed: [], evaluating: false });
    const style = rawGates({ "2001-07": { results: [...passed, resultOf("flights:style", "failed")] } });
    expect(style).toEqual({ closed: [], evaluating: false });
    const late = rawGates({ "2001-07": { results: passed.slice(0, 1), createdAtMs: nowMs - 1 } });
    expect(late).toEqual({ closed: [], evaluating: true });
  });
});

describe("what waits behind a closed gate", () => {
  it("is what edges lead to but those to the last validated, partition by partition, and an edge that needs some of many only if too few are left", () => {
    const july = rawGates({ "2001-07": { results: failed } }).closed;
    expect(shutFor(july)).toEqual({
      "flights/clean": ["2001-07"],
      "analytics/delays": ["2001-07"],
      "analytics/total": [""],
      "analytics/after": [""],
    });
    const two = rawGates({ "2001-06": { results: failed }, "2001-07": { results: failed } }).closed;
    expect(Object.keys(shutFor(two))).toContain("analytics/worst");
  });

  it("is nothing of teams that the check does not gate", () => {
    // The analytics team's check of another team's asset gates edges into analytics alone.
    const fit = [resultOf("flights:enough", "passed"), resultOf("analytics:fit", "failed")];
    const gates = rawGates({ "2001-07": { results: fit } }).closed;
    expect(gates.map(({ check }) => check.name)).toEqual(["fit"]);
    expect(shutFor(gates)).toEqual({ "analytics/after": [""] });
  });

  it("is every later partition of an asset that reads itself", () => {
    const self: DependencyText = { asset: "a/sum", mapping: { kind: "window", startOffset: -1, endOffset: -1 } };
    const graph = buildGraph(
      [
        locationOf(
          "a",
          [assetOf("a/raw", [], { partitions: months }), assetOf("a/sum", ["a/raw", self], { partitions: months })],
          [checkOf("a/raw", "enough")],
        ),
      ],
      new Map(),
    );
    const raw = nodeOf(graph, "a/raw");
    const version = versionOf("v", 1, { partition: "2001-05", results: [resultOf("a:enough", "failed")] });
    const { closed } = assetGates(raw, [[raw.space.ordinalOf("2001-05") ?? -1, version]], nowMs);
    expect(shutFor(closed, graph)).toEqual({ "a/sum": ["2001-05", "2001-06", "2001-07"] });
  });

  it("names the edges that are shut, and for one of several gates only what waits behind that one", () => {
    const gates = rawGates({ "2001-06": { results: failed }, "2001-07": { results: failed } }).closed;
    const all = blockedBehind(flights, gates, nowMs);
    const { edges, blocked } = blastRadius(flights, gates, all, nowMs);
    expect(edges.map(({ upstream, downstream }) => [upstream.key, downstream.key])).toEqual([
      ["flights/raw", "analytics/after"],
      ["flights/raw", "flights/clean"],
    ]);
    expect(new Map(blocked)).toEqual(new Map(all));
  });

  /** Up to 10 assets of two teams in three regions or one piece; the first three are sources with a check. */
  const modes = fc.constantFrom("strict", "lastValidated", "orderOnly");
  const regions = { kind: "static", keys: ["eu", "us", "as"] } as const;
  const cases = fc.integer({ min: 4, max: 10 }).chain((count) =>
    fc.record({
      partitioned: fc.array(fc.boolean(), { minLength: count, maxLength: count }),
      reads: fc.array(fc.uniqueArray(fc.tuple(fc.nat(count), modes), { selector: ([n]) => n, maxLength: 3 }), {
        minLength: count,
        maxLength: count,
      }),
      shut: fc.array(fc.subarray(["eu", "us", "as"]), { minLength: 3, maxLength: 3 }),
    }),
  );

  it("is what a plan of everything downstream would forecast as blocked", () => {
    fc.assert(
      fc.property(cases, ({ partitioned, reads, shut }) => {
        const key = (i: number) => `${i % 2 === 0 ? "a" : "b"}/n${i}`;
        const assets = partitioned.map((parts, i) => {
          const lists = i < 3 ? [] : reads[i]!.filter(([n]) => n < i);
          return assetOf(
            key(i),
            lists.map(([n, mode]) => ({ asset: key(n), mode })),
            parts ? { partitions: regions } : {},
          );
        });
        const checks = [0, 1, 2].map((i) => checkOf(key(i), "good"));
        const of = (team: string) =>
          locationOf(
            team,
            assets.filter((one) => one.key.startsWith(team)),
            checks.filter((one) => one.asset.startsWith(team)),
          );
        const graph = buildGraph([of("a"), of("b")], new Map());

        // Every partition has an open version; of those that are shut a newer one failed.
        const versions: Record<string, VersionView[]> = {};
        const gates: ClosedGate[] = [];
        for (const [i, { key: asset }] of assets.entries()) {
          const node = nodeOf(graph, asset);
          const newest: [number, VersionView][] = [];
          for (const partition of partitioned[i] ? regions.keys : [""]) {
            const good = [resultOf(`${node.team}:good`, "passed")];
            const bad = [resultOf(`${node.team}:good`, "failed")];
            const fails = i < 3 && (partition === "" ? shut[i]!.length > 0 : shut[i]!.includes(partition));
            const list = [versionOf(`${asset}${partition}1`, 1, { partition, results: good })];
            if (fails) list.unshift(versionOf(`${asset}${partition}2`, 2, { partition, results: bad }));
            versions[partition === "" ? asset : `${asset} ${partition}`] = list;
            newest.push([node.space.ordinalOf(partition) ?? -1, list[0]!]);
          }
          gates.push(...assetGates(node, newest, nowMs).closed);
        }
        const selection = assets
          .slice(3)
          .map((one) => one.key)
          .join(" or ");
        const result = plan(graph, { selection }, viewOf(versions), nowMs);
        if (!result.ok) throw new Error(result.message);
        const forecast = result.plan.steps
          .filter((step) => step.forecast.kind === "blocked")
          .map(({ asset, partition }) => `${asset} ${partition}`);
        const all = blockedBehind(graph, gates, nowMs);
        const names = (blocked: typeof all) =>
          [...blocked].flatMap(([node, set]) =>
            [...rangeSet.ordinals(set)].map((n) => `${node.key} ${node.space.keyAt(n)}`),
          );
        expect(names(all).sort()).toEqual(forecast.sort());
        const one = gates.flatMap((gate) => names(blastRadius(graph, [gate], all, nowMs).blocked));
        expect([...new Set(one)].sort()).toEqual(forecast.sort());
      }),
      { numRuns: 300 },
    );
  });
});
