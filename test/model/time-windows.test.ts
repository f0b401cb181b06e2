import { partitionSpace } from "@headgate/model";
import type { PartitionSpace } from "@headgate/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timeZone } from "../../shared/model/src/time-zone.ts";
import { elapsedTicks, fixedTicks, localClock, minutesOf } from "./time-zone-oracle.ts";

const dayMs = 86_400_000;
const zones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "America/St_Johns",
  "Asia/Kathmandu",
  "Pacific/Apia",
  "Africa/Casablanca",
];
const crons = [
  "0 0 1 1 *",
  "0 0 1 4 *",
  "0 0 1 * *",
  "30 5 15 * *",
  "0 0 * * 1",
  "0 2 * * SUN",
  "0 0 * * *",
  "30 2 * * *",
  "0 * * * *",
  "17 * * * *",
  "*/15 * * * *",
  "0 */6 * * *",
  "0 9 * * 1-5",
  "0 2,14 * * *",
  "0 0 31 * *",
  "0 12 L * *",
];

function windows(cron: string, timezone: string, start = "1970", end?: string): PartitionSpace {
  return partitionSpace({ kind: "timeWindow", cron, timezone, start, ...(end === undefined ? {} : { end }) });
}

/** The starts of the windows that begin in an interval. */
function startsIn(space: PartitionSpace, fromMs: number, toMs: number): number[] {
  const [first, end] = space.overlapping(fromMs, toMs);
  const starts: number[] = [];
  for (let ordinal = first; ordinal < end; ordinal++) {
    const startMs = space.windowAt(ordinal)?.startMs ?? Number.NaN;
    if (startMs >= fromMs) starts.push(startMs);
  }
  return starts;
}

