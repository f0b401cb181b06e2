import type { Figure, Goal } from "./benchmark.ts";
import { median } from "./quantile.ts";

export type Verdict = "PASS" | "MISS" | "";

/** The median against the goal; empty without one. */
export function verdict({ values, goal }: Figure): Verdict {
  if (goal === undefined) return "";
  const value = median(values);
  // Written so that a figure that could not be measured (NaN) misses.
  const met = goal.kind === "atMost" ? value <= goal.value : value >= goal.value;
  return met ? "PASS" : "MISS";
}

const header = ["", "figure", "median", "min", "max", "unit", "goal", ""] as const;

/** One line a figure, in columns, the goal beside the figure. */
export function figureTable(results: readonly { readonly id: string; readonly figures: readonly Figure[] }[]): string {
  const rows = [[...header] as string[]];
  for (const { id, figures } of results) {
    for (const figure of figures) {
      const { name, unit, values, goal } = figure;
      const spread = values.length > 1 ? [Math.min(...values), Math.max(...values)].map(number) : ["", ""];
      rows.push([id, name, number(median(values)), ...spread, unit, goalText(goal), verdict(figure)]);
    }
  }
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isText = (column: number) => column < 2 || column > 4;
  return rows
    .map((row) =>
      row
        .map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function goalText(goal: Goal | undefined): string {
  if (goal === undefined) return "";
  return `${goal.kind === "atMost" ? "≤" : "≥"} ${number(goal.value)}`;
}

/** Three significant digits are what a shared machine can tell, and counts are whole. */
function number(value: number): string {
  if (Number.isNaN(value)) return "none";
  if (Number.isInteger(value) || Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en-US");
  return Number(value.toPrecision(3)).toString();
}
