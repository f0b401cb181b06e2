import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { VersionView } from "../../control-plane/src/domain/gate.ts";
import { type AssetNode, type Graph, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { ConditionWorld } from "../support/condition-world.ts";
import { type DependencyText, assetOf, checkOf, locationOf } from "../support/graph-definitions.ts";

const nowMs = Date.UTC(2001, 7, 15);
type Outcome = "passed" | "failed";

/** Evaluates, makes what was requested, checks it, and evaluates again. */
class Played {
  readonly world: ConditionWorld;
  readonly requests: string[] = [];

  constructor(graph: Graph) {
    this.world = new ConditionWorld(graph, nowMs);
  }

  get running(): readonly string[] {
    return this.world.running;
  }

  /** One evaluation: what it asks for begins to run. */
  evaluate() {
    const requests = this.world.evaluate();
    this.requests.push(...requests);
    const { world } = this;
    return {
      requests,
      get held() {
        return world.held;
      },
    };
  }

  /** A run that is under way ends: with a version that its check judges so, or (undefined) without one. */
  finish(place: string, outcome: Outcome | undefined): void {
    if (outcome === undefined) this.world.end(place, "failed");
    else this.make(place, outcome);
  }

  make(place: string, outcome: Outcome): void {
    this.world.make(place, { "a:ok": outcome, "b:ok": outcome });
  }

  begin(place: string): void {
    this.world.begin(place);
  }
}

const onMissing = { automation: { kind: "onMissing" } } as const;

describe("when.onMissing", () => {
  const chain = buildGraph(
    [
      locationOf(
        "a",
        [assetOf("a/raw", [], onMissing), assetOf("a/clean", ["a/raw"], onMissing), assetOf("a/manual", ["a/raw"])],
        [checkOf("a/raw", "ok")],
      ),
    ],
    new Map(),
  );

  test("asks for what has no version, upstream first, and for nothing without a condition", () => {
    const played = new Played(chain);
    played.evaluate();
    expect(played.requests).toEqual(["a/raw"]);
    played.evaluate();
    expect(played.requests).toEqual(["a/raw"]);
    played.finish("a/raw", "passed");
    played.evaluate();
    played.finish("a/clean", "passed");
    expect(played.evaluate()).toMatchObject({ requests: [], held: [] });
    expect(played.requests).toEqual(["a/raw", "a/clean"]);
  });

  test("holds back what a closed gate keeps from being made, and says why", () => {
    const played = new Played(chain);
    played.evaluate();
    played.finish("a/raw", "failed");
    const { requests, held } = played.evaluate();
    expect(requests).toEqual([]);
    expect(held).toMatchObject([{ node: { key: "a/clean" }, reasons: [{ kind: "checkFailed", check: "ok" }] }]);
    played.make("a/raw", "passed");
    expect(played.evaluate().requests).toEqual(["a/clean"]);
  });

  test("does not ask again for what failed, until what it would read has changed", () => {
    const played = new Played(chain);
    played.evaluate();
    played.finish("a/raw", "passed");
    played.evaluate();
    played.finish("a/clean", undefined);
    expect(played.evaluate().requests).toEqual([]);
    played.make("a/raw", "passed");
    expect(played.evaluate().requests).toEqual(["a/clean"]);
  });

  test("waits for what somebody else's run is about to make", () => {
    const played = new Played(chain);
    played.make("a/raw", "passed");
    played.begin("a/raw");
    expect(played.evaluate().requests).toEqual([]);
    played.finish("a/raw", "passed");
    expect(played.evaluate().requests.length).toBe(1);
  });
});

describe("six months open and July shut", () => {
  const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2001-08" } as const;
  const monthly = { partitions: months, ...onMissing };
  const graph = buildGraph(
    [
      locationOf(
        "flights",
        [
          assetOf("flights/raw", [], monthly),
          assetOf("flights/clean", ["flights/raw"], monthly),
          assetOf("flights/airports", [], onMissing),
        ],
        [checkOf("flights/raw", "enough")],
      ),
      locationOf("analytics", [
        assetOf("analytics/delays", ["flights/clean", "flights/airports"], monthly),
        assetOf(
          "analytics/summary",
          [{ asset: "analytics/delays", mode: "lastValidated", mapping: { kind: "all" }, atLeast: 1 }],
          onMissing,
        ),
      ]),
    ],
    new Map(),
  );

  /** Of this month the check says that there are too few rows. */
  class Flights extends Played {
    override make(place: string, outcome: Outcome): void {
      const enough = place === "flights/raw 2001-07" ? "failed" : "passed";
      this.world.make(place, { "a:ok": outcome, "flights:enough": enough });
    }
  }

  test("the summary is asked for exactly once, after every month that can be had, in whatever order they end", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (choices) => {
        const played = new Flights(graph);
        played.evaluate();
        while (played.running.length > 0) {
          const place = played.running[(choices.next().value as number) % played.running.length] ?? "";
          if (place === "analytics/summary") {
            // Everything that can be had is there by now.
            expect(played.requests.filter((request) => request.startsWith("analytics/delays")).length).toBe(6);
            expect(played.running).toEqual([place]);
          }
          played.finish(place, "passed");
          played.evaluate();
        }
        expect(played.requests.filter((request) => request === "analytics/summary")).toEqual(["analytics/summary"]);
        expect(new Set(played.requests).size).toBe(played.requests.length);
        expect(played.requests.length).toBe(7 + 6 + 1 + 6 + 1);
        const held = played.evaluate().held.map(({ node, partition }) => `${node.key} ${partition}`);
        expect(held).toEqual(["flights/clean 2001-07", "analytics/delays 2001-07"]);
      }),
      { numRuns: 20 },
    );
  });
});