describe("time zones", () => {
  it("have the offset that the runtime shows, at any time since 1900, in every zone", { timeout: 60_000 }, () => {
    const names = ["UTC", ...Intl.supportedValuesOf("timeZone")];
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.integer({ min: Date.UTC(1900, 0, 1) / 1000, max: Date.UTC(2100, 0, 1) / 1000 }),
        (name, seconds) => {
          expect(timeZone(name).offsetAt(seconds * 1000)).toBe(localClock(name)(seconds * 1000) - seconds * 1000);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  const shortest: readonly [name: string, fromMs: number, toMs: number][] = [
    ["America/Recife", Date.UTC(2000, 9, 1), Date.UTC(2000, 9, 31)], // summer time for one week
    ["Africa/Tunis", Date.UTC(1943, 3, 1), Date.UTC(1943, 4, 15)], // changed twice within nine days
    ["Africa/Casablanca", Date.UTC(2026, 1, 1), Date.UTC(2026, 3, 1)], // Ramadan
  ];
  it.each(shortest)("have even the shortest summer time: %s", (name, fromMs, toMs) => {
    const clock = localClock(name);
    const offsets = new Set<number>();
    for (let instantMs = fromMs; instantMs < toMs; instantMs += 1_800_000) {
      const offsetMs = clock(instantMs) - instantMs;
      offsets.add(offsetMs);
      expect(timeZone(name).offsetAt(instantMs)).toBe(offsetMs);
    }
    expect(offsets.size).toBe(2);
  });
});

describe("time windows", () => {
  it("follow each other without hole or overlap, grow strictly, and hold exactly the instants inside them", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...crons),
        fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2040, 0, 1) }),
        (timezone, cron, nowMs) => {
          const space = windows(cron, timezone);
          const count = space.count(nowMs);
          const open = space.windowAt(count);
          const next = space.windowAt(count + 1);
          const before = count > 0 ? space.windowAt(count - 1) : undefined;
          if (open === undefined || next === undefined) throw new Error("windows without an end go on");
          expect(open.startMs).toBeLessThan(open.endMs);
          expect(next.startMs).toBe(open.endMs);
          // It exists once it has ended, and no sooner.
          expect(open.endMs).toBeGreaterThan(nowMs);
          expect(before?.endMs ?? open.startMs).toBe(open.startMs);
          expect(before?.endMs ?? -Infinity).toBeLessThanOrEqual(nowMs);
          expect(space.count(open.endMs - 1)).toBe(count);
          expect(space.count(open.endMs)).toBe(count + 1);
          if (open.startMs <= nowMs) expect(space.overlapping(nowMs, nowMs + 1)).toEqual([count, count + 1]);
          expect(space.overlapping(open.startMs, next.endMs)).toEqual([count, count + 2]);
          expect(space.overlapping(open.startMs + 1, next.startMs + 1)).toEqual([count, count + 2]);
          expect(Date.parse(open.start)).toBe(open.startMs);
          expect(Date.parse(open.end)).toBe(open.endMs);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("have keys that lead back to them, sort as they do, and are no key of another", () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.constantFrom(...crons), fc.nat(5_000), (timezone, cron, pick) => {
        const space = windows(cron, timezone, "1995");
        const ordinal = pick % space.count(Date.UTC(2040, 0, 1));
        const key = space.keyAt(ordinal);
        expect(space.ordinalOf(key)).toBe(ordinal);
        expect(space.keyAt(ordinal + 1)).not.toBe(key);
        expect(space.ordinalOf(`${key} `)).toBeUndefined();
        expect(space.ordinalOf(key.slice(0, -1))).toBeUndefined();
      }),
      { numRuns: 800 },
    );
  });

  const changes: readonly [timezone: string, around: string][] = [
    ["Europe/Berlin", "2026-03-29"],
    ["Europe/Berlin", "2026-10-25"],
    ["America/New_York", "2026-03-08"],
    ["America/New_York", "2026-11-01"],
    ["Australia/Lord_Howe", "2026-04-05"],
    ["Australia/Lord_Howe", "2026-10-04"],
    ["America/St_Johns", "2006-04-02"], // at one minute past midnight
    ["America/St_Johns", "2006-10-29"],
    ["America/St_Johns", "1988-04-03"], // by two hours
    ["America/Sao_Paulo", "2018-11-04"], // at midnight, which did not exist
    ["Africa/Cairo", "2026-10-30"], // at midnight, which comes twice
    ["Asia/Kathmandu", "1986-01-01"], // by a quarter of an hour, at the turn of the year
    ["Asia/Pyongyang", "2018-05-05"],
    ["Pacific/Apia", "2011-12-30"], // by a whole day, which did not exist
    ["Pacific/Kwajalein", "1993-08-21"],
  ];

  it.each(changes)("around the change in %s of %s are those that local clocks show", (timezone, around) => {
    const middleMs = Date.parse(`${around}T00:00Z`);
    const [fromMs, toMs] = [middleMs - 2 * dayMs, middleMs + 3 * dayMs];
    const minutes = minutesOf(timezone, fromMs, toMs);
    const at = (hours: readonly number[], minute: number) => (local: Date) =>
      hours.includes(local.getUTCHours()) && local.getUTCMinutes() === minute;

    const fixed: [string, readonly number[], number][] = [
      ["0 0 * * *", [0], 0],
      ["30 2 * * *", [2], 30],
      ["0 2,14 * * *", [2, 14], 0],
      ["30 1-3 * * *", [1, 2, 3], 30],
    ];
    // Local times near either end may be shown first by a minute outside: compared well inside.
    const inner = (ticks: readonly number[]) => ticks.filter((ms) => ms >= fromMs + 60_000 && ms < toMs - dayMs);
    for (const [cron, hours, minute] of fixed) {
      const expected = inner(fixedTicks(minutes, at(hours, minute)));
      const space = windows(cron, timezone);
      expect(inner(startsIn(space, fromMs, toMs)), cron).toEqual(expected);
      // Minute by minute: a window exists from the moment the next one begins, in the second pass of an hour as well.
      const [first] = space.overlapping(expected[0] ?? 0, Infinity);
      for (const { instantMs } of minutes) {
        if (instantMs < (expected[0] ?? 0) || instantMs >= toMs - dayMs) continue;
        expect(space.count(instantMs)).toBe(first + expected.filter((startMs) => startMs <= instantMs).length - 1);
      }
    }
    const elapsed: [string, (local: Date) => boolean][] = [
      ["0 * * * *", (local) => local.getUTCMinutes() === 0],
      ["17 * * * *", (local) => local.getUTCMinutes() === 17],
      ["*/15 * * * *", (local) => local.getUTCMinutes() % 15 === 0],
      ["0 */2 * * *", (local) => local.getUTCMinutes() === 0 && local.getUTCHours() % 2 === 0],
    ];
    for (const [cron, matches] of elapsed) {
      expect(startsIn(windows(cron, timezone), fromMs, toMs), cron).toEqual(elapsedTicks(minutes, matches));
    }
  });

  it("of days last 23 and 25 hours where clocks change, and both passes of a repeated hour have a key", () => {
    const days = windows("0 0 * * *", "Europe/Berlin");
    const hoursOf = (key: string): number => {
      const window = days.windowAt(days.ordinalOf(key) ?? -1);
      return window === undefined ? Number.NaN : (window.endMs - window.startMs) / 3_600_000;
    };
    expect([hoursOf("2026-03-28"), hoursOf("2026-03-29"), hoursOf("2026-10-25")]).toEqual([24, 23, 25]);

    const hours = windows("0 * * * *", "Europe/Berlin");
    const first = hours.ordinalOf("2026-10-25T02:00+02:00") ?? -1;
    expect([0, 1, 2].map((step) => hours.keyAt(first + step))).toEqual([
      "2026-10-25T02:00+02:00",
      "2026-10-25T02:00+01:00",
      "2026-10-25T03:00+01:00",
    ]);
    expect(hours.ordinalOf("2026-03-29T02:00+01:00")).toBeUndefined();
    expect(hours.ordinalOf("2026-10-25T00:00Z")).toBeUndefined();
  });

  it("leave out a day that a zone skipped whole", () => {
    const days = windows("0 0 * * *", "Pacific/Apia", "2011-12-28");
    expect([0, 1, 2, 3].map((ordinal) => days.keyAt(ordinal))).toEqual([
      "2011-12-28",
      "2011-12-29",
      "2011-12-31",
      "2012-01-01",
    ]);
    expect(days.ordinalOf("2011-12-30")).toBeUndefined();
  });

  it("are named by what they are: years, months, days, first days of weeks, else local time with offset", () => {
    const key = (cron: string, timezone = "UTC"): string => windows(cron, timezone, "2001").keyAt(1);
    expect(key("0 0 1 1 *")).toBe("2002");
    expect(key("@monthly")).toBe("2001-02");
    expect(key("0 6 1 * *")).toBe("2001-02");
    expect(key("0 0 15 * *")).toBe("2001-02-15");
    expect(key("0 0 1 jul *")).toBe("2002-07-01");
    expect(key("0 0 * * MON")).toBe("2001-01-08");
    expect(key("@daily")).toBe("2001-01-02");
    expect(key("@hourly")).toBe("2001-01-01T01:00+00:00");
    expect(key("*/30 * * * *", "Asia/Kathmandu")).toBe("2001-01-01T00:30+05:45");
    expect(key("0 0 31 * *")).toBe("2001-03-31T00:00+00:00");
  });

  it("cost nothing by the million: an hourly space of a century answers in the time of a few divisions", () => {
    for (const timezone of ["UTC", "Europe/Berlin", "Australia/Lord_Howe"]) {
      const space = windows("0 * * * *", timezone, "1905");
      const nowMs = Date.UTC(2026, 10, 21);
      expect(space.count(nowMs)).toBeGreaterThan(1_068_000);
      const startedMs = performance.now();
      for (let i = 0; i < 1_000; i++) {
        const ordinal = (i * 7919 * 131) % 1_068_000;
        expect(space.ordinalOf(space.keyAt(ordinal))).toBe(ordinal);
      }
      // A listing of a million keys takes seconds; a thousand round trips take milliseconds. The bound is generous.
      expect(performance.now() - startedMs).toBeLessThan(10_000);
    }
  });
});
