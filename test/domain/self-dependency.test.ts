import { partitionSpace, rangeSet, upstreamPartitions } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { ConditionFacts } from "../../control-plane/src/domain/conditions/condition-facts.ts";
import type { VersionView } from "../../control-plane/src/domain/gate.ts";
import { type Graph, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { plan } from "../../control-plane/src/domain/plan.ts";
import type { PlannedStep } from "../../control-plane/src/domain/planned-step.ts";
import { why } from "../../control-plane/src/domain/root-reasons.ts";
import { ConditionWorld } from "../support/condition-world.ts";
import { resultOf, versionOf, viewOf } from "../support/gate-versions.ts";
import { type DependencyText, assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

const nowMs = Date.UTC(2001, 7, 15);
const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2001-08" } as const;
const window = (startOffset: number, endOffset = startOffset) => ({ kind: "window", startOffset, endOffset }) as const;
const itself = (startOffset: number, endOffset = startOffset): DependencyText => ({
  asset: "a/sum",
  mapping: window(startOffset, endOffset),
});

/** `a/sum` reads `a/raw` of its month, and itself as given. */
function graphOf(self: DependencyText, partitions: object = months): Graph {
  const sum = assetOf("a/sum", ["a/raw", self], { partitions: partitions as typeof months });
  return buildGraph(
    [locationOf("a", [assetOf("a/raw", [], { partitions: months }), sum], [checkOf("a/sum", "grows")])],
    new Map(),
  );
}

const chain = graphOf(itself(-1));

function planned(graph: Graph, partitions: string, view = viewOf({})): readonly PlannedStep[] {
  const result = plan(graph, { selection: "a/sum", partitions }, view, nowMs);
  if (!result.ok) throw new Error(result.message);
  return result.plan.steps;
}

const raw = (...keys: string[]): Record<string, VersionView[]> =>
  Object.fromEntries(
    keys.map((partition) => [`a/raw ${partition}`, [versionOf(`raw-${partition}`, 1, { partition })]]),
  );
const allRaw = raw("2001-01", "2001-02", "2001-03", "2001-04", "2001-05", "2001-06", "2001-07");
const sum = (partition: string, outcome: "passed" | "failed" = "passed"): Record<string, VersionView[]> => ({
  [`a/sum ${partition}`]: [
    versionOf(`sum-${partition}`, 2, { partition, results: [resultOf("a:grows", outcome, { checkVersion: 1 })] }),
  ],
});

describe("quotes: self-dependency over time is legal with negative offsets", () => {
  test("it is an edge of both ends, and no cycle", () => {
    const node = chain.asset("a/sum");
    expect(chain.errors).toEqual([]);
    expect(node?.upstream.map((edge) => edge.upstream.key)).toEqual(["a/raw", "a/sum"]);
    expect(node?.downstream).toEqual([node?.upstream[1]]);
    expect(node?.upstream[1]?.single).toBe(true);
  });

  test.each<[string, DependencyText, object, string]>([
    ["without a mapping", "a/sum", months, "at the same partition"],
    ["at offset 0", itself(0), months, "up to window offset 0, which is not before it"],
    ["at a later offset", itself(1), months, "up to window offset 1, which is not before it"],
    ["at offsets that end with its own", itself(-3, 0), months, "up to window offset 0, which is not before it"],
    ["everywhere", { asset: "a/sum", mapping: { kind: "all" } }, months, "at every partition"],
    ["at the newest", { asset: "a/sum", mapping: { kind: "last" } }, months, "at the newest partition"],
    ["without windows", itself(-1), { kind: "static", keys: ["x"] }, "by windows and has no time windows"],
  ])("refused %s, with file and line", (_, self, partitions, words) => {
    const graph = graphOf(self, partitions);
    const error = graph.errors.find(({ code }) => code === "definition.cycle");
    expect(error).toMatchObject({
      key: "a/sum",
      message: expect.stringContaining(words),
      source: { file: "assets/sum.ts", line: 7 },
    });
    expect(graph.asset("a/sum")).toBeUndefined();
  });

  test("a cycle through two assets stays refused, whatever the offsets", () => {
    const shifted = (asset: string): DependencyText => ({ asset, mapping: window(-1) });
    const graph = buildGraph(
      [
        locationOf("a", [
          assetOf("a/x", [shifted("a/y"), shifted("a/x")], { partitions: months }),
          assetOf("a/y", [shifted("a/x")], { partitions: months }),
        ]),
      ],
      new Map(),
    );
    expect(graph.errors.map(({ key, code }) => `${key} ${code}`)).toEqual([
      "a/x definition.cycle",
      "a/y definition.cycle",
    ]);
  });

  test("whatever else the graph is, reading oneself earlier changes nothing of who is served and why not", () => {
    const count = 8;
    const reads = fc.array(fc.uniqueArray(fc.nat(count - 1), { maxLength: 2 }), { minLength: count, maxLength: count });
    fc.assert(
      fc.property(reads, fc.array(fc.nat(count - 1)), (lists, selves) => {
        const built = (more: readonly number[]): Graph =>
          buildGraph(
            [
              locationOf(
                "a",
                lists.map((list, n) =>
                  assetOf(
                    `a/n${n}`,
                    [
                      ...list.filter((m) => m !== n).map((m) => `a/n${m}`),
                      ...(more.includes(n) ? [{ asset: `a/n${n}`, mapping: window(-1) }] : []),
                    ],
                    { partitions: months },
                  ),
                ),
              ),
            ],
            new Map(),
          );
        const [without, withSelf] = [built([]), built(selves)];
        expect(withSelf.order.map(({ key }) => key)).toEqual(without.order.map(({ key }) => key));
        expect(withSelf.errors).toEqual(without.errors);
      }),
      { numRuns: 300 },
    );
  });
});

describe("quotes: backfilled as a chain", () => {
  test("each partition's step waits for that of the partition before, and for its checks elsewhere", () => {
    const graph = buildGraph(
      [
        locationOf("a", [assetOf("a/sum", [itself(-1)], { partitions: months, requiredChecks: [] })]),
        locationOf("a-two", [], [checkOf("a/sum", "fit")]),
      ].map((segment) => ({ ...segment, team: "a" })),
      new Map(),
    );
    expect(
      planned(graph, "2001-01..2001-03").map(({ kind, partition, after }) => `${kind} ${partition} ${after.join()}`),
    ).toEqual([
      "materialize 2001-01 ",
      "checks 2001-01 0",
      "materialize 2001-02 0,1",
      "checks 2001-02 2",
      "materialize 2001-03 2,3",
      "checks 2001-03 4",
    ]);
  });

  test("nothing is before the start: the first partition reads nothing of itself", () => {
    const [first, second] = planned(chain, "2001-01..2001-02", viewOf(allRaw));
    expect(first?.edges.map(({ set }) => rangeSet.size(set))).toEqual([1, 0]);
    expect([first?.forecast.kind, second?.forecast.kind]).toEqual(["runs", "runs"]);
  });

  test("an edge that is content with some asks no more of the first partitions than there is", () => {
    const graph = graphOf({ ...(itself(-3, -1) as object), mode: "lastValidated", atLeast: 2 } as DependencyText);
    expect(planned(graph, "2001-01..2001-07", viewOf(allRaw)).map(({ forecast }) => forecast.kind)).toEqual(
      Array.from({ length: 7 }, () => "runs"),
    );
    expect(planned(graph, "2001-03", viewOf({ ...allRaw, ...sum("2001-01") }))[0]?.forecast.kind).toBe("blocked");
  });

  test("every step comes after exactly the steps of the partitions that it reads", () => {
    const offsets = fc.tuple(fc.integer({ min: -5, max: -1 }), fc.integer({ min: -5, max: -1 }));
    fc.assert(
      fc.property(offsets, fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 }), ([a, b], chosen) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const steps = planned(graphOf(itself(start, end)), chosen.map((month) => `2001-0${month}`).join(","));
        expect(steps.map(({ after }) => after.map((index) => Number(steps[index]?.partition.slice(-1))))).toEqual(
          chosen.map((month) => chosen.filter((other) => other >= month + start && other <= month + end)),
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe("a gate that is shut in the middle of a chain", () => {
  const failed = viewOf({ ...allRaw, ...sum("2001-01"), ...sum("2001-02", "failed") });
  const root = { kind: "checkFailed", asset: "a/sum", partition: "2001-02", check: "grows" };

  test("blocks the partitions after it, each with the check that shut", () => {
    const steps = planned(chain, "2001-03..2001-07", failed);
    for (const { forecast } of steps) expect(forecast).toMatchObject({ kind: "blocked", reasons: [root] });
    const node = chain.asset("a/sum");
    expect(node && why(chain, node, "2001-07", failed, nowMs)).toMatchObject([root]);
  });

  test("is told once, however many of the partitions before lead to it", () => {
    const steps = planned(graphOf(itself(-6, -1)), "2001-03..2001-07", failed);
    for (const { forecast } of steps) expect(forecast).toMatchObject({ kind: "blocked", reasons: [root] });
  });

  test("leads from a partition with holes before it to the first one that is missing", () => {
    const [step] = planned(chain, "2001-06", viewOf({ ...allRaw, ...sum("2001-01") }));
    expect(step?.forecast).toEqual({
      kind: "blocked",
      reasons: [{ kind: "neverMaterialized", asset: "a/sum", partition: "2001-02" }],
    });
  });
});

describe("onMissing of an asset that reads itself", () => {
  const graph = buildGraph(
    [
      locationOf(
        "a",
        [
          assetOf("a/raw", [], { partitions: months }),
          assetOf("a/sum", ["a/raw", itself(-1)], { partitions: months, automation: { kind: "onMissing" } }),
        ],
        [checkOf("a/sum", "grows")],
      ),
    ],
    new Map(),
  );
  const started = (): ConditionWorld => {
    const world = new ConditionWorld(graph, nowMs);
    for (const month of ["01", "02", "03", "04", "05", "06", "07"]) world.make(`a/raw 2001-${month}`);
    return world;
  };

  test("requests the next partition of the chain alone", () => {
    const world = started();
    expect(world.evaluate()).toEqual(["a/sum 2001-01"]);
    expect(world.evaluate()).toEqual([]);
    world.make("a/sum 2001-01", { "a:grows": "passed" });
    expect(world.evaluate()).toEqual(["a/sum 2001-02"]);
    expect(world.held).toEqual([]);
  });

  test("holds back everything after a check that failed, with that check", () => {
    const world = started();
    world.make("a/sum 2001-01", { "a:grows": "failed" });
    expect(world.evaluate()).toEqual([]);
    expect(world.held.map(({ partition }) => partition)).toEqual(
      ["02", "03", "04", "05", "06", "07"].map((m) => `2001-${m}`),
    );
    for (const { reasons } of world.held) {
      expect(reasons).toMatchObject([{ kind: "checkFailed", partition: "2001-01" }]);
    }
  });

  test("of ten thousand partitions is followed once, and not once a partition", () => {
    const days = { kind: "timeWindow", cron: "0 0 * * *", timezone: "UTC", start: "1974-01-01" } as const;
    const long = buildGraph(
      [
        locationOf("a", [
          assetOf("a/raw"),
          assetOf("a/sum", ["a/raw", itself(-1)], { partitions: days, automation: { kind: "onMissing" } }),
        ]),
      ],
      new Map(),
    );
    const world = new ConditionWorld(long, nowMs);
    const looks = vi.spyOn(ConditionFacts.prototype, "versions");
    expect(world.evaluate()).toEqual([]);
    const { held } = world;
    expect(held.length).toBe(partitionSpace(days).count(nowMs));
    expect(held.at(-1)?.reasons).toEqual([{ kind: "neverMaterialized", asset: "a/raw", partition: "" }]);
    expect(looks.mock.calls.length).toBeLessThan(10 * held.length);
    looks.mockRestore();
  });
});

test("the mapping of a self-dependency reads earlier partitions alone, and none twice", () => {
  const space = partitionSpace(months);
  const offset = fc.integer({ min: -9, max: -1 });
  fc.assert(
    fc.property(offset, offset, fc.nat(6), (a, b, ordinal) => {
      const mapping = window(Math.min(a, b), Math.max(a, b));
      const read = [...rangeSet.ordinals(upstreamPartitions(mapping, space, space, rangeSet.of(ordinal), nowMs))];
      const expected = [0, 1, 2, 3, 4, 5, 6].filter(
        (n) => n >= ordinal + mapping.startOffset && n <= ordinal + mapping.endOffset,
      );
      expect(read).toEqual(expected);
    }),
  );
});
