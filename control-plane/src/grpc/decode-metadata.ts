import type * as wire from "@headgate/proto";
import type { MetadataView } from "../domain/gate.ts";
import { boundedText, requiredText } from "./bounded-text.ts";
import { parseCleanJson } from "./clean-json.ts";
import { chart, columnLineage, tableSchema } from "./decode-structured-metadata.ts";
import { missingField } from "./wire-error.ts";

/** The SDK sends 256 and a marker. */
const entriesMax = 257;
const nameLengthMax = 255;
const valueLengthMax = 65_536;
const rowsMax = 1_000;
const columnsMax = 100;
const cellLengthMax = 4_096;
const tableLengthMax = 1_048_576;
/** The last instant that a Date can hold. */
const timestampMsMax = 8.64e15;

/**
 * Metadata bounded and fit for storage: what is too long is cut with a marker, what no JSON can say (NaN, infinities)
 * becomes text, as does JSON that does not parse.
 *
 * @throws WireError for an entry without a value, or with a name that is empty or too long
 */
export function decodeMetadata(entries: readonly wire.MetadataEntry[]): MetadataView[] {
  const kept = entries.length <= entriesMax ? entries : entries.slice(0, entriesMax - 1);
  const decoded = kept.map(metadataEntry);
  if (kept.length < entries.length) {
    const message = `${entries.length - kept.length} more metadata entries were cut; ${entriesMax} are the most.`;
    decoded.push(text("headgate.cut", message));
  }
  return decoded;
}

function metadataEntry({ name: given, value }: wire.MetadataEntry): MetadataView {
  const name = requiredText("the name of a metadata entry", given, nameLengthMax);
  switch (value?.$case) {
    case "text":
    case "markdown":
    case "url":
    case "path":
      return { name, kind: value.$case, value: boundedText(value.value, valueLengthMax) };
    case "number":
      if (!Number.isFinite(value.value)) return text(name, String(value.value));
      return { name, kind: "number", value: value.value };
    case "integer":
    case "boolean":
      return { name, kind: value.$case, value: value.value };
    case "timestampMs":
      if (Math.abs(value.value) > timestampMsMax) return text(name, String(value.value));
      return { name, kind: "timestamp", value: value.value };
    case "json": {
      const parsed = value.value.length > valueLengthMax ? undefined : parseCleanJson(value.value);
      return parsed === undefined ? text(name, value.value) : { name, kind: "json", value: parsed.value };
    }
    case "table":
      return { name, kind: "table", value: table(value.value) };
    case "tableSchema":
      return { name, kind: "tableSchema", value: tableSchema(value.value) };
    case "columnLineage":
      return { name, kind: "columnLineage", value: columnLineage(value.value) };
    case "chart":
      return { name, kind: "chart", value: chart(value.value) };
    case undefined:
      throw missingField(`the value of the metadata entry ${JSON.stringify(name)}`);
  }
}

function text(name: string, value: string): MetadataView {
  return { name, kind: "text", value: boundedText(value, valueLengthMax) };
}

type Cell = string | number | boolean | null;

/** `cutRows` and `cutColumns` say how many were left out. */
function table({ columns, rows }: wire.Table): Record<string, unknown> {
  const kept: Cell[][] = [];
  let length = 0;
  for (const row of rows) {
    if (kept.length === rowsMax || length > tableLengthMax) break;
    const cells = row.cells.slice(0, columnsMax).map(cell);
    length += cells.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 8), 0);
    kept.push(cells);
  }
  const cutRows = rows.length - kept.length;
  const cutColumns = Math.max(0, columns.length - columnsMax);
  return {
    columns: columns.slice(0, columnsMax).map((column) => boundedText(column, nameLengthMax)),
    rows: kept,
    ...(cutRows > 0 ? { cutRows } : {}),
    ...(cutColumns > 0 ? { cutColumns } : {}),
  };
}

function cell(json: string): Cell {
  if (json.length <= cellLengthMax) {
    const value = parseCleanJson(json)?.value;
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number" && Number.isFinite(value)) return value;
  }
  return boundedText(json, cellLengthMax);
}
