import { calendarBoundaries } from "./calendar-boundaries.ts";
import { cronPattern } from "./cron-pattern.ts";
import { hourChunk, listedChunk, yearlyBoundaries } from "./yearly-boundaries.ts";
import { timeZone } from "./time-zone.ts";
import type { TimeZone } from "./time-zone.ts";

/**
 * The instants at which windows of one cron in one zone begin and end, numbered over all time: the index depends on
 * cron and zone alone, so spaces that differ in their start share it. It may be negative.
 */
export interface Boundaries {
  /** The instant of a boundary; infinite for what lies before 1900 or after 2199. */
  at(index: number): number;
  /** The index of the last boundary at or before an instant. */
  indexAtOrBefore(instantMs: number): number;
  /** The key of the window that begins at a boundary. */
  keyAt(index: number): string;
  /** The index of the boundary with exactly that key. */
  indexOf(key: string): number | undefined;
  /** What a key looks like, for messages. */
  readonly keyShape: KeyShape;
}

/** `noun` completes "partition 2001-13 is no ..."; `example` is a key of that shape. */
export interface KeyShape {
  readonly kind: "year" | "month" | "day" | "instant";
  readonly noun: string;
  readonly example: string;
}

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
