import { createHash } from "node:crypto";
import { ConnectionError } from "./connection-error.ts";
import type { Digested } from "./digest.ts";

/**
 * The types of a stored table's columns: whole numbers, numbers, text, true or false, instants (a Date), days (text:
 * "2001-02-27"), and JSON. Each may be null.
 */
export type TableColumnType = "bigint" | "double precision" | "text" | "boolean" | "timestamptz" | "date" | "jsonb";

export interface TableColumn {
  readonly name: string;
  readonly type: TableColumnType;
}

export type TableRow = Readonly<Record<string, unknown>>;

/** A cell as Postgres takes it in an array of the column's type; null where there is none. */
export type TableCell = string | null;

/** Rows by column: the cells of each, in the order of the rows. */
export interface EncodedTable {
  readonly columns: readonly TableColumn[];
  readonly cells: readonly (readonly TableCell[])[];
  readonly rowCount: number;
}

/** Longer names are cut by Postgres without a word. */
const nameSizeBytesMax = 63;
const columnsMax = 1_000;

/**
 * Rows as they are stored: by the declared columns, or by those that the rows themselves show, in the order in which
 * they first appear.
 *
 * @throws ConnectionError `value.not_rows`, `table.columns_unknown`, `.column_invalid`, `.value_invalid`
 */
export function encodeTable(
  asset: string,
  value: unknown,
  declared: Readonly<Record<string, TableColumnType>> | undefined,
): EncodedTable {
  const rows = rowsOf(asset, value);
  const columns =
    declared === undefined
      ? inferColumns(asset, rows)
      : Object.entries(declared).map(([name, type]): TableColumn => ({ name, type }));
  if (columns.length === 0 || columns.length > columnsMax) {
    const what = rows.length === 0 ? "an empty list does not say which columns it has" : `there are ${columns.length}`;
    throw new ConnectionError("table.columns_unknown", `the columns of ${asset}: ${what}`);
  }
  for (const { name } of columns) checkName(asset, name);
  const known = new Set(columns.map(({ name }) => name));
  rows.forEach((row, index) => {
    const unknown = Object.keys(row).find((name) => !known.has(name));
    if (unknown !== undefined) throw invalid(asset, index, unknown, "is not among the declared columns");
  });
  const cells = columns.map((column) => rows.map((row, index) => encodeCell(asset, column, row[column.name], index)));
  return { columns, cells, rowCount: rows.length };
}

/** The digest of columns and cells: rows that are equal, in the same order, have the same. */
export function digestOfTable({ columns, cells, rowCount }: EncodedTable): Digested {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const add = (text: string) => {
    hash.update(text);
    sizeBytes += Buffer.byteLength(text);
  };
  add(`${JSON.stringify(columns.map(({ name, type }) => [name, type]))}\n`);
  for (let row = 0; row < rowCount; row++) add(`${JSON.stringify(cells.map((column) => column[row] ?? null))}\n`);
  return { digest: `sha256:${hash.digest("hex")}`, sizeBytes };
}

function rowsOf(asset: string, value: unknown): readonly TableRow[] {
  if (!Array.isArray(value)) {
    throw new ConnectionError("value.not_rows", `${asset} returned a value of type ${typeof value}`);
  }
  value.forEach((row: unknown, index) => {
    const prototype: unknown = typeof row === "object" && row !== null ? Object.getPrototypeOf(row) : undefined;
    if (prototype === Object.prototype || prototype === null) return;
    throw new ConnectionError("value.not_rows", `row ${index + 1} of ${asset} is no plain object`);
  });
  return value as readonly TableRow[];
}

function inferColumns(asset: string, rows: readonly TableRow[]): TableColumn[] {
  const types = new Map<string, TableColumnType | undefined>();
  rows.forEach((row, index) => {
    for (const [name, value] of Object.entries(row)) {
      const known = types.get(name);
      const type = typeOf(value);
      if (type === undefined || type === known) {
        if (!types.has(name)) types.set(name, type);
        continue;
      }
      const joined = known === undefined ? type : joinedType(known, type);
      if (joined === undefined) throw invalid(asset, index, name, `is ${type}, and ${known} in a row before`);
      types.set(name, joined);
    }
  });
  return [...types].map(([name, type]) => ({ name, type: type ?? "text" }));
}

/** Undefined: null, which any column has. */
function typeOf(value: unknown): TableColumnType | undefined {
  switch (typeof value) {
    case "string":
      return "text";
    case "number":
      return Number.isSafeInteger(value) ? "bigint" : "double precision";
    case "bigint":
      return "bigint";
    case "boolean":
      return "boolean";
    case "object":
      return value === null ? undefined : value instanceof Date ? "timestamptz" : "jsonb";
    case "undefined":
      return undefined;
    case "function":
    case "symbol":
      return "jsonb"; // Refused where it is encoded, with its row.
  }
}

function joinedType(a: TableColumnType, b: TableColumnType): TableColumnType | undefined {
  const numbers: readonly string[] = ["bigint", "double precision"];
  return numbers.includes(a) && numbers.includes(b) ? "double precision" : undefined;
}

const int8Max = 2n ** 63n;
const notStored = /\0|\p{Surrogate}/u;
/** Of JSON: not a backslash that stands for itself, followed by the same letters. */
const escapedNul = /(?<!\\)(\\\\)*\\u0000/;

function encodeCell(asset: string, { name, type }: TableColumn, value: unknown, index: number): TableCell {
  if (value === null || value === undefined) return null;
  const refuse = (why: string) => invalid(asset, index, name, why);
  switch (type) {
    case "bigint":
      if (typeof value === "bigint" && value < int8Max && value >= -int8Max) return String(value);
      if (typeof value === "number" && Number.isSafeInteger(value)) return value.toFixed(0);
      throw refuse("is no whole number that can be told exactly");
    case "double precision":
      if (typeof value === "number") return Object.is(value, -0) ? "0" : String(value);
      throw refuse("is no number");
    case "text":
      if (typeof value === "string" && !notStored.test(value)) return value;
      throw refuse("is no text, or has a NUL or half a character, which Postgres does not store");
    case "boolean":
      if (typeof value === "boolean") return String(value);
      throw refuse("is not true or false");
    case "timestamptz":
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
      throw refuse("is no valid Date");
    case "date":
      if (typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value)) return value;
      throw refuse('is no day, such as "2001-02-27"');
    case "jsonb":
      return jsonText(value, refuse);
  }
}

/** Names in ascending order: Postgres keeps no other. */
function jsonText(value: unknown, refuse: (why: string) => ConnectionError): string {
  try {
    const text = JSON.stringify(value, (_name, item: unknown) => {
      if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
      return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
    }) as string | undefined;
    if (text !== undefined && !escapedNul.test(text)) return text;
  } catch {
    // A value that contains itself, or a bigint within.
  }
  throw refuse("is nothing that JSON can say");
}

function checkName(asset: string, name: string): void {
  if (name !== "" && !name.includes("\0") && Buffer.byteLength(name) <= nameSizeBytesMax) return;
  const message = `a column of ${asset} is called ${JSON.stringify(name)}, and a name has 1 to ${nameSizeBytesMax} bytes`;
  throw new ConnectionError("table.column_invalid", message);
}

function invalid(asset: string, index: number, name: string, why: string): ConnectionError {
  return new ConnectionError("table.value_invalid", `${JSON.stringify(name)} in row ${index + 1} of ${asset} ${why}`);
}
