import { rangeSet } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type StatusRange, partitionStatuses } from "../../control-plane/src/domain/status.ts";
import { statusRuns } from "../../control-plane/src/domain/status-runs.ts";

const statuses = fc.array(fc.constantFrom(...partitionStatuses), { minLength: 1, maxLength: 300 });

function rangesOf(all: readonly (typeof partitionStatuses)[number][]): StatusRange[] {
  return partitionStatuses
    .map((status) => ({ status, set: rangeSet.from(all.flatMap((each, i) => (each === status ? [i] : []))) }))
    .filter(({ set }) => !rangeSet.isEmpty(set));
}

const spread = (runs: ReturnType<typeof statusRuns>) => runs.flatMap(({ status, count }) => Array(count).fill(status));

describe("Statuses of partitions in their order", () => {
  it("are what each partition has, as long as there is room", () => {
    fc.assert(
      fc.property(statuses, (all) => {
        expect(spread(statusRuns(rangesOf(all), 300))).toEqual(all);
      }),
    );
  });

  it("are as many as may be, cover every partition once, and let the worst stand for those drawn together", () => {
    fc.assert(
      fc.property(statuses, fc.integer({ min: 1, max: 40 }), (all, runsMax) => {
        const runs = statusRuns(rangesOf(all), runsMax);
        expect(runs.length).toBeLessThanOrEqual(runsMax);
        const shown = spread(runs);
        expect(shown).toHaveLength(all.length);
        const rank = (status: (typeof all)[number]) => partitionStatuses.indexOf(status);
        all.forEach((status, i) => expect(rank(shown[i])).toBeLessThanOrEqual(rank(status)));
        expect(new Set(all).has(shown[0])).toBe(true);
      }),
    );
  });
});
