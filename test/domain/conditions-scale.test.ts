import { rangeSet } from "@headgate/model";
import { afterEach, expect, test, vi } from "vitest";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { ConditionWorld } from "../support/condition-world.ts";
import { assetOf, locationOf } from "../support/graph-definitions.ts";

const days = { kind: "timeWindow", cron: "0 0 * * *", timezone: "UTC", start: "1990-01-01" } as const;
const nowMs = Date.UTC(1990, 0, 1) + 10_000 * 86_400_000;
const eager = { automation: { kind: "eager" }, partitions: days } as const;

afterEach(() => vi.restoreAllMocks());

test("one change among 100 assets of 10,000 partitions lists no partitions, and wakes the conditions that can see it", () => {
  const assets = Array.from({ length: 100 }, (_, n) => assetOf(`a/n${n}`, n === 0 ? [] : [`a/n${n - 1}`], eager));
  const world = new ConditionWorld(buildGraph([locationOf("a", assets)], new Map()), nowMs);
  const [first] = world.facts.automated;
  if (first === undefined) throw new Error("no asset has a condition");
  expect(first.space.count(nowMs)).toBe(10_000);
  world.withoutRequests();
  const keyAt = vi.spyOn(first.space, "keyAt");
  const ordinals = vi.spyOn(rangeSet, "ordinals");
  let listed = 0;
  ordinals.mockImplementation(function* (set) {
    for (const [start, end] of set) {
      for (let n = start; n < end; n++) {
        listed++;
        yield n;
      }
    }
  });
  world.make("a/n50 2001-01-01");
  const { evaluations } = world.withoutRequests();
  // Itself and its reader can see it; what is further down sees that more is on its way.
  expect(evaluations.map(({ node }) => node.key)).toContain("a/n51");
  expect(evaluations.length).toBeLessThanOrEqual(100);
  expect(listed).toBeLessThan(10);
  // The world of this test names the place of its own change.
  expect(keyAt.mock.calls.length).toBeLessThan(10);
});
