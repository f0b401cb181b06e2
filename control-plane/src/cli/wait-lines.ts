import type { Answer, Routes } from "../http/contract.ts";
import { agoText } from "./duration-text.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./printable.ts";
import { indented } from "./reason-block.ts";
import { stepName } from "./run-summary.ts";

export type Explanation = Answer<Routes["explainRun"]>;
type Wait = Explanation["waits"][number];

/** Why a run waits, and what of it, with the commands that show more. */
export function explanationLines(paint: Paint, explained: Explanation, nowMs: number): string[] {
  const { waits, steps, others } = explained;
  return [
    ...indented(waitLines(paint, waits, nowMs)),
    ...steps.flatMap((step) => [
      paint("bold", `step ${step.index} ${stepName(step)}`),
      ...indented(waitLines(paint, step.waits, nowMs)),
    ]),
    ...(others === 0 || steps.length === 0
      ? []
      : [paint("dim", `${others} more ${others === 1 ? "waits" : "wait"} behind them.`)]),
  ];
}

function waitLines(paint: Paint, waits: readonly Wait[], nowMs: number): string[] {
  return waits.flatMap(({ message, command, since, runs, kind }) => [
    printable(since === null ? message : `${message}, last seen ${agoText(since, nowMs)}`),
    // The message names the others itself.
    ...(kind === "tagLimit" && runs.length > 0 ? [`  held by ${runs.join(", ")}`] : []),
    ...(command === "" ? [] : [paint("dim", `  ${command}`)]),
  ]);
}
