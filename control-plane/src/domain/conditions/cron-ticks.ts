import { type TickTimes, tickTimes } from "@headgate/model";
import type { CronTicks } from "./condition.ts";

/** Crons are few, and each is asked about at every evaluation. */
const known = new Map<string, TickTimes>();
const knownMax = 10_000;

/** The last instant at or before `nowMs` at which the cron ticked; minus infinity if there is none. */
export function lastTickMs(ticks: CronTicks, nowMs: number): number {
  return timesOf(ticks).before(nowMs + 1);
}

/** The first instant after `nowMs` at which the cron ticks; infinite if there is none. */
export function nextTickMs(ticks: CronTicks, nowMs: number): number {
  return timesOf(ticks).after(nowMs);
}

/** @throws ModelError `invalid_cron`, `invalid_timezone` */
function timesOf({ cron, timezone }: CronTicks): TickTimes {
  const key = `${timezone} ${cron}`;
  let times = known.get(key);
  if (times === undefined) {
    times = tickTimes([cron], timezone);
    if (known.size >= knownMax) known.clear();
    known.set(key, times);
  }
  return times;
}
