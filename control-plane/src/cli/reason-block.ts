import type { Answer, Routes } from "../http/contract.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./printable.ts";
import { table } from "./table.ts";

type Step = Answer<Routes["listSteps"]>["items"][number];
type ReasonAnswer = Step["reasons"][number];
type RemedyAnswer = Step["remedies"][number];
type OwnerAnswer = ReasonAnswer["owner"];

const rowsShownMax = 20;

export function ownerText({ team, contacts, oncallUrl, runbook }: OwnerAnswer): string {
  const reach = [
    ...contacts,
    ...(oncallUrl === null ? [] : [`on call: ${oncallUrl}`]),
    ...(runbook === null ? [] : [`runbook: ${runbook}`]),
  ];
  return reach.length === 0 ? `team ${team}` : `team ${team} (${reach.join(", ")})`;
}

/** What a failed check shows of the offence: the tables of its metadata. */
export function offenceLines(paint: Paint, { metadata = [] }: Pick<ReasonAnswer, "metadata">): string[] {
  return metadata.flatMap(({ kind, value }) => {
    if (kind !== "table") return [];
    const { columns, rows } = value as { columns: string[]; rows: (string | number | boolean | null)[][] };
    if (rows.length === 0) return [];
    const cells = rows.slice(0, rowsShownMax).map((row) => row.map(String));
    const more = rows.length - cells.length;
    return [
      ...table(paint, columns, cells).trimEnd().split("\n"),
      ...(more > 0 ? [paint("dim", `and ${more} more; --json has them`)] : []),
    ];
  });
}

/** The reason with what it shows, which version and run it is about, and whose it is. */
export function reasonLines(paint: Paint, reason: ReasonAnswer): string[] {
  const ids = [
    ...(reason.version === undefined ? [] : [`version ${reason.version}`]),
    ...(reason.run === undefined ? [] : [`made by run ${reason.run}`]),
  ];
  return [
    paint("bold", printable(reason.message)),
    ...indented(offenceLines(paint, reason)),
    ...(ids.length === 0 ? [] : [ids.join(", ")]),
    `owner: ${ownerText(reason.owner)}`,
  ];
}

/** Each command under what it is for, ready to paste. */
export function remedyLines(paint: Paint, remedies: readonly RemedyAnswer[]): string[] {
  return remedies.flatMap(({ purpose, command }) => [
    paint("dim", `# ${purpose}`),
    ...(command === "" ? [] : [command]),
  ]);
}

export function indented(lines: readonly string[], by = 2): string[] {
  return lines.map((line) => " ".repeat(by) + line);
}
