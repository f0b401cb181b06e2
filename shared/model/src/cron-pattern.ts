import { Cron } from "croner";
import { ModelError } from "./model-error.ts";

/** The crons whose ticks are found by arithmetic on the calendar; `month` and `day` from 1, `weekday` 0 is Sunday. */
export type CronCadence =
  | { readonly kind: "year"; readonly month: number; readonly day: number; readonly minuteOfDay: number }
  | { readonly kind: "month"; readonly day: number; readonly minuteOfDay: number }
  | { readonly kind: "week"; readonly weekday: number; readonly minuteOfDay: number }
  | { readonly kind: "day"; readonly minuteOfDay: number }
  | { readonly kind: "hour"; readonly minute: number }
  | { readonly kind: "other" };

/** A five-field cron, taken apart. It says nothing about zones: days and minutes are those of local calendars. */
export interface CronPattern {
  /** Five fields with single spaces, aliases such as `@daily` written out: equal for equal text. */
  readonly text: string;
  readonly cadence: CronCadence;
  /** True if the hour field has no `*`: such a cron ticks once per local time, others follow elapsed time. */
  readonly fixedTime: boolean;
  /** Minutes of the day, ascending, on which it ticks on the days it ticks on. */
  readonly minutesOfDay: readonly number[];
  /** Whether it ticks on this day (days since 1970-01-01). */
  matchesDay(day: number): boolean;
}

const aliases: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const hint = 'write five fields, minute hour day month weekday, such as "0 0 1 * *" for monthly';

/** @throws ModelError `invalid_cron` for what is no five-field cron, or never ticks. */
export function cronPattern(source: string): CronPattern {
  const trimmed = source.trim().toLowerCase();
  const text = (aliases[trimmed] ?? trimmed).replaceAll("?", "*").replace(/\s+/g, " ");
  const [minute = "", hour = "", day = "", month = "", weekday = "", ...more] = text.split(" ");
  if (weekday === "" || more.length > 0) {
    throw new ModelError("invalid_cron", `cron ${JSON.stringify(source)} has not five fields`, hint);
  }
  const ticksOn = matcher(source, text);
  const matchesDay = matcher(source, `0 0 ${day} ${month} ${weekday}`);
  const everyDay = day === "*" && month === "*" && weekday === "*";
  if (!everyDay && !ticksOn.ever()) {
    throw new ModelError("invalid_cron", `cron ${JSON.stringify(source)} never ticks`, "name a day that exists");
  }
  const fixedTime = !hour.includes("*");
  return {
    text,
    cadence: cadenceOf(minute, hour, day, month, weekday),
    fixedTime,
    minutesOfDay: minutesOfDay(source, minute, hour),
    matchesDay: everyDay ? () => true : remembered((number) => matchesDay.at(number * 86_400_000)),
  };
}

/** A cron asked in UTC, where local and elapsed time are one: zones are dealt with around it. */
function matcher(source: string, text: string): { at: (ms: number) => boolean; ever: () => boolean } {
  let cron: Cron;
  try {
    cron = new Cron(text, { timezone: "UTC", mode: "5-part" });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^CronPattern: /, "") : String(cause);
    throw new ModelError("invalid_cron", `cron ${JSON.stringify(source)} is wrong: ${reason}`, hint, { cause });
  }
  return {
    at: (ms) => cron.match(new Date(ms)),
    ever: () => cron.nextRun(new Date(Date.UTC(1999, 11, 31))) !== null,
  };
}

/** Asking croner takes ten microseconds a day, and a year is asked about again whenever its chunk was dropped. */
function remembered(ask: (day: number) => boolean): (day: number) => boolean {
  const answers = new Map<number, boolean>();
  return (day) => {
    let answer = answers.get(day);
    if (answer === undefined) {
      answer = ask(day);
      answers.set(day, answer);
    }
    return answer;
  };
}

function minutesOfDay(source: string, minuteField: string, hourField: string): readonly number[] {
  const inMinute = matcher(source, `${minuteField} * * * *`);
  const inHour = matcher(source, `0 ${hourField} * * *`);
  const minutes = Array.from({ length: 60 }, (_, minute) => minute).filter((minute) => inMinute.at(minute * 60_000));
  const hours = Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => inHour.at(hour * 3_600_000));
  return hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute));
}

function cadenceOf(minute: string, hour: string, day: string, month: string, weekday: string): CronCadence {
  const other = { kind: "other" } as const;
  if (!isNumber(minute)) return other;
  if (hour === "*") return day + month + weekday === "***" ? { kind: "hour", minute: Number(minute) } : other;
  if (!isNumber(hour)) return other;
  const minuteOfDay = Number(hour) * 60 + Number(minute);
  const weekdayNumber = isNumber(weekday) ? Number(weekday) % 7 : weekdays.indexOf(weekday);
  if (day === "*" && month === "*") {
    if (weekday === "*") return { kind: "day", minuteOfDay };
    return weekdayNumber >= 0 ? { kind: "week", weekday: weekdayNumber, minuteOfDay } : other;
  }
  // Days 29 to 31 are not in every month: no arithmetic for those.
  if (weekday !== "*" || !isNumber(day) || Number(day) > 28) return other;
  if (month === "*") return { kind: "month", day: Number(day), minuteOfDay };
  const monthNumber = isNumber(month) ? Number(month) : months.indexOf(month) + 1;
  return monthNumber >= 1 ? { kind: "year", month: monthNumber, day: Number(day), minuteOfDay } : other;
}

function isNumber(field: string): boolean {
  return /^\d+$/.test(field);
}
