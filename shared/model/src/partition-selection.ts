import { type Box, boxesOf, fromBoxes } from "./dimension-boxes.ts";
import type { Dimension, Dimensions } from "./space.ts";
import { parseLocal } from "./local-time.ts";
import type { ParsedLocal } from "./local-time.ts";
import { windowsOf } from "./partition-space.ts";
import type { PartitionSpace } from "./space.ts";
import { rangeSet } from "./range-set.ts";
import type { RangeSet } from "./range-set.ts";
import type { TimeWindows } from "./time-windows.ts";
import type { KeyShape } from "./boundaries.ts";

/** The partitions that a text names, or what is wrong with it and how to mend it. */
export type ParsedPartitions =
  | { readonly ok: true; readonly set: RangeSet }
  | { readonly ok: false; readonly message: string; readonly hint: string };

interface Problem {
  readonly message: string;
  readonly hint: string;
}

const itemsMax = 10_000;

/**
 * Reads keys (`2001-03`), inclusive ranges of keys (`2001-01..2001-06`) and lists of both with commas. Of several
 * dimensions each is named, `region=eu,us,month=2001-01..2001-06`, and all combinations are meant; where a dimension is
 * named again, as in a list of whole keys, other combinations begin. Only partitions
 * that exist at `nowMs` can be named: a time window exists once it has ended. The one partition of an unpartitioned
 * asset is the empty text.
 */
export function parsePartitions(space: PartitionSpace, text: string, nowMs: number): ParsedPartitions {
  if (space.definition === undefined) {
    if (text.trim() === "") return { ok: true, set: rangeSet.of(0) };
    return {
      ok: false,
      message: `partition ${shown(text)} of an asset without partitions`,
      hint: "leave the partitions out",
    };
  }
  if (space.dimensions !== undefined) return parseDimensions(space, space.dimensions, text, nowMs);
  const items = text.split(",", itemsMax + 1).map((item) => item.trim());
  if (items.length > itemsMax) {
    return {
      ok: false,
      message: `more than ${itemsMax} partitions are listed`,
      hint: "write ranges such as first..last",
    };
  }
  const ranges: (readonly [number, number])[] = [];
  for (const item of items) {
    const range = parseItem(space, item, nowMs);
    if ("message" in range) return { ok: false, ...range };
    ranges.push(range);
  }
  return { ok: true, set: rangeSet.from(ranges) };
}

/**
 * The text that `parsePartitions` reads back as the same set: `2001-01..2001-03,2001-06`. Empty for the empty set, and
 * for the one partition of an unpartitioned asset.
 *
 * @throws ModelError `partition_out_of_range` for a set that is not of this space
 */
export function formatPartitions(space: PartitionSpace, set: RangeSet): string {
  const { dimensions } = space;
  if (dimensions !== undefined) {
    const textOf = (box: Box, { name, space: of }: Dimension): string => {
      const place = dimensions.slowestFirst.findIndex((dimension) => dimension.name === name);
      return `${name}=${formatPartitions(of, box[place] ?? rangeSet.empty)}`;
    };
    const boxes = boxesOf(dimensions.slowestFirst, set);
    return boxes.map((box) => dimensions.inKey.map((dimension) => textOf(box, dimension)).join(",")).join(",");
  }
  // The keys of a dynamic set have no order that a reader could know, and one of them may be removed.
  if (space.definition?.kind === "dynamic") return [...rangeSet.ordinals(set)].map((n) => space.keyAt(n)).join(",");
  return set
    .map(([start, end]) => {
      const first = space.keyAt(start);
      return end === start + 1 ? first : `${first}..${space.keyAt(end - 1)}`;
    })
    .join(",");
}

