import { type RangeSet, formatPartitions, rangeSet } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readProgress, storeProgress } from "../../control-plane/src/domain/backfill-progress.ts";
import {
  type BackfillPart,
  type PartOutcome,
  type RunBounds,
  endOf,
  heldBack,
  newPart,
  nextRun,
  requested,
  retried,
  settled,
  waitingOf,
} from "../../control-plane/src/domain/backfill-state.ts";
import { type Graph, buildGraph } from "../../control-plane/src/domain/graph.ts";
import { assetOf, keyOf, locationOf } from "../support/graph-definitions.ts";

const nowMs = Date.UTC(2026, 0, 1);
const days = {
  kind: "timeWindow",
  cron: "0 0 * * *",
  timezone: "UTC",
  start: "2001-01-01",
  end: "2001-03-01",
} as const;
const months = { kind: "timeWindow", cron: "0 0 1 * *", timezone: "UTC", start: "2001-01", end: "2001-03" } as const;
const all: RunBounds = { partitionsPerRun: 1_000, stepsMax: 10_000, isReachable: () => true };
const before = { kind: "window", startOffset: -1, endOffset: -1 } as const;

const graph = buildGraph(
  [
    locationOf("a", [
      assetOf("a/raw", [], { partitions: days }),
      assetOf("a/clean", ["a/raw"], { partitions: days }),
      assetOf("a/monthly", ["a/clean"], { partitions: months }),
      assetOf("a/balance", ["a/clean", { asset: "a/balance", mapping: before }], { partitions: days }),
      assetOf("a/report", [{ asset: "a/clean", mode: "lastValidated", atLeast: 1, mapping: { kind: "all" } }]),
    ]),
    locationOf("b", [assetOf("b/copy", ["a/raw"], { partitions: days })]),
  ],
  new Map(),
);

const partsOf = (of: Graph, ...keys: string[]): BackfillPart[] =>
  keys.map((key) => {
    const node = of.asset(keyOf(key))!;
    return newPart(node, rangeSet.range(0, node.space.count(nowMs)));
  });

type Chosen = Readonly<Record<string, RangeSet>>;

function choose(parts: readonly BackfillPart[], bounds: Partial<RunBounds> = {}): Chosen {
  const targets = nextRun(parts, { ...all, ...bounds }, nowMs);
  return Object.fromEntries(targets.map(({ node, set }) => [node.key, set]));
}

const textOf = (parts: readonly BackfillPart[], chosen: Chosen): Record<string, string> =>
  Object.fromEntries(
    parts.flatMap(({ node }) => {
      const set = chosen[node.key];
      return set === undefined ? [] : [[node.key, formatPartitions(node.space, set)]];
    }),
  );

const asRequested = (parts: readonly BackfillPart[], chosen: Chosen): BackfillPart[] =>
  parts.map((part) => requested(part, chosen[part.node.key] ?? rangeSet.empty));

const asEnded = (
  parts: readonly BackfillPart[],
  outcomeOf: (part: BackfillPart, ordinal: number) => PartOutcome,
): BackfillPart[] =>
  parts.map((part) => {
    let result = part;
    for (const n of rangeSet.ordinals(part.inFlight)) result = settled(result, outcomeOf(part, n), rangeSet.of(n));
    return result;
  });

describe("the next run of a backfill", () => {
  test("is a slice of every asset whose partitions read what the same run makes, and the rest of them later", () => {
    const parts = partsOf(graph, "a/raw", "a/clean", "a/monthly");
    const first = choose(parts, { partitionsPerRun: 31 });
    expect(textOf(parts, first)).toEqual({
      "a/raw": "2001-01-01..2001-01-31",
      "a/clean": "2001-01-01..2001-01-31",
      "a/monthly": "2001-01",
    });
    const second = choose(asRequested(parts, first), { partitionsPerRun: 31 });
    expect(textOf(parts, second)).toMatchObject({ "a/raw": "2001-02-01..2001-02-28", "a/monthly": "2001-02" });
    expect(choose(asRequested(asRequested(parts, first), second))).toEqual({});
  });

  test("holds no more steps than a run may have, and never a reader without what it reads", () => {
    const parts = partsOf(graph, "a/raw", "a/clean");
    expect(textOf(parts, choose(parts, { stepsMax: 70 }))).toEqual({
      "a/raw": "2001-01-01..2001-02-28",
      "a/clean": "2001-01-01..2001-01-11",
    });
  });

  test("leaves out what cannot be reached and what reads it; the rest goes on", () => {
    const parts = partsOf(graph, "a/raw", "a/clean", "b/copy");
    expect(Object.keys(choose(parts, { isReachable: (location) => location !== "b" }))).toEqual(["a/raw", "a/clean"]);
    expect(choose(parts, { isReachable: (location) => location !== "a" })).toEqual({});
  });
});

