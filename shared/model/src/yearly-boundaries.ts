import type { CronPattern } from "./cron-pattern.ts";
import { formatInstant, parseLocal } from "./local-time.ts";
import { instantEndMs, instantMinMs, yearEnd, yearMin } from "./time-zone.ts";
import type { TimeZone } from "./time-zone.ts";
import type { Boundaries } from "./boundaries.ts";

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** The boundaries inside one UTC year. */
export interface YearChunk {
  readonly count: number;
  at(position: number): number;
  /** How many are at or before an instant. */
  rank(instantMs: number): number;
}

/** Index 0 is the first boundary of this UTC year. */
const anchorYear = 2000;
/** Counts are kept for every year ever asked about, what a chunk lists for so many years only. */
const chunksMax = 4;

/** Boundaries found a year at a time, no further than asked. */
export function yearlyBoundaries(zone: TimeZone, chunkOf: (year: number) => YearChunk): Boundaries {
  const chunks = new Map<number, YearChunk>();
  // The index of the first boundary of a year: forward[i] of anchorYear + i, backward[i] of anchorYear - i.
  const forward = [0];
  const backward = [0];

  function chunk(year: number): YearChunk {
    const known = chunks.get(year);
    if (known !== undefined) return known;
    const made = chunkOf(year);
    if (chunks.size >= chunksMax) chunks.delete(chunks.keys().next().value ?? 0);
    chunks.set(year, made);
    return made;
  }

  function firstIndexOf(year: number): number {
    for (let next = forward.length; next <= year - anchorYear; next++) {
      forward.push((forward[next - 1] ?? 0) + chunk(anchorYear + next - 1).count);
    }
    for (let next = backward.length; next <= anchorYear - year; next++) {
      backward.push((backward[next - 1] ?? 0) - chunk(anchorYear - next).count);
    }
    return (year >= anchorYear ? forward[year - anchorYear] : backward[anchorYear - year]) ?? 0;
  }

  function at(index: number): number {
    let year = anchorYear;
    if (index < 0) while (year >= yearMin && firstIndexOf(year) > index) year--;
    else year = lastYearFrom(index);
    if (year < yearMin) return -Infinity;
    if (year >= yearEnd) return Infinity;
    return chunk(year).at(index - firstIndexOf(year));
  }

  /** The year that holds an index from the anchor on: found among the known counts first, then by counting on. */
  function lastYearFrom(index: number): number {
    let low = 0;
    let high = forward.length - 1;
    if (index >= (forward[high] ?? 0)) {
      let year = anchorYear + high;
      while (year < yearEnd && firstIndexOf(year + 1) <= index) year++;
      return year;
    }
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((forward[middle] ?? 0) <= index) low = middle;
      else high = middle;
    }
    return anchorYear + low;
  }

  function indexAtOrBefore(instantMs: number): number {
    const clippedMs = Math.min(Math.max(instantMs, instantMinMs), instantEndMs - 1);
    const year = new Date(clippedMs).getUTCFullYear();
    return firstIndexOf(year) + chunk(year).rank(clippedMs) - 1;
  }

  const keyAt = (index: number): string => formatInstant(zone, at(index));

  function indexOf(key: string): number | undefined {
    const parsed = parseLocal(key);
    if (parsed?.offsetMs === undefined) return undefined;
    const instantMs = parsed.localMs - parsed.offsetMs;
    if (instantMs < instantMinMs || instantMs >= instantEndMs) return undefined;
    const index = indexAtOrBefore(instantMs);
    // One partition, one key: another offset, or Z, for the same instant is another text and no key.
    return at(index) === instantMs && keyAt(index) === key ? index : undefined;
  }

  const noun = "partition start (local time with its offset)";
  const example = formatInstant(zone, at(indexAtOrBefore(Date.UTC(2026, 0, 15))));
  return { at, indexAtOrBefore, keyAt, indexOf, keyShape: { kind: "instant", noun, example } };
}

