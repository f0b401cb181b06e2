import { ModelError } from "./model-error.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Partition windows lie in the years from 1900 up to but not including 2200, so that every search has a bound. */
export const yearMin = 1900;
export const yearEnd = 2200;
export const instantMinMs = Date.UTC(yearMin, 0, 1);
export const instantEndMs = Date.UTC(yearEnd, 0, 1);

/** A stretch of elapsed time with one offset: local time is `instant + offsetMs`. */
export interface OffsetRegime {
  readonly startMs: number;
  readonly endMs: number;
  readonly offsetMs: number;
}

/**
 * The arithmetic of one IANA zone. "Local milliseconds" are a local date and time written down as if it were UTC, so
 * that the calendar can be computed on without a zone.
 */
export interface TimeZone {
  /** The name as the runtime prints it. */
  readonly name: string;
  offsetAt(instantMs: number): number;
  /** The offsets of one UTC year, in order and without holes; clipped to that year. */
  regimesOf(year: number): readonly OffsetRegime[];
  /**
   * The first instant at which clocks show this local time; where they never do (a gap), the next instant that exists.
   * This is the rule for ticks at a fixed time of day.
   */
  instantOf(localMs: number): number;
  /** Local days (days since 1970-01-01) that the zone skipped whole, by crossing the date line. */
  skippedDays(): readonly number[];
}

const zones = new Map<string, TimeZone>();
const zonesMax = 1_000;

/** @throws ModelError `invalid_timezone` for a name that the runtime's IANA database does not have. */
export function timeZone(name: string): TimeZone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const made = makeZone(name);
  if (zones.size >= zonesMax) zones.clear();
  zones.set(name, made);
  return made;
}

function makeZone(name: string): TimeZone {
  const readOffset = offsetReader(name);
  const years = new Map<number, readonly OffsetRegime[]>();
  let skipped: readonly number[] | undefined;

  function regimesOf(year: number): readonly OffsetRegime[] {
    let regimes = years.get(year);
    if (regimes === undefined) {
      regimes = findRegimes(readOffset.at, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
      years.set(year, regimes);
    }
    return regimes;
  }

  function regimeAt(instantMs: number): OffsetRegime {
    const regimes = regimesOf(new Date(instantMs).getUTCFullYear());
    for (const regime of regimes) if (instantMs < regime.endMs) return regime;
    throw new RangeError(`${instantMs} is no instant`);
  }

  const offsetAt = (instantMs: number): number => regimeAt(instantMs).offsetMs;

  function instantOf(localMs: number): number {
    // Offsets lie within 14 hours ahead and 12 behind, so the instant lies between these two.
    let instantMs = localMs - 15 * hourMs;
    const lastMs = localMs + 13 * hourMs;
    while (instantMs <= lastMs) {
      const { endMs, offsetMs } = regimeAt(instantMs);
      // Before this stretch the local time had not come yet. If it shows up here, this is its first time; if the
      // stretch begins past it, it fell into the gap before the stretch, and the beginning is what comes next.
      const candidateMs = localMs - offsetMs;
      if (candidateMs < endMs) return Math.max(candidateMs, instantMs);
      instantMs = endMs;
    }
    throw new RangeError(`local time ${localMs} does not exist in ${name}`);
  }

  return {
    name: readOffset.name,
    offsetAt,
    regimesOf,
    instantOf,
    skippedDays: () => (skipped ??= findSkippedDays(readOffset.at)),
  };
}

function offsetReader(name: string): { name: string; at: (instantMs: number) => number } {
  let format: Intl.DateTimeFormat;
  try {
    // Newer runtimes take fixed offsets such as "+02:00" for zones; they are no IANA names and older ones refuse them.
    if (!/^[A-Za-z]/.test(name)) throw new RangeError(`no IANA name`);
    format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  } catch (cause) {
    const hint = "write an IANA name such as UTC, Europe/Berlin or America/New_York";
    throw new ModelError("invalid_timezone", `timezone ${JSON.stringify(name)} does not exist`, hint, { cause });
  }
  const zoneName = format.resolvedOptions().timeZone;
  if (zoneName === "UTC") return { name: zoneName, at: () => 0 };
  return {
    name: zoneName,
    at: (instantMs) => {
      const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(instantMs));
      if (match === null) throw new RangeError(`no offset for ${zoneName} at ${instantMs}`);
      const [, sign, hours = "0", minutes = "0", seconds = "0"] = match;
      const magnitudeMs = Number(hours) * hourMs + Number(minutes) * 60_000 + Number(seconds) * 1_000;
      return sign === "-" ? -magnitudeMs : magnitudeMs;
    },
  };
}

/** Looks every two days: the shortest time that a zone kept an offset since 1900 is a week (Recife in October 2000). */
const sampleMs = 2 * dayMs;

function findRegimes(at: (instantMs: number) => number, fromMs: number, toMs: number): readonly OffsetRegime[] {
  const regimes: OffsetRegime[] = [];
  let startMs = fromMs;
  let offsetMs = at(fromMs);
  for (let seenMs = fromMs; seenMs < toMs - 1;) {
    const nextMs = Math.min(seenMs + sampleMs, toMs - 1);
    const nextOffsetMs = at(nextMs);
    if (nextOffsetMs !== offsetMs) {
      const changeMs = firstOther(at, seenMs, nextMs);
      regimes.push({ startMs, endMs: changeMs, offsetMs });
      startMs = changeMs;
      offsetMs = nextOffsetMs;
    }
    seenMs = nextMs;
  }
  regimes.push({ startMs, endMs: toMs, offsetMs });
  return regimes;
}

/** The first millisecond after `lowMs` whose offset is not that of `lowMs`; `highMs` is known to be one. */
function firstOther(at: (instantMs: number) => number, lowMs: number, highMs: number): number {
  const offsetMs = at(lowMs);
  let before = lowMs;
  let after = highMs;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (at(middle) === offsetMs) before = middle;
    else after = middle;
  }
  return after;
}

/** A move across the date line changes the offset by a day and stays, so one look a year finds it. */
function findSkippedDays(at: (instantMs: number) => number): readonly number[] {
  const days: number[] = [];
  for (let year = yearMin; year < yearEnd; year++) {
    const fromMs = Date.UTC(year, 0, 1);
    const toMs = Date.UTC(year + 1, 0, 1);
    if (at(toMs) - at(fromMs) < 12 * hourMs) continue;
    for (const { endMs, offsetMs } of findRegimes(at, fromMs, toMs + dayMs)) {
      const gapStartMs = endMs + offsetMs;
      const gapEndMs = endMs + at(endMs);
      for (let day = Math.ceil(gapStartMs / dayMs); (day + 1) * dayMs <= gapEndMs; day++) days.push(day);
    }
  }
  return days;
}