describe("a partition that failed or is blocked", () => {
  test("holds back what reads it and no others, along a chain as well; what is content with some goes on without it", () => {
    const keys = ["a/raw", "a/clean", "a/monthly", "a/balance", "a/report"];
    let parts = partsOf(graph, ...keys);
    parts = asRequested(parts, choose(parts));
    parts = asEnded(parts, ({ node }, n) => {
      // 10 February fails; a step of the same run after it was skipped, which counts as failed.
      if (node.key === "a/raw") return n === 40 ? "failed" : "succeeded";
      if (node.key === "a/balance") return n >= 40 ? "failed" : "succeeded";
      return (node.key === "a/clean" && n === 40) || (node.key === "a/monthly" && n === 1) ? "failed" : "succeeded";
    });
    expect(endOf(parts)).toBe("failed");
    const again = parts.map((part) => (part.node.key === "a/balance" ? retried(part) : part));
    const held = heldBack(again, nowMs).get(graph.asset(keyOf("a/balance"))!)!;
    expect(formatPartitions(graph.asset(keyOf("a/balance"))!.space, held)).toBe("2001-02-10..2001-02-28");
    expect(choose(again)).toEqual({});
    expect(textOf(parts, choose(parts.map(retried)))).toEqual({
      "a/raw": "2001-02-10",
      "a/clean": "2001-02-10",
      "a/monthly": "2001-02",
      "a/balance": "2001-02-10..2001-02-28",
    });
  });

  test("keeps a chain waiting only behind it while it is in flight", () => {
    let parts = partsOf(graph, "a/balance");
    parts = asRequested(parts, { "a/balance": rangeSet.range(0, 10) });
    expect(choose(parts)).toEqual({});
    parts = asEnded(parts, () => "succeeded");
    expect(textOf(parts, choose(parts, { partitionsPerRun: 5 }))).toEqual({ "a/balance": "2001-01-11..2001-01-15" });
  });
});