/**
 * Every instant of a year at which local clocks show this minute of an hour, by arithmetic. Hours follow elapsed time:
 * both passes of a repeated hour are there, a skipped one is not. Where a zone shifts by a part of an hour (Lord Howe
 * Island), one window around the change is longer or shorter.
 */
export function hourChunk(minute: number, zone: TimeZone, year: number): YearChunk {
  const runs = zone.regimesOf(year).map(({ startMs, endMs, offsetMs }) => {
    const phaseMs = modulo(minute * 60_000 - offsetMs, hourMs);
    const firstMs = startMs + modulo(phaseMs - startMs, hourMs);
    return { firstMs, count: Math.max(0, Math.ceil((endMs - firstMs) / hourMs)) };
  });
  return {
    count: runs.reduce((total, run) => total + run.count, 0),
    at(position) {
      let rest = position;
      for (const { firstMs, count } of runs) {
        if (rest < count) return firstMs + rest * hourMs;
        rest -= count;
      }
      return Infinity;
    },
    rank: (instantMs) =>
      runs.reduce((total, { firstMs, count }) => {
        const passed = Math.floor((instantMs - firstMs) / hourMs) + 1;
        return total + Math.min(Math.max(passed, 0), count);
      }, 0),
  };
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

/** The ticks of any cron in a year, listed. */
export function listedChunk(pattern: CronPattern, zone: TimeZone, year: number): YearChunk {
  const instants = listedInstants(pattern, zone, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
  return {
    count: instants.length,
    at: (position) => instants[position] ?? Infinity,
    rank: (instantMs) => rankIn(instants, instantMs),
  };
}

/**
 * The ticks of any cron from an instant up to but not including another one of the same UTC year, ascending. A cron of
 * fixed times ticks once per local time, others by elapsed time.
 */
export function listedInstants(pattern: CronPattern, zone: TimeZone, fromMs: number, toMs: number): number[] {
  return pattern.fixedTime
    ? fixedTimeInstants(pattern, zone, fromMs, toMs)
    : elapsedInstants(pattern, zone, fromMs, toMs);
}

/** Once per local time; one in a gap moves to the next instant that exists, which may be that of a later time. */
function fixedTimeInstants(pattern: CronPattern, zone: TimeZone, fromMs: number, toMs: number): number[] {
  const instants: number[] = [];
  let previousMs = -Infinity;
  // A local day reaches over 15 hours past either end of its UTC day.
  for (let day = Math.floor(fromMs / dayMs) - 2; day <= toMs / dayMs + 1; day++) {
    if (!pattern.matchesDay(day)) continue;
    for (const minute of pattern.minutesOfDay) {
      const instantMs = zone.instantOf(day * dayMs + minute * 60_000);
      if (instantMs >= fromMs && instantMs < toMs && instantMs > previousMs) instants.push(instantMs);
      previousMs = instantMs;
    }
  }
  return instants;
}

/** Stretch by stretch of one offset: what local clocks skip is in none, what they repeat is in two. */
function elapsedInstants(pattern: CronPattern, zone: TimeZone, fromMs: number, toMs: number): number[] {
  const instants: number[] = [];
  for (const { startMs, endMs, offsetMs } of zone.regimesOf(new Date(fromMs).getUTCFullYear())) {
    const lowMs = Math.max(startMs, fromMs) + offsetMs;
    const highMs = Math.min(endMs, toMs) + offsetMs;
    for (let day = Math.floor(lowMs / dayMs); day * dayMs < highMs; day++) {
      if (!pattern.matchesDay(day)) continue;
      for (const minute of pattern.minutesOfDay) {
        const localMs = day * dayMs + minute * 60_000;
        if (localMs >= lowMs && localMs < highMs) instants.push(localMs - offsetMs);
      }
    }
  }
  return instants;
}

/** How many of the ascending instants are at or before this one. */
function rankIn(instants: readonly number[], instantMs: number): number {
  let low = 0;
  let high = instants.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((instants[middle] ?? Infinity) <= instantMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
