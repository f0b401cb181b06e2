import type { Answer, Routes } from "../../http/contract.ts";
import { type CommandContext, print } from "../command-context.ts";
import { exitStatus } from "../exit-status.ts";
import { leftOutLines } from "../left-out.ts";
import { colorOf } from "../paint.ts";
import { indented, reasonLines, remedyLines } from "../reason-block.ts";
import { stepName } from "../run-summary.ts";

type PlanAnswer = Answer<Routes["plan"]>;

const stepsShownMax = 60;

export interface PlanOptions {
  readonly partitions?: string;
  readonly partition?: string;
  readonly exitCode?: boolean;
}

/** What would run, what would be blocked and why. */
export async function plan(context: CommandContext, selection: string, options: PlanOptions): Promise<number> {
  const partitions = options.partitions ?? options.partition;
  const body = { selection, ...(partitions === undefined ? {} : { partitions }) };
  const answer = await context.api.send("plan", "POST", "/plan", { body });
  print(context, answer, () => planText(context, answer));
  return options.exitCode === true && answer.blocked > 0 ? exitStatus.blocked : exitStatus.succeeded;
}

/** Names what was asked for and brought this step into the plan. */
function togetherWith(steps: PlanAnswer["steps"], step: PlanAnswer["steps"][number]): string {
  const asked = steps.filter((other) => other.computation === step.computation && !other.added);
  return asked.length === 1 && asked[0] !== undefined ? stepName(asked[0]) : "what is selected";
}

/** Of the first of several partitions that one call makes: how many they are. */
function callText(steps: PlanAnswer["steps"], step: PlanAnswer["steps"][number]): string {
  if (step.computation !== step.index) return "";
  const count = steps.filter((other) => other.computation === step.computation && other.asset === step.asset).length;
  return count > 1 ? `  (one call makes ${count} partitions)` : "";
}

function planText({ paint }: CommandContext, answer: PlanAnswer): string {
  const { steps, runs, waits, blocked, remedies } = answer;
  const forecast = { runs: "would run", waits: "would wait", blocked: "would be blocked" } as const;
  const color = { runs: colorOf("succeeded"), waits: colorOf("pending"), blocked: colorOf("blocked") } as const;
  const lines = steps.slice(0, stepsShownMax).map((step) => {
    const checks = step.kind === "checks" ? ` (checks ${step.checks.join(", ")})` : "";
    const added = step.added ? `  (added: ${togetherWith(steps, step)} cannot be computed without it)` : "";
    const name = `${stepName(step)}${checks}${added}${callText(steps, step)}`;
    return `  ${paint(color[step.forecast], forecast[step.forecast].padEnd(16))}  ${name}`;
  });
  const reasons = new Map(steps.flatMap((step) => step.reasons.map((reason) => [reason.message, reason])));
  return [
    `${steps.length} ${steps.length === 1 ? "step" : "steps"}: ${runs} would run, ${waits} would wait, ${blocked} would be blocked`,
    ...lines,
    ...leftOutLines(answer.leftOut),
    ...(steps.length > stepsShownMax ? [`  and ${steps.length - stepsShownMax} more`] : []),
    ...(reasons.size === 0 ? [] : ["", "Why"]),
    ...[...reasons.values()].slice(0, 10).flatMap((reason) => indented(reasonLines(paint, reason))),
    ...(remedies.length === 0 ? [] : ["", "What opens it", ...indented(remedyLines(paint, remedies.slice(0, 10)))]),
    "",
  ].join("\n");
}
