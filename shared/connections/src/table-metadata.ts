import type { MetadataValue, TableCell } from "@headgate/sdk";
import type { Relation } from "./relation.ts";

/** The first rows of a relation as a table for metadata: times in ISO 8601, what is no scalar as text. */
export async function tableMetadata(
  relation: Relation,
  rowsMax: number,
): Promise<Extract<MetadataValue, { kind: "table" }>> {
  const columns = (await relation.columns()).map((column) => column.name);
  const rows = (await relation.rows(rowsMax)) as Readonly<Record<string, unknown>>[];
  return { kind: "table", columns, rows: rows.map((row) => columns.map((column) => cell(row[column]))) };
}

function cell(value: unknown): TableCell {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return String(value);
}
