import type { Answer, Routes } from "../http/contract.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./printable.ts";
import { table } from "./table.ts";

type Entry = Answer<Routes["getVersion"]>["metadata"][number];

const textShownMax = 200;
const rowsShownMax = 5;

interface Tabular {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Metadata for a terminal: a line a value; what has rows as a table under its name, the first few of them. */
export function metadataLines(paint: Paint, metadata: readonly Entry[]): string[] {
  return metadata.flatMap((entry) => {
    const name = printable(entry.name);
    const tabular = tabularOf(entry);
    if (tabular === undefined) return [`${name}: ${lineOf(entry)}`];
    const more = tabular.rows.length - rowsShownMax;
    return [
      `${name}:`,
      ...table(paint, tabular.columns.map(printable), tabular.rows.slice(0, rowsShownMax))
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
      ...(more > 0 ? [paint("dim", `  and ${more} more; --json has them`)] : []),
    ];
  });
}

function lineOf({ kind, value }: Entry): string {
  if (kind === "timestamp" && typeof value === "number") return new Date(value).toISOString();
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  const first = printable(text.split("\n", 1)[0] ?? "");
  const cut = first.slice(0, textShownMax);
  return cut.length < text.length ? `${cut}…` : cut;
}

/** The border has checked the form of each kind before it was stored. */
function tabularOf({ kind, value }: Entry): Tabular | undefined {
  switch (kind) {
    case "table": {
      const { columns, rows } = value as { columns: string[]; rows: (string | number | boolean | null)[][] };
      return { columns, rows: rows.map((row) => row.map(String)) };
    }
    case "tableSchema": {
      const { columns } = value as {
        columns: { name: string; type: string; nullable?: boolean; description?: string }[];
      };
      const rows = columns.map(({ name, type, nullable, description = "" }) => {
        return [name, type, nullable === undefined ? "" : nullable ? "nullable" : "not null", description];
      });
      return { columns: ["COLUMN", "TYPE", "", ""], rows };
    }
    case "columnLineage": {
      const { columns } = value as { columns: { name: string; sources: { asset: string; column: string }[] }[] };
      const rows = columns.map(({ name, sources }) => [
        name,
        sources.map(({ asset, column }) => `${asset}.${column}`).join(", "),
      ]);
      return { columns: ["COLUMN", "MADE OF"], rows };
    }
    case "chart": {
      const { labels, series } = value as { labels: string[]; series: { name: string; values: (number | null)[] }[] };
      const rows = labels.map((label, n) => [label, ...series.map(({ values }) => String(values[n] ?? ""))]);
      return { columns: ["", ...series.map(({ name }) => name)], rows };
    }
    default:
      return undefined;
  }
}
