import { rangeSet } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { VersionView } from "../../control-plane/src/domain/gate.ts";
import { type Graph, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { planMissingChecks } from "../../control-plane/src/domain/check-steps.ts";
import { plan } from "../../control-plane/src/domain/plan.ts";
import { planChecks } from "../../control-plane/src/domain/plan-checks.ts";
import { planTargets } from "../../control-plane/src/domain/plan-targets.ts";
import { type Forecast, type Plan, type PlannedStep, stepsMax } from "../../control-plane/src/domain/planned-step.ts";
import { resultOf, versionOf, viewOf } from "../support/gate-versions.ts";
import { type DependencyText, assetOf, checkOf, locationOf, retired } from "../support/graph-definitions.ts";

const nowMs = Date.UTC(2001, 7, 15);
const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2001-08" } as const;
const nothing = viewOf({});

function planned(graph: Graph, selection: string, view = nothing, partitions?: string): Plan {
  const result = plan(graph, { selection, ...(partitions === undefined ? {} : { partitions }) }, view, nowMs);
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.plan;
}

const line = ({ index, kind, asset, partition, after, location, checks }: PlannedStep): string =>
  `${String(index)} ${kind} ${asset}${partition === "" ? "" : ` ${partition}`} in ${location} after [${after.join(" ")}] checks [${checks.join(" ")}]`;

const flights = buildGraph(
  [
    locationOf(
      "flights",
      [
        assetOf("flights/raw", [], { partitions: months }),
        assetOf("flights/clean", ["flights/raw"], { partitions: months }),
        assetOf("flights/airports"),
        assetOf("flights/broken", ["flights/missing"]),
      ],
      [checkOf("flights/raw", "enough"), checkOf("flights/clean", "no_nulls")],
    ),
    locationOf(
      "analytics",
      [
        assetOf("analytics/delays", ["flights/clean", "flights/airports"], { partitions: months }),
        assetOf("analytics/summary", [
          { asset: "analytics/delays", mode: "lastValidated", mapping: { kind: "all" }, atLeast: 1 },
        ]),
      ],
      [checkOf("flights/clean", "fit")],
    ),
    locationOf("old", [retired(assetOf("old/gone")), assetOf("old/reader", ["old/gone"])]),
  ],
  new Map(),
);

describe("a plan", () => {
  test("has a step a partition, upstream first, each after what it reads; checks of others are steps of their own", () => {
    expect(planned(flights, "flights/raw+1 or analytics/delays", nothing, "2001-01..2001-02").steps.map(line)).toEqual([
      "0 materialize flights/raw 2001-01 in flights after [] checks [enough]",
      "1 materialize flights/raw 2001-02 in flights after [] checks [enough]",
      "2 materialize flights/clean 2001-01 in flights after [0] checks [no_nulls]",
      "3 checks flights/clean 2001-01 in analytics after [2] checks [fit]",
      "4 materialize flights/clean 2001-02 in flights after [1] checks [no_nulls]",
      "5 checks flights/clean 2001-02 in analytics after [4] checks [fit]",
      "6 materialize analytics/delays 2001-01 in analytics after [2 3] checks []",
      "7 materialize analytics/delays 2001-02 in analytics after [4 5] checks []",
    ]);
  });

  test("keeps nobody waiting for the checks of a third team", () => {
    const graph = buildGraph(
      [
        locationOf("a", [assetOf("a/up"), assetOf("a/down", ["a/up"])]),
        locationOf("b", [assetOf("b/down", ["a/up"])], [checkOf("a/up", "fit")]),
      ],
      new Map(),
    );
    expect(planned(graph, "a/* or b/*").steps.map(line)).toEqual([
      "0 materialize a/up in a after [] checks []",
      "1 checks a/up in b after [0] checks [fit]",
      "2 materialize a/down in a after [0] checks []",
      "3 materialize b/down in b after [0 1] checks []",
    ]);
  });

  test("resolves the mapped partitions of every edge once", () => {
    const { steps } = planned(flights, "analytics/summary");
    expect(steps[0]?.edges.map(({ edge, set }) => [edge.upstream.key, set])).toEqual([
      ["analytics/delays", rangeSet.range(0, 7)],
    ]);
  });

  test("asks for every partition there is when none is named, and for the one of what is not partitioned", () => {
    expect(planned(flights, "flights/raw or flights/airports").steps.length).toBe(8);
    expect(
      planned(flights, "flights/raw or flights/airports", nothing, "2001-03")
        .steps.map((s) => s.partition)
        .sort(),
    ).toEqual(["", "2001-03"]);
  });

  test.each([
    [{ selection: "flights/" }, "selection.invalid"],
    [{ selection: "flights/clen" }, "asset.unknown"],
    [{ selection: "flights/broken" }, "asset.refused"],
    [{ selection: "team:nobody" }, "selection.empty"],
    [{ selection: "old/gone" }, "asset.retired"],
    [{ selection: "flights/airports", partitions: "2001-01" }, "partitions.not_partitioned"],
    [{ selection: "flights/raw", partitions: "2001-13" }, "partitions.invalid"],
    [{ selection: "flights/raw", partitions: "2002-01" }, "partitions.invalid"],
  ])("of %j is refused: %s", (request, code) => {
    const result = planTargets(flights, request, nowMs);
    expect(result).toMatchObject({ ok: false, code });
    if (result.ok) return;
    expect(result.message.length).toBeGreaterThan(10);
    expect(result.hint.length).toBeGreaterThan(5);
  });

  test("suggests the key that was probably meant", () => {
    expect(planTargets(flights, { selection: "flights/clen" }, nowMs)).toMatchObject({
      message: "No asset flights/clen is defined in any code location.",
      hint: "Did you mean flights/clean?",
    });
  });

  test("has at most fifty thousand steps, and says what to do beyond", () => {
    const days = { kind: "timeWindow", cron: "0 * * * *", timezone: "UTC", start: "1990-01-01T00:00+00:00" } as const;
    const graph = buildGraph([locationOf("a", [assetOf("a/hourly", [], { partitions: days })])], new Map());
    const result = plan(graph, { selection: "a/hourly" }, nothing, nowMs);
    expect(result).toMatchObject({ ok: false, code: "run.too_large" });
    if (!result.ok) expect(result.hint).toContain("backfill");
    expect(stepsMax).toBe(50_000);
  });

  test("counts the checks of other teams among its steps", () => {
    const hours = { kind: "timeWindow", cron: "0 * * * *", timezone: "UTC", start: "1998-01-01T00:00+00:00" } as const;
    const graph = buildGraph(
      [
        locationOf("a", [assetOf("a/hourly", [], { partitions: hours })]),
        locationOf("b", [], [checkOf("a/hourly", "one")]),
      ],
      new Map(),
    );
    expect(plan(graph, { selection: "a/hourly" }, nothing, nowMs)).toMatchObject({ ok: false, code: "run.too_large" });
  });
});

describe("a plan of checks", () => {
  const view = viewOf({
    "flights/clean 2001-01": [
      versionOf("new", 2, { partition: "2001-01" }),
      versionOf("old", 1, { partition: "2001-01" }),
    ],
  });

  test("runs them on the newest version, one step a location", () => {
    const result = planChecks(flights, { asset: "flights/clean" }, view, nowMs);
    if (!result.ok) throw new Error(result.message);
    expect(result.plan.steps.map((step) => [line(step), step.versionId])).toEqual([
      ["0 checks flights/clean 2001-01 in analytics after [] checks [fit]", "new"],
      ["1 checks flights/clean 2001-01 in flights after [] checks [no_nulls]", "new"],
    ]);
  });

  test("runs one of them, on the version that is named", () => {
    const request = { asset: "flights/clean", check: "no_nulls", versionId: "old" };
    const result = planChecks(flights, request, view, nowMs);
    if (!result.ok) throw new Error(result.message);
    expect(result.plan.steps.map((step) => [step.checks, step.versionId])).toEqual([[["no_nulls"], "old"]]);
  });

  test.each([
    [{ asset: "flights/clean", check: "nope" }, "check.unknown"],
    [{ asset: "flights/raw" }, "check.no_version"],
    [{ asset: "flights/clean", versionId: "nope" }, "check.no_version"],
    [{ asset: "flights/nope" }, "asset.unknown"],
  ])("of %j is refused: %s", (request, code) => {
    expect(planChecks(flights, request, view, nowMs)).toMatchObject({ ok: false, code });
  });

  test("never runs what is required and nobody defines", () => {
    const node = flights.asset("flights/clean")!;
    const [check] = node.checks;
    expect(planMissingChecks(node, "", "v", [{ ...check!, location: "" }], 0)).toEqual([]);
  });
});

describe("the forecast", () => {
  const shut = (partition: string) =>
    versionOf(`shut-${partition}`, 1, { partition, results: [resultOf("flights:enough", "failed")] });

  test("says what is blocked, down to the check that shut", () => {
    const view = viewOf({ "flights/raw 2001-07": [shut("2001-07")] });
    const [step] = planned(flights, "flights/clean", view, "2001-07").steps;
    expect(step?.forecast).toMatchObject({ kind: "blocked", reasons: [{ kind: "checkFailed", check: "enough" }] });
    const [after] = planned(flights, "analytics/delays", view, "2001-07").steps;
    expect(after?.forecast).toMatchObject({
      kind: "blocked",
      reasons: [
        { kind: "neverMaterialized", asset: "flights/airports" },
        { kind: "checkFailed", check: "enough" },
      ],
    });
  });

  test("counts what the run makes itself towards what an edge requires", () => {
    const graph = buildGraph(
      [
        locationOf("a", [
          assetOf("a/up", [], { partitions: months }),
          assetOf("a/most", [{ asset: "a/up", mapping: { kind: "all" }, atLeast: 5 }]),
        ]),
      ],
      new Map(),
    );
    const existing = viewOf({ "a/up 2001-07": [versionOf("v", 1, { partition: "2001-07" })] });
    const forecastOf = (partitions: string, view = nothing) =>
      planned(graph, "a/*", view, partitions).steps.at(-1)?.forecast.kind;
    expect(forecastOf("2001-01..2001-05")).toBe("runs");
    expect(forecastOf("2001-01..2001-04")).toBe("blocked");
    expect(forecastOf("2001-01..2001-04", existing)).toBe("runs");
  });
});

// Against a naive walk -------------------------------------------------------------------------------------------------

const keys = ["a/k0", "a/k1", "a/k2", "a/k3", "a/k4"];
const partitions = { kind: "static", keys: ["p0", "p1", "p2"] } as const;

const worlds = fc
  .record({
    assets: fc.array(
      fc.record({
        upstream: fc.array(
          fc.record({
            to: fc.nat(4),
            mode: fc.constantFrom("strict", "lastValidated", "orderOnly"),
            all: fc.boolean(),
            atLeast: fc.integer({ min: 0, max: 2 }),
          }),
          { maxLength: 2 },
        ),
        check: fc.boolean(),
        // Of each partition the versions, newest first, by what their check says; null: not run.
        versions: fc.array(fc.array(fc.constantFrom("passed", "failed", null), { maxLength: 2 }), {
          minLength: 3,
          maxLength: 3,
        }),
      }),
      { minLength: 5, maxLength: 5 },
    ),
    selected: fc.subarray(keys, { minLength: 1 }),
    asked: fc.subarray(["p0", "p1", "p2"], { minLength: 1 }),
  })
  .map(({ assets, selected, asked }) => {
    const definitions = assets.map(({ upstream }, n) =>
      assetOf(
        keys[n] ?? "",
        upstream
          .filter((_, i) => n > 0 || i < 0)
          .map(({ to, mode, all, atLeast }): DependencyText => ({
            asset: keys[to % n] ?? "",
            mode: mode as "strict",
            mapping: all ? { kind: "all" } : { kind: "identity" },
            atLeast: all ? atLeast : 0,
          })),
        { partitions },
      ),
    );
    const checks = assets.flatMap(({ check }, n) => (check ? [checkOf(keys[n] ?? "", "ok")] : []));
    const graph = buildGraph([locationOf("a", definitions, checks)], new Map());
    const versions: Record<string, VersionView[]> = {};
    for (const [n, asset] of assets.entries()) {
      for (const [p, list] of asset.versions.entries()) {
        versions[`${keys[n] ?? ""} p${String(p)}`] = list.map((outcome, i) =>
          versionOf(`${keys[n] ?? ""}-p${String(p)}-${String(i)}`, 9 - i, {
            partition: `p${String(p)}`,
            results: outcome === null ? [] : [resultOf("a:ok", outcome)],
          }),
        );
      }
    }
    return { graph, versions, selected, asked };
  });

type World = typeof worlds extends fc.Arbitrary<infer W> ? W : never;

/** Walks the steps in order and asks of each partition that it reads: will it be there, can it come, or is it shut? */
function naiveForecast(
  { graph, versions }: World,
  step: PlannedStep,
  before: ReadonlyMap<string, Forecast["kind"]>,
): Forecast["kind"] {
  const node = graph.asset(step.asset)!;
  let waits = false;
  let blocked = false;
  for (const { dependency, upstream, mapping, atLeast } of node.upstream) {
    const read = mapping.kind === "all" ? ["p0", "p1", "p2"] : [step.partition];
    let there = 0;
    let may = 0;
    for (const partition of read) {
      const own = before.get(`${upstream.key} ${partition}`);
      if (own !== undefined && own !== "blocked") {
        there++;
        continue;
      }
      if (own === "blocked" && dependency.mode !== "lastValidated" && atLeast === 0) continue;
      const states = (versions[`${upstream.key} ${partition}`] ?? []).map((version) =>
        upstream.checks.length === 0 ? "passed" : (version.results[0]?.outcome ?? "pending"),
      );
      const state = dependency.mode === "lastValidated" && states.includes("passed") ? "passed" : states[0];
      if (state === "passed") there++;
      else if (state === "pending") may++;
    }
    const needed = atLeast === 0 ? read.length : atLeast;
    if (there >= needed) continue;
    if (there + may >= needed) waits = true;
    else blocked = true;
  }
  return blocked ? "blocked" : waits ? "waits" : "runs";
}

test("every forecast is what a naive walk says, and every step comes after the steps that make what it reads", () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const { graph, versions, selected, asked } = world;
      const { steps } = planned(graph, selected.join(" or "), viewOf(versions), asked.join(","));
      expect(steps.length).toBe(selected.length * asked.length);
      const before = new Map<string, Forecast["kind"]>();
      for (const step of steps) {
        expect([step.asset, step.partition, step.forecast.kind]).toEqual([
          step.asset,
          step.partition,
          naiveForecast(world, step, before),
        ]);
        if (step.forecast.kind === "blocked") expect(step.forecast.reasons.length).toBeGreaterThan(0);
        before.set(`${step.asset} ${step.partition}`, step.forecast.kind);
        const reads = new Set<string>();
        for (const { edge, set } of step.edges) {
          for (const n of rangeSet.ordinals(set)) reads.add(`${edge.upstream.key} ${edge.upstream.space.keyAt(n)}`);
        }
        const inRun = steps
          .filter((other) => reads.has(`${other.asset} ${other.partition}`))
          .map((other) => other.index);
        expect([...new Set(step.after)].sort((a, b) => a - b)).toEqual(inRun);
        for (const index of inRun) expect(index).toBeLessThan(step.index);
      }
    }),
    { numRuns: 500 },
  );
});
