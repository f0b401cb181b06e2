import { tickTimes } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dueTicks, missedCountMax, tickGraceMs } from "../../control-plane/src/domain/schedule-ticks.ts";

const at = (text: string): number => Date.parse(text);
const iso = (instants: readonly number[]): string[] => instants.map((ms) => new Date(ms).toISOString().slice(0, 16));
const nightly = tickTimes(["0 2 * * *"], "UTC");

describe("the ticks that are due", () => {
  test("are those after the watermark, up to and including now", () => {
    const watermark = at("2026-01-01T02:00Z");
    expect(dueTicks(nightly, watermark, at("2026-01-02T01:59:59.999Z"), 1)).toEqual({ fire: [] });
    expect(iso(dueTicks(nightly, watermark, at("2026-01-02T02:00Z"), 1).fire)).toEqual(["2026-01-02T02:00"]);
    expect(dueTicks(nightly, at("2026-01-02T02:00Z"), at("2026-01-02T02:00Z"), 1)).toEqual({ fire: [] });
  });

  test("after a night without anybody are the newest by `latest`, and the rest is missed", () => {
    const { fire, missed } = dueTicks(nightly, at("2026-01-01T02:00Z"), at("2026-01-05T12:00Z"), 1);
    expect(iso(fire)).toEqual(["2026-01-05T02:00"]);
    expect(missed).toEqual({ firstMs: at("2026-01-02T02:00Z"), lastMs: at("2026-01-04T02:00Z"), count: 3 });
  });

  test("are the newest N by `all`, and none by `none` but what is in time", () => {
    const since = at("2026-01-01T02:00Z");
    const two = dueTicks(nightly, since, at("2026-01-05T12:00Z"), 2);
    expect([iso(two.fire), two.missed?.count]).toEqual([["2026-01-04T02:00", "2026-01-05T02:00"], 2]);
    expect(dueTicks(nightly, since, at("2026-01-05T12:00Z"), 100)).toMatchObject({ fire: { length: 4 } });
    const late = dueTicks(nightly, since, at("2026-01-05T02:01:01Z"), 0);
    expect([late.fire, late.missed?.count]).toEqual([[], 4]);
    const inTime = dueTicks(nightly, since, at("2026-01-05T02:00:59Z"), 0);
    expect([iso(inTime.fire), inTime.missed?.count]).toEqual([["2026-01-05T02:00"], 3]);
  });

  test("are none while a clock that was set back is behind the watermark", () => {
    expect(dueTicks(nightly, at("2026-01-05T02:00Z"), at("2026-01-03T12:00Z"), 100)).toEqual({ fire: [] });
  });

  test("of years without anybody cost no more than what is fired and a bounded count", () => {
    const minutely = tickTimes(["* * * * *"], "UTC");
    const { fire, missed } = dueTicks(minutely, at("2020-01-01T00:00Z"), at("2026-01-01T00:00Z"), 1);
    expect(iso(fire)).toEqual(["2025-12-31T23:59", "2026-01-01T00:00"]);
    expect(missed?.count).toBe(missedCountMax);
  });

  test("with the missed ones are all there are, each once, and the newest are fired", () => {
    const times = tickTimes(["*/20 * * * *", "0 2,14 * * *"], "Europe/Berlin");
    const base = at("2026-03-28T00:00Z");
    const minutes = fc.integer({ min: 0, max: 3 * 1_440 });
    fc.assert(
      fc.property(minutes, minutes, fc.integer({ min: 0, max: 60_000 }), fc.nat(12), (from, to, ms, most) => {
        const watermark = base + from * 60_000;
        const now = base + to * 60_000 + ms;
        const all: number[] = [];
        for (let tick = times.after(watermark); tick <= now; tick = times.after(tick)) all.push(tick);
        const { fire, missed } = dueTicks(times, watermark, now, most);
        const left = all.slice(0, all.length - fire.length);
        expect(all.slice(all.length - fire.length)).toEqual(fire);
        expect(missed).toEqual(
          left.length === 0 ? undefined : { firstMs: left[0], lastMs: left.at(-1), count: left.length },
        );
        expect(fire.length).toBe(
          Math.min(all.length, Math.max(most, all.filter((tick) => tick >= now - tickGraceMs).length)),
        );
      }),
      { numRuns: 300 },
    );
  });
});