describe("a backfill", () => {
  test("whatever fails, requests every partition once, after all that it reads, and leaves only what reads what fell", () => {
    const outcome = fc.constantFrom<PartOutcome>("succeeded", "succeeded", "succeeded", "failed", "blocked");
    const rule = fc.property(
      fc.infiniteStream(outcome),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 3 }),
      (outcomes, partitionsPerRun, atOnce) => {
        let parts = partsOf(graph, "a/raw", "a/clean", "a/monthly", "a/balance", "a/report", "b/copy");
        const seen = new Set<string>();
        for (let round = 0; round < 10_000; round++) {
          let created = 0;
          for (; created < atOnce; created++) {
            const chosen = choose(parts, { partitionsPerRun });
            if (Object.keys(chosen).length === 0) break;
            for (const [key, set] of Object.entries(chosen)) {
              for (const n of rangeSet.ordinals(set)) {
                if (seen.has(`${key} ${n}`)) throw new Error(`${key} ${n} is requested twice`);
                seen.add(`${key} ${n}`);
              }
            }
            const clean = chosen["a/clean"] ?? rangeSet.empty;
            const raw = parts.find(({ node }) => node.key === "a/raw")!;
            expect(rangeSet.includes(rangeSet.union(raw.succeeded, chosen["a/raw"] ?? rangeSet.empty), clean)).toBe(
              true,
            );
            parts = asRequested(parts, chosen);
          }
          if (created === 0) break;
          // Inside a run what reads a partition that fell does not succeed.
          const fell = new Set<string>();
          for (const { node, inFlight } of [...parts].sort((a, b) => a.node.index - b.node.index)) {
            for (const n of rangeSet.ordinals(inFlight)) {
              const drawn = outcomes.next().value as PartOutcome;
              const isCut = node.key === "a/clean" && fell.has(`a/raw ${n}`);
              if (drawn !== "succeeded" || isCut) fell.add(`${node.key} ${n}`);
            }
          }
          parts = asEnded(parts, ({ node }, n) => (fell.has(`${node.key} ${n}`) ? "failed" : "succeeded"));
        }
        const held = heldBack(parts, nowMs);
        for (const part of parts) expect(waitingOf(part)).toEqual(held.get(part.node));
      },
    );
    fc.assert(rule, { numRuns: 15 });
  });

  test("is stored by the keys of its ranges, and read back by the definitions of then", () => {
    let parts = partsOf(graph, "a/raw", "a/report");
    parts = asRequested(parts, { "a/raw": rangeSet.range(3, 7), "a/report": rangeSet.of(0) });
    parts = asEnded(parts, (_, n) => (n === 5 ? "failed" : "succeeded"));
    const stored = JSON.parse(JSON.stringify(storeProgress(parts))) as ReturnType<typeof storeProgress>;
    expect(stored["a/raw"]?.succeeded).toEqual([
      ["2001-01-04", "2001-01-05"],
      ["2001-01-07", "2001-01-07"],
    ]);
    expect(readProgress(graph, stored)).toEqual({ ok: true, parts });
    const from = (start: string) =>
      buildGraph(
        [locationOf("a", [assetOf("a/raw", [], { partitions: { ...days, start } }), assetOf("a/report")])],
        new Map(),
      );
    // An earlier start moves every ordinal and no key.
    const moved = readProgress(from("2000-12-01"), stored);
    expect(moved.ok && formatPartitions(moved.parts[0]!.node.space, moved.parts[0]!.failed)).toBe("2001-01-06");
    expect(readProgress(from("2001-01-15"), stored)).toMatchObject({ ok: false, code: "backfill.definitions_changed" });
    expect(readProgress(buildGraph([], new Map()), stored)).toMatchObject({ code: "backfill.definitions_changed" });
  });

  test("of 100 assets with 10,000 hourly partitions each is planned and told of without listing a key", () => {
    const hours = {
      kind: "timeWindow",
      cron: "0 * * * *",
      timezone: "UTC",
      start: "2024-01-01",
      end: "2025-02-20T16:00",
    };
    const chain = Array.from({ length: 100 }, (_, n) =>
      assetOf(`a/n${n}`, n === 0 ? [] : [`a/n${n - 1}`], { partitions: hours as never }),
    );
    const large = buildGraph([locationOf("a", chain)], new Map());
    let keys = 0;
    const counting = partsOf(large, ...chain.map(({ key }) => key));
    expect(counting.reduce((sum, part) => sum + rangeSet.size(part.target), 0)).toBe(1_000_000);
    for (const space of new Set(counting.map(({ node }) => node.space))) {
      const { keyAt } = space;
      (space as { keyAt: typeof keyAt }).keyAt = (n) => (keys++, keyAt.call(space, n));
    }
    const startedMs = performance.now();
    const chosen = choose(counting, { partitionsPerRun: 100 });
    const plannedMs = performance.now() - startedMs;
    const parts = asRequested(counting, chosen);
    const stored = storeProgress(parts);
    const readAtMs = performance.now();
    const read = readProgress(large, stored);
    if (!read.ok) throw new Error(read.message);
    const held = heldBack(read.parts, nowMs);
    const status = read.parts.map((part) => [
      formatPartitions(part.node.space, part.inFlight),
      formatPartitions(part.node.space, rangeSet.difference(waitingOf(part), held.get(part.node) ?? [])),
    ]);
    const toldMs = performance.now() - readAtMs;
    expect(status).toHaveLength(100);
    expect(Object.values(chosen).reduce((sum, set) => sum + rangeSet.size(set), 0)).toBe(10_000);
    expect(plannedMs).toBeLessThan(2_000);
    expect(toldMs).toBeLessThan(200);
    // Two for the ends of each range that is stored or shown.
    expect(keys).toBeLessThan(1_000);
  });
});
