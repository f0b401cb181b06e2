import type { TimeZone } from "./time-zone.ts";

/** `2001-01-31T06:00`: local milliseconds as text. Local time has whole minutes except in zones of long ago. */
export function formatLocal(localMs: number): string {
  const iso = new Date(localMs).toISOString();
  return iso.slice(17, 19) === "00" ? iso.slice(0, 16) : iso.slice(0, 19);
}

/** `+02:00`, `-03:30`, and with seconds where a zone of long ago has them. */
export function formatOffset(offsetMs: number): string {
  const sign = offsetMs < 0 ? "-" : "+";
  const text = new Date(Math.abs(offsetMs)).toISOString();
  return sign + (text.slice(17, 19) === "00" ? text.slice(11, 16) : text.slice(11, 19));
}

/** The instant as local date and time with the offset: `2026-10-25T02:00+02:00`. */
export function formatInstant(zone: TimeZone, instantMs: number): string {
  const offsetMs = zone.offsetAt(instantMs);
  return formatLocal(instantMs + offsetMs) + formatOffset(offsetMs);
}

/** As `formatInstant` with the seconds that RFC 3339 asks for: `2026-10-25T02:00:00+02:00`. */
export function formatRfc3339(zone: TimeZone, instantMs: number): string {
  const offsetMs = zone.offsetAt(instantMs);
  return new Date(instantMs + offsetMs).toISOString().slice(0, 19) + formatOffset(offsetMs);
}

/** What a text says of a date: its local milliseconds, how fine it is, and the offset if it names one. */
export interface ParsedLocal {
  readonly localMs: number;
  readonly unit: "year" | "month" | "day" | "minute";
  readonly offsetMs: number | undefined;
}

const pattern = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?(Z|[+-]\d\d:\d\d(?::\d\d)?)?)?)?)?$/;

/** Reads `2001`, `2001-01`, `2001-01-31`, `2001-01-31T06:00`, the last with `Z` or an offset; else `undefined`. */
export function parseLocal(text: string): ParsedLocal | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year = "", month = "01", day = "01", hour = "00", minute = "00", second = "00", offset] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const localMs = Date.parse(iso);
  // Date.parse rolls 30 February over into March: only a date that prints as it was written exists.
  if (Number.isNaN(localMs) || new Date(localMs).toISOString() !== iso) return undefined;
  const unit =
    match[2] === undefined ? "year" : match[3] === undefined ? "month" : match[4] === undefined ? "day" : "minute";
  return { localMs, unit, offsetMs: offset === undefined ? undefined : parseOffset(offset) };
}

function parseOffset(text: string): number {
  if (text === "Z") return 0;
  const [hours = "0", minutes = "0", seconds = "0"] = text.slice(1).split(":");
  const magnitudeMs = (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1_000;
  return text.startsWith("-") ? -magnitudeMs : magnitudeMs;
}
