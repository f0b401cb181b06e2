import type { Boundaries } from "./boundaries.ts";
import { calendarBoundaries } from "./calendar-boundaries.ts";
import { type CronPattern, cronPattern } from "./cron-pattern.ts";
import { formatRfc3339 } from "./local-time.ts";
import { ModelError } from "./model-error.ts";
import { type TimeZone, instantEndMs, instantMinMs, timeZone } from "./time-zone.ts";
import { hourChunk, listedInstants, yearlyBoundaries } from "./yearly-boundaries.ts";

const dayMs = 86_400_000;

/** The most crons that one schedule may have. */
export const cronsMax = 50;

/** The instants of one or more crons in one zone: where several name the same one, it is one. */
export interface TickTimes {
  /** Canonical: crons that tick alike have equal text, as far as that can be told from how they are written. */
  readonly text: string;
  /** The zone's name as the runtime prints it. */
  readonly timezone: string;
  /** The first tick after an instant; infinite if there is none before the year 2200. */
  after(instantMs: number): number;
  /** The last tick before an instant; minus infinity if there is none since 1900. */
  before(instantMs: number): number;
  /** An instant as local RFC 3339 text with its offset. */
  format(instantMs: number): string;
}

/** Ticks of one cron. */
type OneCron = Pick<TickTimes, "after" | "before">;

const known = new Map<string, OneCron>();
const knownMax = 10_000;
/** Reading a cron costs a hundred times what finding its text here does, and graphs are built again and again. */
const knownTimes = new Map<string, TickTimes>();

/** @throws ModelError `invalid_cron`, `invalid_timezone` */
export function tickTimes(crons: readonly string[], zoneName: string): TickTimes {
  const key = JSON.stringify([zoneName, crons]);
  let times = knownTimes.get(key);
  if (times === undefined) {
    times = makeTimes(crons, zoneName);
    if (knownTimes.size >= knownMax) knownTimes.clear();
    knownTimes.set(key, times);
  }
  return times;
}

function makeTimes(crons: readonly string[], zoneName: string): TickTimes {
  if (crons.length === 0 || crons.length > cronsMax) {
    throw new ModelError("invalid_cron", `${crons.length} crons are not 1 to ${cronsMax}`, "give one, or a short list");
  }
  const zone = timeZone(zoneName);
  const patterns = crons.map(cronPattern);
  const texts = [...new Set(patterns.map(({ text }) => text))].sort();
  const all = patterns.map((pattern) => oneCron(pattern, zone));
  return {
    text: `${texts.join(", ")} ${zone.name}`,
    timezone: zone.name,
    after: (instantMs) => Math.min(...all.map((cron) => cron.after(instantMs))),
    before: (instantMs) => Math.max(...all.map((cron) => cron.before(instantMs))),
    format: (instantMs) => formatRfc3339(zone, instantMs),
  };
}

/** Many schedules have the same cron, and what it remembers of its days is worth sharing. */
function oneCron(pattern: CronPattern, zone: TimeZone): OneCron {
  const key = `${zone.name} ${pattern.text}`;
  let cron = known.get(key);
  if (cron === undefined) {
    cron = makeCron(pattern, zone);
    if (known.size >= knownMax) known.clear();
    known.set(key, cron);
  }
  return cron;
}

function makeCron(pattern: CronPattern, zone: TimeZone): OneCron {
  const { cadence } = pattern;
  switch (cadence.kind) {
    case "year":
    case "month":
    case "week":
    case "day":
      return numbered(calendarBoundaries(cadence, zone));
    case "hour":
      return numbered(yearlyBoundaries(zone, (year) => hourChunk(cadence.minute, zone, year)));
    case "other":
      return listed(pattern, zone);
  }
}

function numbered(boundaries: Boundaries): OneCron {
  return {
    after: (instantMs) => boundaries.at(boundaries.indexAtOrBefore(instantMs) + 1),
    before: (instantMs) => boundaries.at(boundaries.indexAtOrBefore(instantMs - 1)),
  };
}

/**
 * Found a UTC day at a time and never numbered: a cron that ticks every minute has half a million instants a year, and
 * nobody asks a schedule for more than those that are near.
 */
function listed(pattern: CronPattern, zone: TimeZone): OneCron {
  let last: { readonly day: number; readonly instants: readonly number[] } | undefined;
  const on = (day: number): readonly number[] => {
    if (last?.day !== day) {
      last = { day, instants: listedInstants(pattern, zone, day * dayMs, (day + 1) * dayMs) };
    }
    return last.instants;
  };
  return {
    after(instantMs) {
      const fromMs = Math.max(instantMs, instantMinMs);
      for (let day = Math.floor(fromMs / dayMs); day * dayMs < instantEndMs; day++) {
        const next = on(day).find((candidateMs) => candidateMs > fromMs);
        if (next !== undefined) return next;
      }
      return Infinity;
    },
    before(instantMs) {
      const fromMs = Math.min(instantMs, instantEndMs);
      for (let day = Math.floor((fromMs - 1) / dayMs); day * dayMs >= instantMinMs; day--) {
        const previous = on(day).findLast((candidateMs) => candidateMs < fromMs);
        if (previous !== undefined) return previous;
      }
      return -Infinity;
    },
  };
}
