/**
 * The ticks of a cron, found by walking every minute of a stretch of time with what the runtime's clock shows: slow, and
 * independent of the arithmetic under test. Fields may be `*`, `*` with a step, numbers, ranges and lists.
 *
 * Hours without `*`: for every local time of the calendar that matches, the first minute that shows it, or, if none does,
 * the first minute after it. Hours with `*`: every minute that shows a matching time.
 */
export function oracleTicks(crons: readonly string[], timezone: string, fromMs: number, toMs: number): number[] {
  const walk = minutesOf(timezone, fromMs - marginMs, toMs + marginMs);
  const ticks = new Set<number>();
  for (const cron of crons) {
    for (const tickMs of ticksOf(cron, walk)) if (tickMs >= fromMs && tickMs < toMs) ticks.add(tickMs);
  }
  return [...ticks].sort((a, b) => a - b);
}

/** A time that a gap moves may lie before the stretch. */
const marginMs = 2 * 86_400_000;
const minuteMs = 60_000;

interface Walk {
  /** Instant and local time of each minute, the latter written down as if it were UTC. */
  readonly minutes: readonly (readonly [instantMs: number, localMs: number])[];
  readonly firstShown: ReadonlyMap<number, number>;
}

const walks = new Map<string, Walk>();

function minutesOf(timezone: string, fromMs: number, toMs: number): Walk {
  const key = `${timezone} ${fromMs} ${toMs}`;
  const known = walks.get(key);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  const minutes: [number, number][] = [];
  const firstShown = new Map<number, number>();
  let offsetMs = 0;
  for (let instantMs = fromMs; instantMs < toMs; instantMs += minuteMs) {
    // No zone of today changes its offset but on a quarter of an hour.
    if (instantMs % (15 * minuteMs) === 0 || instantMs === fromMs) {
      const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = clock.format(instantMs).split(/\D+/).map(Number);
      offsetMs = Date.UTC(year, month - 1, day, hour, minute) - instantMs;
    }
    const localMs = instantMs + offsetMs;
    minutes.push([instantMs, localMs]);
    if (!firstShown.has(localMs)) firstShown.set(localMs, instantMs);
  }
  const walk = { minutes, firstShown };
  walks.set(key, walk);
  return walk;
}

function ticksOf(cron: string, { minutes, firstShown }: Walk): number[] {
  const matches = matcherOf(cron);
  const ticks: number[] = [];
  if (cron.split(" ")[1]?.includes("*") === true) {
    for (const [instantMs, localMs] of minutes) if (matches(localMs)) ticks.push(instantMs);
    return ticks;
  }
  let expectedMs = minutes[0]?.[1] ?? 0;
  for (const [instantMs, localMs] of minutes) {
    // What lies between is a gap, and moves to this minute.
    for (let missingMs = expectedMs; missingMs < localMs; missingMs += minuteMs) {
      if (matches(missingMs)) ticks.push(instantMs);
    }
    if (matches(localMs) && firstShown.get(localMs) === instantMs) ticks.push(instantMs);
    expectedMs = Math.max(expectedMs, localMs + minuteMs);
  }
  return ticks;
}

function matcherOf(cron: string): (localMs: number) => boolean {
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = cron.split(" ");
  const [minutes, hours, days, months] = [set(minute, 0, 59), set(hour, 0, 23), set(day, 1, 31), set(month, 1, 12)];
  const weekdays = set(weekday, 0, 7);
  // Where both days are named either will do, as in every cron since the first.
  const either = day !== "*" && weekday !== "*";
  return (localMs) => {
    const minuteOfDay = (localMs / minuteMs) % 1_440;
    if (!minutes.has(minuteOfDay % 60) || !hours.has(Math.floor(minuteOfDay / 60))) return false;
    const local = new Date(localMs);
    const isDay = days.has(local.getUTCDate());
    const isWeekday = weekdays.has(local.getUTCDay()) || (local.getUTCDay() === 0 && weekdays.has(7));
    return months.has(local.getUTCMonth() + 1) && (either ? isDay || isWeekday : isDay && isWeekday);
  };
}

function set(field: string, min: number, max: number): ReadonlySet<number> {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const [range = "", step = "1"] = part.split("/");
    const [low = min, high = range.includes("*") ? max : low] = range === "*" ? [] : range.split("-").map(Number);
    for (let value = low; value <= high; value += Number(step)) values.add(value);
  }
  return values;
}
