import type pg from "pg";
import { ConnectionError } from "./connection-error.ts";
import type { PostgresValue } from "./postgres-queries.ts";

/** Parameters as pg sends them without a word about this machine's time zone. */
export function parameters(values: readonly PostgresValue[]): unknown[] {
  return values.map((value, index) => parameter(value, index + 1));
}

function parameter(value: PostgresValue, number: number): unknown {
  if (value instanceof Date) {
    if (!Number.isNaN(value.getTime())) return value.toISOString();
    throw new ConnectionError("postgres.value_invalid", `parameter $${number} is an invalid date`);
  }
  if (Array.isArray(value)) return (value as readonly PostgresValue[]).map((item) => parameter(item, number));
  if (typeof value !== "function" && typeof value !== "symbol") return value;
  throw new ConnectionError("postgres.value_invalid", `parameter $${number} is a ${typeof value}`);
}

/** Types whose values pg would read wrongly or by this machine's time zone, by their oid in `pg_type`. */
const oids = { int8: 20, date: 1082, timestamp: 1114, int8Array: 1016, dateArray: 1182, timestampArray: 1115 } as const;
const textArray = 1009;
const timestamptz = 1184;

/**
 * Reads values: `bigint` as a number that is exact or an error (`postgres.integer_unsafe`), `timestamp` as the Date that
 * it is in UTC, `date` as text (`2001-02-27`), `numeric` as text; the rest as pg does.
 */
export function valueParsers(types: typeof pg.types): pg.CustomTypesConfig {
  const parseTimestamptz = types.getTypeParser(timestamptz) as (text: string) => unknown;
  const parseTextArray = types.getTypeParser(textArray as number) as unknown as (text: string) => Nested;
  const timestamp = (text: string) =>
    /infinity/.test(text) ? parseTimestamptz(text) : parseTimestamptz(text.replace(/( BC)?$/, "+00$1"));
  const each = (parse: (text: string) => unknown) => (text: string) => mapNested(parseTextArray(text), parse);
  const parsers = new Map<number, (text: string) => unknown>([
    [oids.int8, safeInteger],
    [oids.date, (text) => text],
    [oids.timestamp, timestamp],
    [oids.int8Array, each(safeInteger)],
    [oids.dateArray, each((text) => text)],
    [oids.timestampArray, each(timestamp)],
  ]);
  return {
    getTypeParser: (oid: number, format?: "text" | "binary") =>
      (format === "binary" ? undefined : parsers.get(oid)) ?? (types.getTypeParser(oid, format) as unknown),
  };
}

type Nested = readonly (string | null | Nested)[];

function mapNested(items: Nested, parse: (text: string) => unknown): unknown[] {
  return items.map((item) => {
    if (item === null) return null;
    return typeof item === "string" ? parse(item) : mapNested(item, parse);
  });
}

function safeInteger(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw new ConnectionError("postgres.integer_unsafe", `a row has the integer ${text}`);
}
