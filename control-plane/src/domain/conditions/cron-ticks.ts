import { windowCadence } from "@headgate/model";
import type { CronTicks } from "./condition.ts";

/** The last instant at or before `nowMs` at which the cron ticked; minus infinity if there is none. */
export function lastTickMs({ cron, timezone }: CronTicks, nowMs: number): number {
  const { boundaries } = windowCadence(cron, timezone);
  const atMs = boundaries.at(boundaries.indexAtOrBefore(nowMs));
  return Number.isFinite(atMs) ? atMs : -Infinity;
}

/** The first instant after `nowMs` at which the cron ticks; infinite if there is none. */
export function nextTickMs({ cron, timezone }: CronTicks, nowMs: number): number {
  const { boundaries } = windowCadence(cron, timezone);
  return boundaries.at(boundaries.indexAtOrBefore(nowMs) + 1);
}
