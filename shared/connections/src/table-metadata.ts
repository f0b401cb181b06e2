import type { MetadataValue, TableCell } from "@headgate/sdk";
import type { Relation } from "./relation.ts";

/** Rows that are shown of a tried value. */
export const previewRowsMax = 10;

/**
 * The first rows of a relation (at most `rowsMax`) as a table for metadata. Dates and times are written as DuckDB writes
 * them, without a zone where they have none; what is no scalar becomes text.
 */
export async function tableMetadata(
  relation: Relation,
  rowsMax: number,
): Promise<Extract<MetadataValue, { kind: "table" }>> {
  const columns = await relation.columns();
  const rows = (await relation.rows(rowsMax)) as Readonly<Record<string, unknown>>[];
  return {
    kind: "table",
    columns: columns.map((column) => column.name),
    rows: rows.map((row) => columns.map(({ name, type }) => cell(row[name], type))),
  };
}

function cell(value: unknown, type: string): TableCell {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  // Lists, structs and the like are DuckDB's own objects, which say what they are.
  if (!(value instanceof Date)) return (value as { toString(): string }).toString();
  const iso = value.toISOString();
  if (type === "DATE") return iso.slice(0, "2001-02-27".length);
  return type === "TIMESTAMP WITH TIME ZONE" ? iso : iso.replace("T", " ").replace(/(\.000)?Z$/, "");
}
