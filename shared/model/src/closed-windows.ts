import type { PartitionsDefinition } from "./partitions-definition.ts";
import type { TimeWindowDefinition } from "./time-windows.ts";
import { windowCadence } from "./window-cadence.ts";

/** One window of time partitions; half-open. */
export interface ClosedWindow {
  /** The key of the partition, where it has no other dimension. */
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** The time windows of a partitions definition, or of the dimension that has them. */
export function timeWindowsOf(definition: PartitionsDefinition | undefined): TimeWindowDefinition | undefined {
  switch (definition?.kind) {
    case "timeWindow":
      return definition;
    case "multi":
      return definition.dimensions
        .map((dimension) => dimension.definition)
        .find((of): of is TimeWindowDefinition => of.kind === "timeWindow");
    case "static":
    case "dynamic":
    case undefined:
      return undefined;
  }
}

/**
 * Equal for definitions that cut time alike, wherever they start and end.
 *
 * @throws ModelError `invalid_cron`, `invalid_timezone`
 */
export function windowText({ cron, timezone }: TimeWindowDefinition): string {
  const cadence = windowCadence(cron, timezone);
  return `${cadence.cron} ${cadence.zone.name}`;
}

/**
 * The windows that ended after one instant, up to and including another, oldest first: at most `max`, the newest.
 * Where a definition starts and ends makes no difference.
 *
 * @throws ModelError `invalid_cron`, `invalid_timezone`
 */
export function closedWindows(
  { cron, timezone }: TimeWindowDefinition,
  sinceMs: number,
  untilMs: number,
  max: number,
): ClosedWindow[] {
  const { boundaries } = windowCadence(cron, timezone);
  const last = boundaries.indexAtOrBefore(untilMs);
  const first = Math.max(boundaries.indexAtOrBefore(sinceMs) + 1, last - max + 1);
  const windows: ClosedWindow[] = [];
  for (let index = first; index <= last; index++) {
    const [startMs, endMs] = [boundaries.at(index - 1), boundaries.at(index)];
    windows.push({ key: boundaries.keyAt(index - 1), startMs, endMs });
  }
  return windows;
}
