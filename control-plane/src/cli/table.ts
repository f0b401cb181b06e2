import { type Paint, colorOf } from "./paint.ts";
import { printable } from "./printable.ts";

/** Columns padded to their widest cell, two spaces between; a column named in `states` is painted by its state. */
export function table(
  paint: Paint,
  header: readonly string[],
  given: readonly (readonly string[])[],
  states: readonly number[] = [],
): string {
  const rows = given.map((row) => row.map((cell) => printable(cell).replaceAll("\n", " ")));
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[], painted: (cell: string, i: number) => string) =>
    cells
      .map((cell, i) => {
        const last = i === cells.length - 1;
        return painted(cell, i) + (last ? "" : " ".repeat((widths[i] ?? 0) - cell.length + 2));
      })
      .join("")
      .trimEnd();
  return [
    line(header, (cell) => paint("dim", cell)),
    ...rows.map((row) => line(row, (cell, i) => (states.includes(i) ? paint(colorOf(cell), cell) : cell))),
    "",
  ].join("\n");
}
