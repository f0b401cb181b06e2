import type { WorkspaceDiff } from "../../domain/workspace-diff.ts";
import type { Color, Paint } from "../paint.ts";
import { printable } from "../printable.ts";
import { diffSections, diffSummary, type DiffSection } from "./diff-sections.ts";

/** Of a section: all of them together are to fit on a screen. */
const itemsShownMax = 8;
const colors: Record<DiffSection["tone"], Color> = { bad: "red", other: "yellow", good: "green" };

/** A diff for a terminal. */
export function diffText(paint: Paint, diff: WorkspaceDiff, against: string): string {
  const lines = [`Against ${printable(against)}: ${diffSummary(diff)}`];
  for (const { title, tone, items } of diffSections(diff)) {
    lines.push("", paint(colors[tone], title));
    for (const item of items.slice(0, itemsShownMax)) {
      lines.push(`  ${printable(item.map(({ text }) => text).join("")).replaceAll("\n", " ")}`);
    }
    if (items.length > itemsShownMax) lines.push(`  and ${items.length - itemsShownMax} more (--json has all)`);
  }
  return `${lines.join("\n")}\n`;
}
