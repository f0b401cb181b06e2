import type { TickTimes } from "@headgate/model";

/** A tick that is fired within this long of its instant was not missed: no cron ticks more often than once a minute. */
export const tickGraceMs = 60_000;

/** The most missed instants that are counted: a year of one every minute has half a million. */
export const missedCountMax = 100_000;

/** What a schedule has to do at some moment. */
export interface DueTicks {
  /** Instants to fire, ascending. */
  readonly fire: readonly number[];
  /** Instants that the catch-up policy leaves out: they are recorded and never fired. */
  readonly missed?: MissedTicks;
}

export interface MissedTicks {
  readonly firstMs: number;
  readonly lastMs: number;
  /** `missedCountMax`: that many, or more. */
  readonly count: number;
}

/**
 * The ticks after the watermark, up to and including now. Of those that nobody was there to fire in time, the newest
 * `catchUpMax` are fired, counting those that are in time; `latest` is 1, `none` is 0. What is in time is always fired.
 *
 * A watermark that is ahead of now (a clock that was set back) leaves nothing due until now has passed it.
 */
export function dueTicks(times: TickTimes, watermarkMs: number, nowMs: number, catchUpMax: number): DueTicks {
  const fire: number[] = [];
  let tickMs = times.before(nowMs + 1);
  while (tickMs > watermarkMs && (tickMs >= nowMs - tickGraceMs || fire.length < catchUpMax)) {
    fire.push(tickMs);
    tickMs = times.before(tickMs);
  }
  fire.reverse();
  if (tickMs <= watermarkMs) return { fire };
  const lastMs = tickMs;
  let count = 0;
  const firstMs = times.after(watermarkMs);
  for (let missedMs = firstMs; missedMs <= lastMs && count < missedCountMax; missedMs = times.after(missedMs)) count++;
  return { fire, missed: { firstMs, lastMs, count } };
}
