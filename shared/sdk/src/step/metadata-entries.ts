import { cleanText } from "@headgate/model";
import type { JsonValue, Metadata, MetadataValue } from "../metadata.ts";
import type { MetadataEntry, TableRow, WireValue } from "./metadata-entry.ts";
import type { Redaction } from "./redaction.ts";
import { StepFailure } from "./step-failure.ts";
import { isStructured, plainStructure, structuredMetadata, structuredSizeBytes } from "./structured-metadata.ts";

const valueSizeBytesMax = 65_536;
const versionSizeBytesMax = 1_048_576;
/** Of one check result; a step may have many. */
export const checkSizeBytesMax = 131_072;
const entriesMax = 256;
const nameLengthMax = 128;

/**
 * Metadata as it is sent: cleaned, secrets struck out, bounded (64 KiB a value, 1 MiB and 256 values together by default).
 *
 * @throws StepFailure `step.metadata_invalid` for values that no kind can hold
 */
export function metadataEntries(
  metadata: Metadata,
  redaction: Redaction,
  totalSizeBytesMax = versionSizeBytesMax,
): MetadataEntry[] {
  const entries: MetadataEntry[] = [];
  let sizeBytes = 0;
  for (const [name, input] of Object.entries(metadata)) {
    if (input === undefined) continue;
    if (entries.length === entriesMax) {
      entries.push(textEntry("headgate.cut", `Only the first ${entriesMax} metadata values are kept.`));
      break;
    }
    const clean = (text: string) => cleanText(redaction.apply(text));
    const value = bounded(wireValue(name, input, clean));
    const valueSizeBytes = sizeOf(value);
    if (sizeBytes + valueSizeBytes > totalSizeBytesMax) {
      entries.push(
        textEntry(
          "headgate.cut",
          `The values after this one were left out: all together may have ${totalSizeBytesMax} bytes.`,
        ),
      );
      break;
    }
    sizeBytes += valueSizeBytes;
    const cleanName = cleanText(clean(name).slice(0, nameLengthMax));
    if (cleanName === "") throw invalid(name, "without a name");
    entries.push({ name: cleanName, value });
  }
  return entries;
}

function invalid(name: string, what: string): StepFailure {
  return new StepFailure(
    "step.metadata_invalid",
    `Metadata "${name}" is ${what}.`,
    'Give text, a number, a boolean, a Date, a URL, a JSON value, or { kind: "markdown", value: "..." } and its like.',
  );
}

function textEntry(name: string, value: string): MetadataEntry {
  return { name, value: { $case: "text", value } };
}

function wireValue(name: string, input: unknown, clean: (text: string) => string): WireValue {
  const invalidHere = (what: string) => invalid(name, what);
  switch (typeof input) {
    case "string":
      return { $case: "text", value: clean(input) };
    case "boolean":
      return { $case: "boolean", value: input };
    case "number":
      return Number.isSafeInteger(input) ? { $case: "integer", value: input } : { $case: "number", value: input };
    case "bigint":
      return integer(input);
    case "object":
      break;
    case "undefined":
    case "function":
    case "symbol":
      throw invalidHere(`a ${typeof input}`);
  }
  if (input instanceof Date) return timestamp(input, invalidHere);
  if (input instanceof URL) return { $case: "url", value: clean(input.href) };
  if (isMetadataValue(input)) return kindedValue(input, clean, invalidHere);
  return { $case: "json", value: json(input, clean, invalidHere) };
}

/** By kind the member without which an object is only JSON. */
const kinds: Record<MetadataValue["kind"], "value" | "rows" | "columns" | "series"> = {
  text: "value",
  markdown: "value",
  number: "value",
  integer: "value",
  boolean: "value",
  url: "value",
  path: "value",
  timestamp: "value",
  json: "value",
  table: "rows",
  tableSchema: "columns",
  columnLineage: "columns",
  chart: "series",
};

function isMetadataValue(input: object | null): input is MetadataValue {
  const kind = (input as { kind?: unknown } | null)?.kind;
  return (
    typeof kind === "string" && Object.hasOwn(kinds, kind) && kinds[kind as MetadataValue["kind"]] in (input ?? {})
  );
}

function kindedValue(
  input: MetadataValue,
  clean: (text: string) => string,
  invalid: (what: string) => StepFailure,
): WireValue {
  switch (input.kind) {
    case "text":
    case "markdown":
    case "path":
    case "url":
      return { $case: input.kind, value: clean(String(input.value)) };
    case "number":
      return { $case: "number", value: Number(input.value) };
    case "integer":
      return integer(input.value);
    case "boolean":
      return { $case: "boolean", value: Boolean(input.value) };
    case "timestamp":
      return timestamp(input.value, invalid);
    case "json":
      return { $case: "json", value: json(input.value, clean, invalid) };
    case "table": {
      if (!Array.isArray(input.columns) || !Array.isArray(input.rows))
        throw invalid("a table without columns and rows");
      const rows = input.rows.map((row: readonly unknown[]): TableRow => ({
        cells: row.map((cell) => clean(cellJson(cell))),
      }));
      return { $case: "table", value: { columns: input.columns.map((column) => clean(String(column))), rows } };
    }
    case "tableSchema":
    case "columnLineage":
    case "chart":
      return structuredMetadata(input, clean, invalid);
  }
}

