import { join } from "node:path";
import type { TrialCheck, TrialError, TrialOutcome, TrialPlan } from "@headgate/sdk/serve";
import { agoText, durationText } from "../duration-text.ts";
import { metadataLines } from "../metadata-lines.ts";
import { type Paint, colorOf } from "../paint.ts";
import { printable } from "../printable.ts";
import { indented, reasonLines } from "../reason-block.ts";
import { stepName } from "../run-summary.ts";
import type { ReadInput, Reason } from "./try-inputs.ts";

const versionsShownMax = 6;

/** What is going to be tried, and on what. */
export function startText(
  paint: Paint,
  plan: TrialPlan,
  location: string,
  inputs: readonly ReadInput[],
  config: Readonly<Record<string, unknown>> | undefined,
  nowMs: number,
): string {
  const name = stepName({ asset: plan.assetKey, partition: plan.partitionKey });
  const lines = [`Trying ${paint("bold", name)} of code location ${location}`];
  for (const { name: as, assetKey, read, leftOut } of inputs) {
    lines.push(`  reads ${assetKey} as ${as}${read.length === 0 ? ": nothing" : ""}`);
    for (const version of read.slice(0, versionsShownMax)) {
      const partition = version.partition === "" ? "" : `${version.partition}, `;
      const older = version.newest ? "" : paint("yellow", ", not the newest");
      lines.push(`    ${partition}version ${version.id}, made ${agoText(version.createdAt, nowMs)}${older}`);
    }
    if (read.length > versionsShownMax) lines.push(`    and ${read.length - versionsShownMax} more`);
    if (leftOut.length > 0)
      lines.push(`    left out: ${leftOut.slice(0, 20).join(", ")}${leftOut.length > 20 ? ", …" : ""}`);
  }
  if (config !== undefined) lines.push(`  config ${printable(JSON.stringify(config))}`);
  return `${lines.join("\n")}\n`;
}

export function blockedText(paint: Paint, plan: TrialPlan, reasons: readonly Reason[]): string {
  const name = stepName({ asset: plan.assetKey, partition: plan.partitionKey });
  const path = `npx headgate why ${plan.assetKey}${plan.partitionKey === "" ? "" : ` --partition ${plan.partitionKey}`}`;
  return `${[
    `${paint("yellow", "Blocked")}: ${name} reads what has no open version`,
    ...reasons.flatMap((reason) => indented(reasonLines(paint, reason))),
    `what opens it: ${path}`,
  ].join("\n")}\n`;
}

export function checkLine(paint: Paint, check: TrialCheck, blocking: boolean): string {
  const { name, outcome, description, error } = check;
  const why = error === undefined ? description : error.message;
  const shown = `check ${name}${blocking ? " (blocking)" : ""}: ${paint(colorOf(outcome), outcome)}`;
  return `${shown}${why === "" ? "" : ` · ${printable(why)}`}\n`;
}

/** How it ended; `folder` is that of the sources, `scratch` where the value is. */
export function endText(
  paint: Paint,
  plan: TrialPlan,
  outcome: TrialOutcome,
  facts: { readonly state: string; readonly folder: string; readonly scratch: string; readonly durationMs: number },
): string {
  const { state, folder, scratch, durationMs } = facts;
  const { value, inMemory, preview, metadata, error, checks } = outcome;
  const lines: string[] = [];
  if (preview !== undefined) lines.push(...previewLines(paint, preview));
  if (metadata.length > 0) lines.push("metadata", ...indented(metadataLines(paint, metadata)));
  const closing = new Set(plan.checks.filter(({ blocking }) => blocking).map(({ name }) => name));
  for (const check of checks) {
    if (check.outcome === "passed" || check.metadata.length === 0) continue;
    lines.push(`check ${check.name}`, ...indented(metadataLines(paint, check.metadata)));
  }
  if (error !== undefined) lines.push(...errorLines(paint, error, folder));
  const shut = checks.filter(({ name, outcome: verdict }) => verdict === "failed" && closing.has(name));
  const why = state === "blocked" ? `: closed by ${shut.map(({ name }) => name).join(", ")}` : "";
  lines.push(`${paint(colorOf(state), state)}${why} in ${durationText(durationMs)}; nothing was recorded`);
  if (value !== undefined) {
    const place = inMemory ? scratch : join(scratch, value.place);
    lines.push(
      inMemory ? `the value stayed in memory: its IO manager has no scratch form (${place})` : `value: ${place}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function previewLines(paint: Paint, preview: NonNullable<TrialOutcome["preview"]>): string[] {
  if (preview.kind !== "text" || typeof preview.value !== "string") return metadataLines(paint, [preview]);
  const lines = printable(preview.value).split("\n");
  const more = lines.length - 20;
  return ["value", ...indented(lines.slice(0, 20)), ...(more > 0 ? [paint("dim", `  and ${more} more lines`)] : [])];
}

function errorLines(paint: Paint, { code, message, hint, position, stack }: TrialError, folder: string): string[] {
  const at = position === undefined ? [] : [`at ${join(folder, position.file)}:${position.line}:${position.column}`];
  const shownStack = code === "step.threw" || code === "step.uncaught" ? printable(stack).split("\n").slice(1, 8) : [];
  return [
    paint("red", printable(`${message} (${code})`)),
    ...indented([
      ...at,
      ...(hint === "" ? [] : [printable(hint)]),
      ...shownStack.map((line) => paint("dim", line.trim())),
    ]),
  ];
}
