import type { WorkspaceDiff } from "../../domain/workspace-diff.ts";
import { printable } from "../printable.ts";
import { diffSections, diffSummary } from "./diff-sections.ts";

/** Of a section: a comment on a pull request is read, not searched, and its length is bounded. */
const itemsShownMax = 50;

/** A diff for a pull request. Names of others are shown as code, so that none of them formats, links or mentions. */
export function diffMarkdown(diff: WorkspaceDiff): string {
  const lines = [`### Headgate: ${diffSummary(diff)}`];
  for (const { title, tone, items } of diffSections(diff)) {
    lines.push("", `**${tone === "bad" ? "⚠ " : ""}${title}**`, "");
    for (const item of items.slice(0, itemsShownMax)) {
      lines.push(
        `- ${item
          .map(({ kind, text }) => (kind === "name" ? code(text) : text))
          .join("")
          .trim()}`,
      );
    }
    if (items.length > itemsShownMax) lines.push(`- and ${items.length - itemsShownMax} more`);
  }
  return `${lines.join("\n")}\n`;
}

/** A code span whose fence is longer than every run of backticks in the text. */
function code(given: string): string {
  const text = printable(given).replaceAll(/\s+/g, " ").trim();
  if (text === "") return "";
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`;
}