// Against brute force --------------------------------------------------------------------------------------------------

const keys = ["a/k0", "a/k1", "a/k2", "a/k3"];
const places = ["p0", "p1"];
const partitions = { kind: "static", keys: places } as const;

const worlds = fc
  .record({
    assets: fc.array(
      fc.record({
        upstream: fc.array(
          fc.record({ to: fc.nat(3), last: fc.boolean(), all: fc.boolean(), atLeast: fc.integer({ min: 0, max: 2 }) }),
          { maxLength: 2 },
        ),
        automated: fc.boolean(),
        check: fc.boolean(),
      }),
      { minLength: 4, maxLength: 4 },
    ),
    existing: fc.dictionary(
      fc.constantFrom(...keys.flatMap((key) => places.map((place) => `${key} ${place}`))),
      fc.constantFrom<Outcome>("passed", "failed"),
      { maxKeys: 4 },
    ),
    running: fc.uniqueArray(fc.constantFrom(...keys.flatMap((key) => places.map((place) => `${key} ${place}`))), {
      maxLength: 1,
    }),
    ends: fc.array(fc.constantFrom<Outcome | undefined>("passed", "passed", "failed", undefined), {
      minLength: 40,
      maxLength: 40,
    }),
    order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  })
  .map(({ assets, ...rest }) => {
    const definitions = assets.map(({ upstream, automated }, n) =>
      assetOf(
        keys[n] ?? "",
        (n === 0 ? [] : upstream).map(({ to, last, all, atLeast }): DependencyText => ({
          asset: keys[to % n] ?? "",
          mode: last ? "lastValidated" : "strict",
          mapping: all ? { kind: "all" } : { kind: "identity" },
          atLeast: all ? atLeast : 0,
        })),
        { partitions, ...(automated ? onMissing : {}) },
      ),
    );
    const checks = assets.flatMap(({ check }, n) => (check ? [checkOf(keys[n] ?? "", "ok")] : []));
    return { graph: buildGraph([locationOf("a", definitions, checks)], new Map()), ...rest };
  });

