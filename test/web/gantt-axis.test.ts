import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ganttAxis } from "../../web/src/pages/run/gantt-axis.ts";

const spans = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 1, max: 50_000 }))
    .map(([fromMs, lengthMs]) => ({ fromMs, toMs: fromMs + lengthMs })),
  { minLength: 1, maxLength: 40 },
);

describe("The time axis of a run", () => {
  it("goes from 0 to 1, never back, and gives every span a length", () => {
    fc.assert(
      fc.property(spans, (all) => {
        const { positionOf } = ganttAxis(all);
        const moments = all.flatMap(({ fromMs, toMs }) => [fromMs, toMs]).sort((a, b) => a - b);
        const positions = moments.map(positionOf);
        expect(positions[0]).toBeCloseTo(0);
        expect(positions.at(-1)).toBeCloseTo(1);
        positions.forEach((position, i) => expect(position).toBeGreaterThanOrEqual((positions[i - 1] ?? 0) - 1e-9));
        for (const { fromMs, toMs } of all) expect(positionOf(toMs)).toBeGreaterThan(positionOf(fromMs));
      }),
    );
  });

  it("folds a wait of hours, and says how long it was", () => {
    const hour = 3_600_000;
    const { positionOf, folds } = ganttAxis([
      { fromMs: 0, toMs: 10_000 },
      { fromMs: 8 * hour, toMs: 8 * hour + 10_000 },
    ]);
    expect(folds).toHaveLength(1);
    expect(folds[0]?.ms).toBe(8 * hour - 10_000);
    expect(positionOf(10_000)).toBeGreaterThan(0.4);
    expect(positionOf(8 * hour)).toBeLessThan(0.6);
  });

  it("leaves a short pause as long as it was", () => {
    const { positionOf, folds } = ganttAxis([
      { fromMs: 0, toMs: 4_000 },
      { fromMs: 5_000, toMs: 10_000 },
    ]);
    expect(folds).toEqual([]);
    expect(positionOf(5_000)).toBeCloseTo(0.5);
  });
});
