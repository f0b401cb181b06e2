import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entangledStep } from "../../control-plane/src/domain/computed-together.ts";
import { type Graph, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { plan } from "../../control-plane/src/domain/plan.ts";
import type { PlanResult, PlannedStep } from "../../control-plane/src/domain/planned-step.ts";
import { stepIdentity, withoutSucceeded } from "../../control-plane/src/domain/retry-plan.ts";
import { resultOf, versionOf, viewOf } from "../support/gate-versions.ts";
import { assetOf, checkOf, keyOf, lastGood, locationOf, retired } from "../support/graph-definitions.ts";

const nowMs = Date.UTC(2001, 2, 15);
const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2001-04" } as const;
const partOf = (canSubset: boolean, ...keys: string[]) => ({ multi: { outputs: keys.map(keyOf), canSubset } });
const whole = { ...partOf(false, "a/x", "a/y"), partitions: months };
const parts = partOf(true, "a/p", "a/q", "a/r");
const wrong = { code: "definition.invalid", message: "it has no compute.", hint: "" };

const graph = buildGraph(
  [
    locationOf(
      "a",
      [
        assetOf("a/raw", [], { partitions: months }),
        assetOf("a/x", ["a/raw"], whole),
        assetOf("a/y", ["a/raw"], whole),
        assetOf("a/end", ["a/x"], { partitions: months }),
        ...["a/p", "a/q", "a/r"].map((key) => assetOf(key, [], parts)),
        assetOf("a/alone", [], partOf(false, "a/alone")),
      ],
      [checkOf("a/y", "ok")],
    ),
    locationOf("b", [], [checkOf("a/x", "fit")]),
  ],
  new Map(),
);

const planned = (of: Graph, selection: string, partitions?: string): PlanResult =>
  plan(of, { selection, ...(partitions === undefined ? {} : { partitions }) }, viewOf({}), nowMs);

function stepsOf(result: PlanResult): readonly PlannedStep[] {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.plan.steps;
}

const line = ({ index, kind, asset, partition, after, computation, added }: PlannedStep): string =>
  [
    index,
    kind,
    asset,
    partition,
    `after ${after.join("+")}`,
    computation && `with ${computation.first}`,
    added && "added",
  ]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");

describe("a plan", () => {
  test("that needs one output of what is computed as a whole has all, says which were added, and joins each partition", () => {
    expect(stepsOf(planned(graph, "a/raw or a/y or a/end", "2001-01..2001-02")).map(line)).toEqual([
      "0 materialize a/raw 2001-01 after ",
      "1 materialize a/raw 2001-02 after ",
      "2 materialize a/x 2001-01 after 0 with 2 added",
      "3 checks a/x 2001-01 after 2",
      "4 materialize a/x 2001-02 after 1 with 4 added",
      "5 checks a/x 2001-02 after 4",
      "6 materialize a/y 2001-01 after 0 with 2",
      "7 materialize a/y 2001-02 after 1 with 4",
      "8 materialize a/end 2001-01 after 2",
      "9 materialize a/end 2001-02 after 4",
    ]);
  });

  test("adds only the partitions that are missing of it", () => {
    const both = stepsOf(planned(graph, "a/x or a/y", "2001-01")).filter(({ kind }) => kind === "materialize");
    expect(both.map(({ added }) => added)).toEqual([undefined, undefined]);
  });

  test("of what may be subset has what is asked for, computed in one call; one alone is a step like any other", () => {
    expect(stepsOf(planned(graph, "a/p or a/r")).map(line)).toEqual([
      "0 materialize a/p after  with 0",
      "1 materialize a/r after  with 0",
    ]);
    expect(stepsOf(planned(graph, "a/q")).map(line)).toEqual(["0 materialize a/q after "]);
    expect(stepsOf(planned(graph, "a/alone")).map(line)).toEqual(["0 materialize a/alone after "]);
  });

  test("is refused where a part of the whole cannot be computed, and names that part and what is wrong with it", () => {
    const x = assetOf("a/x", [], partOf(false, "a/x", "a/y"));
    const y = assetOf("a/y", [], partOf(false, "a/x", "a/y"));
    const refusal = (assets: Parameters<typeof locationOf>[1], more?: Parameters<typeof locationOf>[3]): string => {
      const result = planned(buildGraph([locationOf("a", assets, [], more)], new Map()), "a/x");
      return result.ok ? "planned" : `${result.code}: ${result.message}`;
    };
    expect(refusal([x, y])).toBe("planned");
    const start = "asset.set_incomplete: a/x cannot be computed: one call computes it together with a/y, ";
    expect(refusal([x, lastGood(y, wrong)])).toBe(`${start}which did not load: it has no compute.`);
    expect(refusal([x], { errors: [{ ...wrong, kind: "asset", key: "a/y" }] })).toBe(
      `${start}which did not load: it has no compute.`,
    );
    expect(refusal([x])).toBe(`${start}which a no longer defines.`);
    expect(refusal([x, retired(y)])).toBe(`${start}which a no longer defines.`);
    expect(refusal([x, assetOf("a/y")])).toBe(`${start}whose definition says otherwise.`);
    expect(refusal([x, { ...y, partitions: months }])).toBe(`${start}whose definition says otherwise.`);
    // What may be subset goes on without its sibling.
    const free = [assetOf("a/x", [], partOf(true, "a/x", "a/y")), lastGood(assetOf("a/y", [], parts), wrong)];
    expect(refusal(free)).toBe("planned");
  });

  test("is refused where definitions of different ages would let a step wait for itself", () => {
    const set = partOf(true, "a/x", "a/y");
    const drifted = buildGraph(
      [locationOf("a", [assetOf("a/x", [], set), assetOf("a/between", ["a/x"]), assetOf("a/y", ["a/between"], set)])],
      new Map(),
    );
    expect(planned(drifted, "a/*")).toMatchObject({ ok: false, code: "asset.set_entangled" });
    expect(planned(drifted, "a/x or a/between").ok).toBe(true);
    expect(entangledStep([{ index: 0, after: [] }])).toBeUndefined();
  });
});

describe("a plan of an asset that computes several partitions in one call", () => {
  const partitions = { kind: "static", keys: ["1", "2", "3"] } as const;
  const batch = { partitionsMax: 2 };
  const three = buildGraph(
    [locationOf("a", [assetOf("a/raw", [], { partitions }), assetOf("a/batch", ["a/raw"], { partitions, batch })])],
    new Map(),
  );

  test("joins its partitions in their order, as many at a time as it takes, and each comes after what it reads", () => {
    expect(stepsOf(planned(three, "a/raw or a/batch")).map(line)).toEqual([
      "0 materialize a/raw 1 after ",
      "1 materialize a/raw 2 after ",
      "2 materialize a/raw 3 after ",
      "3 materialize a/batch 1 after 0 with 3",
      "4 materialize a/batch 2 after 1 with 3",
      "5 materialize a/batch 3 after 2",
    ]);
  });

  /** Asset, partition, and the partitions that the same call computes. */
  const callsOf = (steps: readonly PlannedStep[]): string[][] => {
    const calls = new Map<number, string[]>();
    for (const { index, asset, partition, computation } of steps) {
      if (asset !== "a/batch") continue;
      const first = computation?.first ?? index;
      calls.set(first, [...(calls.get(first) ?? []), partition]);
    }
    return [...calls.values()];
  };

  test("computes every partition once, in calls that are as full as they can be, of what is ready, waiting or blocked", () => {
    const keys = Array.from({ length: 24 }, (_, n) => String(n).padStart(2, "0"));
    const states = fc.array(
      fc.constantFrom("passed" as const, "pending" as const, "failed" as const, "none" as const),
      { minLength: 24, maxLength: 24 },
    );
    const rule = fc.property(
      states,
      fc.integer({ min: 1, max: 9 }),
      fc.subarray(keys),
      (gates, partitionsMax, asked) => {
        if (asked.length === 0) return;
        const partitions = { kind: "static", keys } as const;
        const of = buildGraph(
          [
            locationOf(
              "a",
              [
                assetOf("a/raw", [], { partitions }),
                assetOf("a/batch", ["a/raw"], { partitions, batch: { partitionsMax } }),
              ],
              [checkOf("a/raw", "ok")],
            ),
          ],
          new Map(),
        );
        const versions = gates.flatMap((gate, n) => {
          if (gate === "none") return [];
          const results = gate === "pending" ? [] : [resultOf("a:ok", gate)];
          return [[`a/raw ${keys[n]}`, [versionOf(`v${n}`, n, { partition: keys[n]!, results })]] as const];
        });
        const view = viewOf(Object.fromEntries(versions));
        const result = plan(of, { selection: "a/batch", partitions: asked.join(",") }, view, nowMs);
        const steps = stepsOf(result);
        const calls = callsOf(steps);
        expect(calls.flat().sort()).toEqual(asked);
        const forecast = new Map(steps.map((step) => [step.partition, step.forecast.kind]));
        const kinds = new Map<string, number>();
        for (const call of calls) {
          const kind = forecast.get(call[0]!)!;
          expect(call.every((partition) => forecast.get(partition) === kind)).toBe(true);
          expect(call).toEqual([...call].sort());
          expect(call.length).toBeLessThanOrEqual(partitionsMax);
          kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        }
        for (const [kind, count] of kinds) {
          const of = steps.filter((step) => step.forecast.kind === kind).length;
          expect(count).toBe(Math.ceil(of / partitionsMax));
        }
      },
    );
    fc.assert(rule, { numRuns: 60 });
  });

  test("is joined anew for a retry: what failed in several calls is computed in one", () => {
    const steps = stepsOf(planned(three, "a/raw or a/batch"));
    const done = new Set([0, 1, 2, 3].map((index) => stepIdentity(steps[index]!)));
    expect(withoutSucceeded(three, { steps }, done).steps.map(line)).toEqual([
      "0 materialize a/batch 2 after  with 0",
      "1 materialize a/batch 3 after  with 0",
    ]);
  });
});

describe("a retry from the failure", () => {
  const steps = stepsOf(planned(graph, "a/raw or a/x or a/y", "2001-01"));
  const without = (...done: number[]): string[] =>
    withoutSucceeded(graph, { steps }, new Set(done.map((index) => stepIdentity(steps[index]!)))).steps.map(line);

  test("keeps all of what is computed as a whole, or nothing of it", () => {
    expect(steps.map(({ kind, asset }) => `${kind} ${asset}`)).toEqual([
      "materialize a/raw",
      "materialize a/x",
      "checks a/x",
      "materialize a/y",
    ]);
    // a/y failed: a/x is computed again with it.
    expect(without(0, 1, 2)).toEqual([
      "0 materialize a/x 2001-01 after  with 0",
      "1 checks a/x 2001-01 after 0",
      "2 materialize a/y 2001-01 after  with 0",
    ]);
    expect(without(0, 1, 3)).toEqual(["0 checks a/x 2001-01 after "]);
  });

  test("of what may be subset keeps what has not succeeded", () => {
    const free = stepsOf(planned(graph, "a/p or a/q or a/r"));
    const kept = (...done: number[]): string[] =>
      withoutSucceeded(graph, { steps: free }, new Set(done.map((index) => stepIdentity(free[index]!)))).steps.map(
        line,
      );
    expect(kept(0)).toEqual(["0 materialize a/q after  with 0", "1 materialize a/r after  with 0"]);
    expect(kept(0, 2)).toEqual(["0 materialize a/q after "]);
  });
});