/**
 * What the text says, by trying: a partition is asked for if it is missing, its gate is open now, and nothing that it
 * reads is on its way. On its way is what runs, what is asked for, and what could be asked for once what is on its way
 * had arrived and passed.
 */
function bruteForce({ world }: Played, asked: Map<string, Map<string, number>>): Set<string> {
  const { graph } = world;
  const requested = new Set<string>();
  const coming = new Set<string>();
  const isComing = (place: string): boolean => {
    const [key = "", partition = ""] = place.split(" ");
    return coming.has(place) || world.state(`${key} ${partition}`).inProgress;
  };
  const isOpen = (node: AssetNode, partition: string, last: boolean): boolean => {
    const versions = world.state(`${node.key} ${partition}`).versions;
    const good = (version: VersionView | undefined): boolean =>
      version !== undefined && (node.checks.length === 0 || version.results[0]?.outcome === "passed");
    return last ? versions.some(good) : good(versions[0]);
  };
  for (const node of graph.order) {
    for (const partition of places) {
      if (node.definition.automation === undefined || world.state(`${node.key} ${partition}`).versions.length > 0)
        continue;
      if (world.state(`${node.key} ${partition}`).inProgress) continue;
      const reads = node.upstream.map((edge) => ({
        edge,
        read: edge.mapping.kind === "all" ? places : [partition],
      }));
      const satisfied = (also: (place: string) => boolean): boolean =>
        reads.every(({ edge, read }) => {
          const usable = read.filter(
            (p) =>
              also(`${edge.upstream.key} ${p}`) || isOpen(edge.upstream, p, edge.dependency.mode === "lastValidated"),
          );
          return usable.length >= (edge.atLeast === 0 ? read.length : edge.atLeast);
        });
      const fed = reads.some(({ edge, read }) => read.some((p) => isComing(`${edge.upstream.key} ${p}`)));
      const place = `${node.key} ${partition}`;
      if (fed) {
        if (satisfied(isComing)) coming.add(place);
      } else if (satisfied(() => false)) {
        const versions = reads.flatMap(({ edge, read }) =>
          read.flatMap((p) => {
            const known = world.state(`${edge.upstream.key} ${p}`).versions;
            const open = (v: VersionView): boolean =>
              edge.upstream.checks.length === 0 || v.results[0]?.outcome === "passed";
            const version = edge.dependency.mode === "lastValidated" ? known.find(open) : known.slice(0, 1).find(open);
            return version === undefined ? [] : [[`${edge.upstream.key} ${p}`, version.seq] as const];
          }),
        );
        // It was asked for before: once more only for what is newer than all it was asked for with.
        const before = asked.get(place);
        if (before !== undefined && versions.every(([p, seq]) => seq <= (before.get(p) ?? 0))) continue;
        const handled = new Map(before);
        for (const [p, seq] of versions) handled.set(p, Math.max(seq, handled.get(p) ?? 0));
        asked.set(place, handled);
        requested.add(place);
        coming.add(place);
      }
    }
  }
  return requested;
}

test("asks for exactly what the text says, at every moment, and comes to rest", () => {
  fc.assert(
    fc.property(worlds, ({ graph, existing, running, ends, order }) => {
      expect(graph.errors).toEqual([]);
      const played = new Played(graph);
      const asked = new Map<string, Map<string, number>>();
      for (const [place, outcome] of Object.entries(existing)) played.make(place, outcome);
      for (const place of running) played.begin(place);
      for (let turn = 0; turn < 40; turn++) {
        const expected = bruteForce(played, asked);
        const { requests } = played.evaluate();
        expect(new Set(requests)).toEqual(expected);
        const { running: now } = played;
        if (now.length === 0) break;
        played.finish(now[(order[turn] ?? 0) % now.length] ?? "", ends[turn]);
      }
      expect(played.running).toEqual([]);
      expect(played.evaluate().requests).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
