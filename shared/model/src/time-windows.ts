import { parseLocal } from "./local-time.ts";
import { ModelError } from "./model-error.ts";
import type { PartitionsDefinition } from "./partitions-definition.ts";
import { instantEndMs, instantMinMs, yearEnd, yearMin } from "./time-zone.ts";
import type { TimeZone } from "./time-zone.ts";
import { windowCadence } from "./window-cadence.ts";
import type { WindowCadence } from "./window-cadence.ts";

export type TimeWindowDefinition = Extract<PartitionsDefinition, { kind: "timeWindow" }>;

/** The windows of a definition among the boundaries of its cadence: ordinal 0 is the window at `firstIndex`. */
export interface TimeWindows {
  readonly cadence: WindowCadence;
  readonly firstIndex: number;
  /** How many windows fit before `end`; infinite without an `end`. */
  readonly limit: number;
}

/** @throws ModelError `invalid_cron`, `invalid_timezone`, `invalid_partitions` */
export function timeWindows(definition: TimeWindowDefinition): TimeWindows {
  const cadence = windowCadence(definition.cron, definition.timezone);
  const { boundaries, zone } = cadence;
  const startMs = instantOfText("start", definition.start, zone);
  const firstIndex = boundaries.indexAtOrBefore(startMs - 1) + 1;
  if (definition.end === undefined) return { cadence, firstIndex, limit: Infinity };
  const endMs = instantOfText("end", definition.end, zone);
  if (endMs <= startMs) {
    const message = `end ${definition.end} is not after start ${definition.start}`;
    throw new ModelError("invalid_partitions", message, "write an end after the start, or leave it out");
  }
  const limit = boundaries.indexAtOrBefore(endMs) - firstIndex;
  if (limit < 1) {
    const message = `no window of cron ${definition.cron} fits between ${definition.start} and ${definition.end}`;
    throw new ModelError("invalid_partitions", message, "move the end, which is exclusive, to the end of a window");
  }
  return { cadence, firstIndex, limit };
}

function instantOfText(field: "start" | "end", text: string, zone: TimeZone): number {
  const parsed = parseLocal(text);
  if (parsed === undefined) {
    const message = `${field} ${JSON.stringify(text)} is no date`;
    throw new ModelError("invalid_partitions", message, "write 2001, 2001-01, 2001-01-31 or 2001-01-31T06:00");
  }
  const instantMs = parsed.offsetMs === undefined ? zone.instantOf(parsed.localMs) : parsed.localMs - parsed.offsetMs;
  if (instantMs < instantMinMs || instantMs >= instantEndMs) {
    const message = `${field} ${text} is out of range`;
    throw new ModelError("invalid_partitions", message, `write a year from ${yearMin} to ${yearEnd - 1}`);
  }
  return instantMs;
}