function parseDimensions(space: PartitionSpace, dimensions: Dimensions, text: string, nowMs: number): ParsedPartitions {
  const hint = `write partitions such as ${example(space, nowMs)}`;
  const boxes: Map<Dimension, string[]>[] = [];
  let box: Map<Dimension, string[]> = new Map();
  let items: string[] | undefined;
  const all = text.split(",", itemsMax + 1);
  if (all.length > itemsMax) {
    return {
      ok: false,
      message: `more than ${itemsMax} partitions are listed`,
      hint: "write ranges such as first..last",
    };
  }
  for (const item of all) {
    const name = /^([^=]*)=/.exec(item)?.[1];
    if (name === undefined) {
      if (items === undefined) return { ok: false, message: `${shown(item.trim())} names no dimension`, hint };
      items.push(item);
      continue;
    }
    const dimension = dimensions.inKey.find((known) => known.name === name.trim());
    if (dimension === undefined) {
      return { ok: false, message: `there is no dimension ${shown(name.trim())}`, hint };
    }
    if (box.has(dimension)) box = new Map();
    if (box.size === 0) boxes.push(box);
    box.set(dimension, (items = [item.slice(name.length + 1)]));
  }
  const sets: Box[] = [];
  for (const given of boxes) {
    const parsed = parseBox(given, dimensions, nowMs);
    if ("message" in parsed) return { ok: false, ...parsed };
    sets.push(parsed);
  }
  return { ok: true, set: fromBoxes(dimensions.slowestFirst, sets) };
}

function parseBox(
  given: ReadonlyMap<Dimension, readonly string[]>,
  { inKey, slowestFirst }: Dimensions,
  nowMs: number,
): Box | Problem {
  const missing = inKey.filter((dimension) => !given.has(dimension));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(" and ");
    const hint = `add ${missing.map(({ name, space }) => `${name}=${example(space, nowMs)}`).join(",")} for all of it`;
    return { message: `dimension ${names} is missing`, hint };
  }
  const box: RangeSet[] = [];
  for (const dimension of slowestFirst) {
    const parsed = parsePartitions(dimension.space, given.get(dimension)?.join(",") ?? "", nowMs);
    if (!parsed.ok) return { message: `dimension ${dimension.name}: ${parsed.message}`, hint: parsed.hint };
    box.push(parsed.set);
  }
  return box;
}

function parseItem(space: PartitionSpace, item: string, nowMs: number): readonly [number, number] | Problem {
  if (item === "") {
    return { message: "a partition is missing", hint: `write partitions such as ${example(space, nowMs)}` };
  }
  const [from = "", to = from, ...more] = item.split("..").map((key) => key.trim());
  if (more.length > 0 || from === "" || to === "") {
    const hint = `write the first and the last partition, such as ${example(space, nowMs)}`;
    return { message: `${shown(item)} is no range of partitions`, hint };
  }
  const first = existing(space, from, nowMs);
  if (typeof first !== "number") return first;
  const last = existing(space, to, nowMs);
  if (typeof last !== "number") return last;
  if (last < first) return { message: `range ${shown(item)} runs backwards`, hint: `write ${to}..${from}` };
  return [first, last + 1];
}

function existing(space: PartitionSpace, key: string, nowMs: number): number | Problem {
  const ordinal = space.ordinalOf(key);
  if (ordinal !== undefined && ordinal < space.count(nowMs)) return ordinal;
  const windows = windowsOf(space);
  if (windows === undefined) return unknownKey(space, key, nowMs);
  if (ordinal !== undefined) return notEnded(space, key, ordinal, nowMs);
  if (windows.cadence.boundaries.indexOf(key) !== undefined) return outside(space, windows, key, nowMs);
  return malformed(space, windows, key, nowMs);
}

function unknownKey(space: PartitionSpace, key: string, nowMs: number): Problem {
  const count = space.count(nowMs);
  const { definition } = space;
  const adding = definition?.kind === "dynamic" ? `headgate partition add TEAM/${definition.name} ${shown(key)}` : "";
  if (count === 0)
    return { message: `partition ${shown(key)} does not exist, nor does any other`, hint: `add it: ${adding}` };
  const few = Array.from({ length: Math.min(count, 8) }, (_, ordinal) => space.keyAt(ordinal)).join(", ");
  const hint = count === 1 ? `write ${few}` : `write one of ${few}${count > 8 ? ` and ${count - 8} more` : ""}`;
  return {
    message: `partition ${shown(key)} does not exist`,
    hint: adding === "" ? hint : `${hint}; or add it: ${adding}`,
  };
}