function cellJson(cell: unknown): string {
  return JSON.stringify(typeof cell === "bigint" ? Number(cell) : (cell ?? null)) ?? "null";
}

function integer(value: number | bigint): WireValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? { $case: "integer", value: number } : { $case: "text", value: String(value) };
}

function timestamp(date: Date, invalid: (what: string) => StepFailure): WireValue {
  const timestampMs = date instanceof Date ? date.getTime() : Number.NaN;
  if (Number.isNaN(timestampMs)) throw invalid("not a valid Date");
  return { $case: "timestampMs", value: timestampMs };
}

function json(value: unknown, clean: (text: string) => string, invalid: (what: string) => StepFailure): string {
  let text: string | undefined;
  try {
    // Cleaned string by string: a NUL in JSON text is an escape that cleaning the text would not see.
    text = JSON.stringify(value, (_key, member: unknown) => {
      if (typeof member === "bigint") return Number.isSafeInteger(Number(member)) ? Number(member) : String(member);
      return typeof member === "string" ? clean(member) : member;
    });
  } catch (error) {
    throw invalid(`not a JSON value (${error instanceof Error ? error.message : String(error)})`);
  }
  if (text === undefined) throw invalid("not a JSON value");
  return cleanText(text.replaceAll("\\u0000", ""));
}

function sizeOf(value: WireValue): number {
  if (value.$case === "table") {
    const cellsOf = (row: TableRow) => row.cells.reduce((sum, cell) => sum + Buffer.byteLength(cell), 0);
    return (
      value.value.columns.reduce((sum, column) => sum + Buffer.byteLength(column), 0) +
      value.value.rows.reduce((sum, row) => sum + cellsOf(row), 0)
    );
  }
  if (isStructured(value)) return structuredSizeBytes(value);
  return typeof value.value === "string" ? Buffer.byteLength(value.value) : 8;
}

function bounded(value: WireValue): WireValue {
  const sizeBytes = sizeOf(value);
  if (sizeBytes <= valueSizeBytesMax) return value;
  const cut = `… [cut: ${sizeBytes} bytes, at most ${valueSizeBytesMax} are kept]`;
  if (value.$case === "table") return boundedTable(value.value.columns, value.value.rows, cut);
  // Half a chart or a schema would say something else.
  if (isStructured(value)) return { $case: "text", value: cut };
  const text = Buffer.from(String(value.value))
    .subarray(0, valueSizeBytesMax - 100)
    .toString("utf8");
  // Half a JSON text is no JSON any more.
  const kind = value.$case === "json" ? "text" : value.$case;
  return { $case: kind as "text", value: cleanText(text.replace(/\uFFFD$/, "")) + cut };
}

function boundedTable(columns: readonly string[], rows: readonly TableRow[], cut: string): WireValue {
  const kept: TableRow[] = [];
  let sizeBytes = 1_024;
  for (const row of rows) {
    sizeBytes += row.cells.reduce((sum, cell) => sum + Buffer.byteLength(cell), 0);
    if (sizeBytes > valueSizeBytesMax) break;
    kept.push(row);
  }
  const note = { cells: [JSON.stringify(`${rows.length - kept.length} rows ${cut}`)] };
  return { $case: "table", value: { columns: columns.slice(0, 256), rows: [...kept, note] } };
}

/** The metadata as a reader of the version receives it: plain values by name. */
export function plainMetadata(entries: readonly MetadataEntry[]): Record<string, JsonValue> {
  return Object.fromEntries(entries.map(({ name, value }) => [name, plainValue(value)]));
}

function plainValue(value: MetadataEntry["value"]): JsonValue {
  switch (value?.$case) {
    case undefined:
      return null;
    case "text":
    case "markdown":
    case "url":
    case "path":
    case "number":
    case "integer":
    case "boolean":
    case "timestampMs":
      return value.value;
    case "json":
      return JSON.parse(value.value) as JsonValue;
    case "table": {
      const rows = value.value.rows.map((row) => row.cells.map((cell) => JSON.parse(cell) as JsonValue));
      return { columns: value.value.columns, rows };
    }
    case "tableSchema":
    case "columnLineage":
    case "chart":
      return plainStructure(value);
  }
}
