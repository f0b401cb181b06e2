import type { Answer, Routes } from "../http/contract.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./printable.ts";

type Step = Answer<Routes["listSteps"]>["items"][number];
type ReasonAnswer = Step["reasons"][number];
type RemedyAnswer = Step["remedies"][number];
type OwnerAnswer = ReasonAnswer["owner"];

export function ownerText({ team, contacts, oncallUrl, runbook }: OwnerAnswer): string {
  const reach = [
    ...contacts,
    ...(oncallUrl === null ? [] : [`on call: ${oncallUrl}`]),
    ...(runbook === null ? [] : [`runbook: ${runbook}`]),
  ];
  return reach.length === 0 ? `team ${team}` : `team ${team} (${reach.join(", ")})`;
}

/** The reason, which version and run it is about, and whose it is: one line each. */
export function reasonLines(paint: Paint, reason: ReasonAnswer): string[] {
  const ids = [
    ...(reason.version === undefined ? [] : [`version ${reason.version}`]),
    ...(reason.run === undefined ? [] : [`made by run ${reason.run}`]),
  ];
  return [
    paint("bold", printable(reason.message)),
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
