import { closedWindows, tickTimes, timeWindowsOf, windowText } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oracleTicks } from "../support/tick-oracle.ts";

const zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"];
const crons = ["0 2 * * *", "30 2 * * *", "0 2,14 * * *", "0 */2 * * *", "*/15 * * * *", "*/20 2 * * *", "5 * * * *"];
const yearMs = Date.UTC(2026, 0, 1);
const nextYearMs = Date.UTC(2027, 0, 1);

function ticksIn(texts: readonly string[], timezone: string, fromMs: number, toMs: number): number[] {
  const times = tickTimes(texts, timezone);
  const ticks: number[] = [];
  for (let tickMs = times.after(fromMs - 1); tickMs < toMs; tickMs = times.after(tickMs)) ticks.push(tickMs);
  return ticks;
}

/** Names the first instant that differs; tens of thousands of them are more than a message can show. */
function expectSame(found: readonly number[], expected: readonly number[]): void {
  const at = expected.findIndex((instantMs, n) => found[n] !== instantMs);
  expect([found[at], at, found.length]).toEqual([expected[at], -1, expected.length]);
  expect(found.length).toBeGreaterThan(0);
}

describe("the ticks of a schedule", () => {
  const cases = zones.flatMap((zone) => crons.map((cron) => [zone, cron] as const));
  it.each(cases)("in %s are those of the calendar over a year: %s", (zone, cron) => {
    expectSame(ticksIn([cron], zone, yearMs, nextYearMs), oracleTicks([cron], zone, yearMs, nextYearMs));
  });

  it("of several crons are those of any of them, each instant once", () => {
    const both = ["0 2 * * *", "0 */2 * * *", "15 9 * * 1-5"];
    for (const zone of zones) {
      expectSame(ticksIn(both, zone, yearMs, nextYearMs), oracleTicks(both, zone, yearMs, nextYearMs));
    }
  });

  it("are found from any instant, forward and backward alike", () => {
    const field = (max: number) => fc.constantFrom("*", "*/7", String(max), `0,${max}`, `1-${Math.min(3, max)}`);
    const cron = fc
      .tuple(
        field(59),
        field(23),
        fc.constantFrom("*", "1,15", "28"),
        fc.constantFrom("*", "3,10"),
        fc.constantFrom("*", "0"),
      )
      .map((fields) => fields.join(" "));
    fc.assert(
      fc.property(
        fc.array(cron, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...zones),
        fc.integer({ min: yearMs, max: nextYearMs }),
        (texts, zone, atMs) => {
          const times = tickTimes(texts, zone);
          const next = times.after(atMs);
          const previous = times.before(atMs);
          expect(next).toBeGreaterThan(atMs);
          expect(previous).toBeLessThan(atMs);
          // Between the two lies nothing, or exactly the instant that was asked about.
          expect([next, atMs]).toContain(times.after(previous));
          expect([previous, atMs]).toContain(times.before(next));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("end where time is no longer counted, and come from no endless search", () => {
    const times = tickTimes(["0 0 29 2 *"], "UTC");
    expect(new Date(times.after(Date.UTC(2096, 2, 1))).toISOString()).toBe("2104-02-29T00:00:00.000Z");
    expect(times.after(Date.UTC(2196, 2, 1))).toBe(Infinity);
    expect(times.before(Date.UTC(1900, 0, 1))).toBe(-Infinity);
  });

  it("have one text for what is written in several ways, and say the local time with its offset", () => {
    expect(tickTimes(["@daily", "0  12 * * *"], "UTC").text).toBe(tickTimes(["0 12 * * *", "0 0 * * *"], "UTC").text);
    expect(tickTimes(["@daily"], "Europe/Berlin").format(Date.UTC(2026, 5, 1))).toBe("2026-06-01T02:00:00+02:00");
  });

  it("are refused where a cron or the zone is none", () => {
    expect(() => tickTimes([], "UTC")).toThrow("0 crons");
    expect(() => tickTimes(["61 * * * *"], "UTC")).toThrow("61 * * * *");
    expect(() => tickTimes(["0 0 31 2 *"], "UTC")).toThrow("never ticks");
    expect(() => tickTimes(["0 0 * * *"], "Mars/Olympus")).toThrow("Mars/Olympus");
  });
});

describe("closed windows", () => {
  const daily = { kind: "timeWindow", cron: "0 0 * * *", timezone: "Europe/Berlin", start: "2026-01-01" } as const;

  it("are those that ended after one instant, up to and including another", () => {
    const keys = (since: string, until: string, max = 100): string[] =>
      closedWindows(daily, Date.parse(since), Date.parse(until), max).map(({ key }) => key);
    expect(keys("2026-03-29T00:00+01:00", "2026-03-31T00:00+02:00")).toEqual(["2026-03-29", "2026-03-30"]);
    expect(keys("2026-03-29T00:00+01:00", "2026-03-30T23:59+02:00")).toEqual(["2026-03-29"]);
    expect(keys("2026-03-30T00:00+02:00", "2026-03-30T12:00+02:00")).toEqual([]);
    expect(keys("2026-01-01T00:00+01:00", "2026-03-31T00:00+02:00", 2)).toEqual(["2026-03-29", "2026-03-30"]);
  });

  it("of a day on which clocks change are an hour longer or shorter", () => {
    const [window] = closedWindows(
      daily,
      Date.parse("2026-03-29T00:00+01:00"),
      Date.parse("2026-03-30T00:00+02:00"),
      9,
    );
    expect(window).toMatchObject({ key: "2026-03-29", endMs: (window?.startMs ?? 0) + 23 * 3_600_000 });
  });

  it("belong to the dimension that has them, and are cut alike wherever they start", () => {
    const region = { name: "region", definition: { kind: "static", keys: ["eu"] } } as const;
    const multi = { kind: "multi", dimensions: [region, { name: "day", definition: daily }] } as const;
    expect(timeWindowsOf(multi)).toEqual(daily);
    expect(timeWindowsOf(region.definition)).toBeUndefined();
    expect(windowText({ ...daily, cron: "@daily", start: "2020-01-01" })).toBe(windowText(daily));
  });
});
