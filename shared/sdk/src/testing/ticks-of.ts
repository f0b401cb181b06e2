import { closedWindows, tickTimes, timeWindowsOf } from "@headgate/model";
import type { AnySpec } from "../asset-spec.ts";
import type { AnyMultiAsset } from "../multi-asset.ts";
import type { PartitionWindow } from "../partitions.ts";
import type { Schedule } from "../schedule.ts";

const ticksMax = 10_000;
const windowsMax = 1_000;

/** One tick of a schedule. */
export interface ScheduleTick {
  readonly at: Date;
  /** In the schedule's time zone, with the offset: "2026-03-29T03:00:00+02:00". */
  readonly local: string;
  /** Of a partitioned schedule: the windows that it makes. Empty for any other. */
  readonly windows: readonly (PartitionWindow & { readonly key: string })[];
}

/**
 * The ticks of a schedule from one instant up to and including another, as the control plane fires them: over changes of
 * clocks, and with the windows that each makes.
 *
 * @param range instants, as dates or RFC 3339 text
 * @throws Error for more than 10,000 ticks, for a partitioned schedule whose target is a selection, and for what would be
 *   refused where it is loaded: a cron or time zone that is none
 */
export function ticksOf(
  schedule: Schedule,
  range: { readonly from: Date | string; readonly to: Date | string },
): ScheduleTick[] {
  const [fromMs, toMs] = [instantOf(range.from), instantOf(range.to)];
  const windows = schedule.partitioned === true ? windowsOf(schedule) : undefined;
  const crons = [schedule.cron ?? windows?.cron ?? []].flat();
  const times = tickTimes(crons, schedule.timezone ?? windows?.timezone ?? "UTC");
  const ticks: ScheduleTick[] = [];
  for (let atMs = times.after(fromMs - 1); atMs <= toMs; atMs = times.after(atMs)) {
    if (ticks.length === ticksMax) throw new Error(`${schedule.name} has more than ${ticksMax} ticks in that time.`);
    const closed = windows === undefined ? [] : closedWindows(windows, times.before(atMs), atMs, windowsMax);
    ticks.push({
      at: new Date(atMs),
      local: times.format(atMs),
      windows: closed.map(({ key, startMs, endMs }) => ({ key, start: new Date(startMs), end: new Date(endMs) })),
    });
  }
  return ticks;
}

function windowsOf({ name, target }: Schedule) {
  if (typeof target === "string") {
    throw new Error(`What ${name} selects is known to the control plane alone: name its assets to see their windows.`);
  }
  const items: readonly (AnySpec | AnyMultiAsset)[] = [target].flat();
  const specs = items.flatMap((item) => ("assets" in item ? Object.values(item.assets) : [item]));
  const windows = specs.map(({ partitions }) => timeWindowsOf(partitions));
  const first = windows.find((found) => found !== undefined);
  if (first === undefined) throw new Error(`No asset of the target of ${name} has time windows.`);
  return first;
}

function instantOf(given: Date | string): number {
  const ms = typeof given === "string" ? Date.parse(given) : given.getTime();
  if (Number.isNaN(ms)) throw new Error(`${String(given)} is no instant; write it as 2026-03-29T00:00:00Z.`);
  return ms;
}
