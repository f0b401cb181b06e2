import type { Boundaries } from "./boundaries.ts";
import { calendarBoundaries } from "./calendar-boundaries.ts";
import { cronPattern } from "./cron-pattern.ts";
import { hourChunk, listedChunk, yearlyBoundaries } from "./yearly-boundaries.ts";
import { timeZone } from "./time-zone.ts";
import type { TimeZone } from "./time-zone.ts";

/** One cron in one zone; `cron` and `zone.name` are in canonical form, so equal cadences have equal ones. */
export interface WindowCadence {
  readonly cron: string;
  readonly zone: TimeZone;
  readonly boundaries: Boundaries;
}

const cadences = new Map<string, WindowCadence>();
const cadencesMax = 256;

/** @throws ModelError `invalid_cron`, `invalid_timezone` */
export function windowCadence(cron: string, zoneName: string): WindowCadence {
  const key = `${zoneName} ${cron}`;
  const known = cadences.get(key);
  if (known !== undefined) return known;
  const made = makeCadence(cron, zoneName);
  // What falls out here lives on in the spaces that use it; a successor numbers its boundaries the same way.
  if (cadences.size >= cadencesMax) cadences.delete(cadences.keys().next().value ?? "");
  cadences.set(key, made);
  return made;
}

function makeCadence(cron: string, zoneName: string): WindowCadence {
  const zone = timeZone(zoneName);
  const pattern = cronPattern(cron);
  const cadence = pattern.cadence;
  switch (cadence.kind) {
    case "year":
    case "month":
    case "week":
    case "day":
      return { cron: pattern.text, zone, boundaries: calendarBoundaries(cadence, zone) };
    case "hour":
      return {
        cron: pattern.text,
        zone,
        boundaries: yearlyBoundaries(zone, (year) => hourChunk(cadence.minute, zone, year)),
      };
    case "other":
      return {
        cron: pattern.text,
        zone,
        boundaries: yearlyBoundaries(zone, (year) => listedChunk(pattern, zone, year)),
      };
  }
}