function notEnded(space: PartitionSpace, key: string, ordinal: number, nowMs: number): Problem {
  const count = space.count(nowMs);
  const newest = count === 0 ? "no partition exists before" : `the newest partition is ${space.keyAt(count - 1)}`;
  const end = space.windowAt(ordinal)?.end ?? "";
  return { message: `partition ${key} has not ended`, hint: `it ends at ${end}; ${newest}` };
}

function outside(space: PartitionSpace, windows: TimeWindows, key: string, nowMs: number): Problem {
  const first = space.keyAt(0);
  const hint = `write ${example(space, nowMs)}`;
  if (windows.limit === Infinity) return { message: `partition ${key} is before the first, ${first}`, hint };
  return { message: `partition ${key} is outside ${first}..${space.keyAt(windows.limit - 1)}`, hint };
}

function malformed(space: PartitionSpace, windows: TimeWindows, key: string, nowMs: number): Problem {
  const { keyShape } = windows.cadence.boundaries;
  const message = `partition ${shown(key)} is no ${keyShape.noun}`;
  const parsed = parseLocal(key);
  if (parsed !== undefined) {
    const meant = existingWithin(space, windows, parsed, nowMs);
    if (meant !== "") return { message, hint: `write ${meant}` };
  }
  const nearMiss = calendarHint(key, keyShape);
  return { message, hint: nearMiss ?? `write ${example(space, nowMs)}` };
}

/** The existing partitions in the year, month, day or minute that a date names: what a wrong key probably meant. */
function existingWithin(space: PartitionSpace, windows: TimeWindows, parsed: ParsedLocal, nowMs: number): string {
  const { zone } = windows.cadence;
  const instantOf = (localMs: number): number =>
    parsed.offsetMs === undefined ? zone.instantOf(localMs) : localMs - parsed.offsetMs;
  const [start, end] = space.overlapping(instantOf(parsed.localMs), instantOf(nextLocal(parsed)));
  const limit = Math.min(end, space.count(nowMs));
  return limit > start ? formatPartitions(space, rangeSet.range(start, limit)) : "";
}

function nextLocal({ localMs, unit }: ParsedLocal): number {
  const date = new Date(localMs);
  switch (unit) {
    case "year":
      return Date.UTC(date.getUTCFullYear() + 1, 0, 1);
    case "month":
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    case "day":
      return localMs + 86_400_000;
    case "minute":
      return localMs + 60_000;
  }
}

/** For a month 13 or a 30 February: the months of that year, the days of that month. */
function calendarHint(key: string, { noun }: KeyShape): string | undefined {
  const month = /^(\d{4})-\d\d$/.exec(key)?.[1];
  if (noun === "month" && month !== undefined) return `write ${month}-01 to ${month}-12`;
  const inMonth = /^(\d{4}-\d\d)-\d\d$/.exec(key)?.[1];
  const parsed = inMonth === undefined ? undefined : parseLocal(inMonth);
  if (noun !== "day" || inMonth === undefined || parsed === undefined) return undefined;
  const days = (nextLocal(parsed) - parsed.localMs) / 86_400_000;
  return `write ${inMonth}-01 to ${inMonth}-${days}`;
}

/** All existing partitions as a range, or a key of the right shape. */
function example(space: PartitionSpace, nowMs: number): string {
  const count = space.count(nowMs);
  if (count > 0) return formatPartitions(space, rangeSet.range(0, count));
  return windowsOf(space)?.cadence.boundaries.keyShape.example ?? "a key";
}

/** Text from outside as it may stand in a message. */
function shown(text: string): string {
  return /^[\w:+.-]{1,64}$/.test(text) ? text : JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
