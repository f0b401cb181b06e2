import type { CronCadence } from "./cron-pattern.ts";
import { instantEndMs, instantMinMs } from "./time-zone.ts";
import type { TimeZone } from "./time-zone.ts";
import type { Boundaries, KeyShape } from "./boundaries.ts";

const dayMs = 86_400_000;

type CalendarCadence = Extract<CronCadence, { kind: "year" | "month" | "week" | "day" }>;

/** Numbers periods of the local calendar; a period is a local date and the boundary is that date's time of day. */
interface Periods {
  /** The first local day (since 1970-01-01) of a period. */
  dayOf(period: number): number;
  /** A period near that local day: off by one at most. */
  near(day: number): number;
  readonly keyShape: KeyShape;
}

/**
 * Boundaries at one local time a year, month, week or day, by arithmetic alone: a local time in a gap moves to the next
 * instant that exists, one that comes twice counts the first time.
 */
export function calendarBoundaries(cadence: CalendarCadence, zone: TimeZone): Boundaries {
  const periods = periodsOf(cadence, zone);
  const minuteMs = cadence.minuteOfDay * 60_000;

  function at(index: number): number {
    const localMs = periods.dayOf(index) * dayMs + minuteMs;
    if (!(localMs >= instantMinMs - 2 * dayMs)) return -Infinity;
    if (!(localMs < instantEndMs + 2 * dayMs)) return Infinity;
    return zone.instantOf(localMs);
  }

  function indexAtOrBefore(instantMs: number): number {
    const clippedMs = Math.min(Math.max(instantMs, instantMinMs), instantEndMs);
    let index = periods.near(Math.floor((clippedMs + zone.offsetAt(clippedMs) - minuteMs) / dayMs));
    while (at(index) > clippedMs) index--;
    while (at(index + 1) <= clippedMs) index++;
    return index;
  }

  const keyLength = keyLengths[periods.keyShape.kind];
  function keyAt(index: number): string {
    return new Date(periods.dayOf(index) * dayMs).toISOString().slice(0, keyLength);
  }

  function indexOf(key: string): number | undefined {
    if (key.length !== keyLength || !/^\d{4}(-\d\d){0,2}$/.test(key)) return undefined;
    const localMs = Date.parse(`${key}${"-01-01".slice(0, 10 - keyLength)}T00:00Z`);
    if (Number.isNaN(localMs) || localMs < instantMinMs || localMs >= instantEndMs) return undefined;
    const near = periods.near(Math.floor(localMs / dayMs));
    return [near, near - 1, near + 1].find((index) => keyAt(index) === key);
  }

  return { at, indexAtOrBefore, keyAt, indexOf, keyShape: periods.keyShape };
}

const keyLengths = { year: 4, month: 7, day: 10, instant: 0 } as const;

function periodsOf(cadence: CalendarCadence, zone: TimeZone): Periods {
  switch (cadence.kind) {
    case "year":
      return {
        dayOf: (period) => dayOf(1970 + period, cadence.month - 1, cadence.day),
        near: (day) => new Date(day * dayMs).getUTCFullYear() - 1970,
        keyShape:
          cadence.month === 1 && cadence.day === 1
            ? { kind: "year", noun: "year", example: "2001" }
            : { kind: "day", noun: "first day of a yearly partition", example: exampleDay(cadence.month, cadence.day) },
      };
    case "month":
      return {
        dayOf: (period) => dayOf(1970, period, cadence.day),
        near: (day) => {
          const date = new Date(day * dayMs);
          return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
        },
        keyShape:
          cadence.day === 1
            ? { kind: "month", noun: "month", example: "2001-01" }
            : { kind: "day", noun: "first day of a monthly partition", example: exampleDay(1, cadence.day) },
      };
    case "week": {
      // 1970-01-01 was a Thursday, weekday 4.
      const shift = (cadence.weekday + 3) % 7;
      const noun = `${weekdayNames[cadence.weekday] ?? "first day"} (partitions are weeks, named by their first day)`;
      return {
        dayOf: (period) => period * 7 + shift,
        near: (day) => Math.floor((day - shift) / 7),
        keyShape: { kind: "day", noun, example: exampleDay(1, 1 + ((shift + 3) % 7)) },
      };
    }
    case "day":
      // Where a zone skipped a whole day (Samoa had no 30 December 2011), its midnight moves to that of the next day: one
      // boundary, not two. Another time of day moves to the same midnight and is a boundary of its own.
      return {
        ...daysWithout(cadence.minuteOfDay === 0 ? zone.skippedDays() : []),
        keyShape: { kind: "day", noun: "day", example: "2001-01-31" },
      };
  }
}

const weekdayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

function dayOf(year: number, month: number, day: number): number {
  return Date.UTC(year, month, day) / dayMs;
}

function exampleDay(month: number, day: number): string {
  return new Date(Date.UTC(2001, month - 1, day)).toISOString().slice(0, 10);
}

/** Numbers days without the skipped ones. */
function daysWithout(skipped: readonly number[]): Pick<Periods, "dayOf" | "near"> {
  return {
    dayOf: (period) => skipped.reduce((day, gone) => (gone <= day ? day + 1 : day), period),
    near: (day) => day - skipped.filter((gone) => gone < day).length,
  };
}
