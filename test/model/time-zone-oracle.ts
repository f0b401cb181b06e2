/**
 * What clocks in a zone show, asked of the runtime minute by minute: slow, and independent of the arithmetic under test.
 * Local times are milliseconds of a local date and time written down as if it were UTC.
 */
export function localClock(timezone: string): (instantMs: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (instantMs) => {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = format
      .format(instantMs)
      .split(/\D+/)
      .map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };
}

export interface Minute {
  readonly instantMs: number;
  readonly local: Date;
}

/** Every minute from one instant up to another, with its local time in the UTC fields of `local`. */
export function minutesOf(timezone: string, fromMs: number, toMs: number): readonly Minute[] {
  const clock = localClock(timezone);
  const minutes: Minute[] = [];
  for (let instantMs = fromMs; instantMs < toMs; instantMs += 60_000) {
    minutes.push({ instantMs, local: new Date(clock(instantMs)) });
  }
  return minutes;
}

/** Elapsed time: every minute whose local time matches, in both passes of a repeated hour, in none of a skipped one. */
export function elapsedTicks(minutes: readonly Minute[], matches: (local: Date) => boolean): number[] {
  return minutes.filter(({ local }) => matches(local)).map(({ instantMs }) => instantMs);
}

/**
 * Fixed times: for every local time of the calendar that matches, the first minute that shows it, or, if none does, the
 * first minute after it.
 */
export function fixedTicks(minutes: readonly Minute[], matches: (local: Date) => boolean): number[] {
  const first = minutes[0];
  const last = minutes.at(-1);
  if (first === undefined || last === undefined) return [];
  const ticks = new Set<number>();
  for (let localMs = first.local.getTime(); localMs <= last.local.getTime(); localMs += 60_000) {
    if (!matches(new Date(localMs))) continue;
    const shown =
      minutes.find(({ local }) => local.getTime() === localMs) ??
      minutes.find(({ local }) => local.getTime() > localMs);
    if (shown !== undefined) ticks.add(shown.instantMs);
  }
  return [...ticks].sort((a, b) => a - b);
}
