import type { Answer, Routes } from "../../http/contract.ts";
import { segment } from "../api-client.ts";
import { type CommandContext, print } from "../command-context.ts";
import { agoText } from "../duration-text.ts";
import { exitStatus } from "../exit-status.ts";
import { colorOf } from "../paint.ts";
import { printable } from "../printable.ts";
import { indented, offenceLines, ownerText, remedyLines } from "../reason-block.ts";
import { stepName } from "../run-summary.ts";

type WhyAnswer = Answer<Routes["why"]>;

/** Why a partition was made, was not, or is blocked, to the root, and what opens it. */
export async function why(
  context: CommandContext,
  asset: string,
  { partition, tree = false }: { readonly partition?: string; readonly tree?: boolean },
): Promise<number> {
  const answer = await context.api.get("why", `/why/${segment(asset)}`, { partition });
  print(context, answer, () => whyText(context, answer, tree));
  return exitStatus.succeeded;
}

function whyText(context: CommandContext, answer: WhyAnswer, tree: boolean): string {
  const { paint } = context;
  return [
    `${paint("bold", stepName(answer))} ${statusText(context, answer)}`,
    ...answer.reasons.flatMap((reason) => reasonTree(context, answer, reason)),
    ...failureLines(answer),
    ...versionLines(context, answer),
    "",
    ...provenanceLines(context, answer),
    ...automationLines(context, answer, tree),
    ...(answer.remedies.length === 0 ? [] : ["", "What opens it", ...indented(remedyLines(paint, answer.remedies))]),
    "",
  ].join("\n");
}

const sentences: Record<WhyAnswer["status"], string> = {
  materializing: "is being materialized",
  failed: "is closed: a check failed",
  errored: "is closed: a check reached no verdict",
  pending: "is closed until its checks have run",
  computeFailed: "was not made: its compute failed",
  blocked: "is blocked",
  waived: "is open, by waiver",
  warned: "is open, with a warning",
  passed: "is open: its checks passed",
  unchecked: "is open; no check guards it",
  neverMaterialized: "has never been materialized",
};

function statusText({ paint }: CommandContext, answer: WhyAnswer): string {
  return paint(colorOf(answer.status), sentences[answer.status]);
}

/** What its condition comes to now, in a line; with `tree`, part by part. */
function automationLines({ paint, terminal }: CommandContext, { automation }: WhyAnswer, withTree: boolean): string[] {
  if (automation === null) return [];
  const { condition, tree, isRequested, notRequestedBecause, lastRequest } = automation;
  const outcome =
    isRequested === true
      ? " Requested."
      : notRequestedBecause.length === 0
        ? ""
        : ` Not requested: ${printable(notRequestedBecause.join("; "))}.`;
  const line = `Automation: ${printable(condition)}.${outcome}`;
  if (!withTree) return [line];
  return [
    line,
    ...(tree === null ? ["There is too much upstream to evaluate it here."] : indented(treeLines(paint, tree))),
    ...(lastRequest === null
      ? ["It has never requested this."]
      : [`Last requested ${agoText(lastRequest.at, terminal.now())} by run ${lastRequest.run}.`]),
  ];
}

type Tree = NonNullable<NonNullable<WhyAnswer["automation"]>["tree"]>;

/** A part a line, with the sign of what it is for the partition. */
function treeLines(paint: CommandContext["paint"], { text, isTrue, of }: Tree): string[] {
  const sign = isTrue ? paint("green", "✓") : paint("yellow", "✗");
  return [`${sign} ${printable(text)}`, ...of.flatMap((part) => indented(treeLines(paint, part)))];
}

/** Assets shown at each end of a way upstream; each is indented further than the one before. */
const wayEndsMax = 10;

/** The way upstream, an asset a line, to the reason at its end. */
function reasonTree(
  { paint, terminal }: CommandContext,
  answer: WhyAnswer,
  reason: WhyAnswer["reasons"][number],
): string[] {
  const lines: string[] = [];
  const way = reason.path.slice(1);
  const omitted = Math.max(0, way.length - 2 * wayEndsMax);
  const shown = omitted === 0 ? way : [...way.slice(0, wayEndsMax), undefined, ...way.slice(-wayEndsMax)];
  shown.forEach((key, i) => {
    const said = key === undefined ? `… ${omitted} more …` : `reads ${key === reason.asset ? stepName(reason) : key}`;
    lines.push(`${"   ".repeat(i)}└─ ${said}`);
  });
  const depth = "   ".repeat(shown.length);
  const details = [
    ...(reason.version === undefined ? [] : [`version ${reason.version}`]),
    ...(reason.run === undefined ? [] : [`made by run ${reason.run}`]),
    `owner: ${ownerText(reason.owner)}`,
  ];
  const made = answer.newest !== null && answer.newest.id === reason.version ? answer.newest.createdAt : undefined;
  if (made !== undefined) details.splice(1, 0, `made ${agoText(made, terminal.now())}`);
  // The line above names asset and partition already.
  const about = `${stepName(reason)}: `;
  const said = reason.message.startsWith(about) ? reason.message.slice(about.length) : reason.message;
  return [
    ...lines,
    `${depth}└─ ${paint(colorOf(reason.kind === "checkFailed" ? "failed" : "blocked"), printable(said))}`,
    ...offenceLines(paint, reason).map((line) => `${depth}   ${line}`),
    ...details.map((line) => `${depth}   ${line}`),
  ];
}

function failureLines(answer: WhyAnswer): string[] {
  if (answer.failure === null) return [];
  const { run, step, state, error } = answer.failure;
  return [
    `└─ step ${step} of run ${run} ${state}${error === null ? "" : `: ${printable(error.message)}`}`,
    `   npx headgate run logs ${run} --step ${step}`,
  ];
}

function versionLines({ terminal }: CommandContext, answer: WhyAnswer): string[] {
  const { newest, madeBy } = answer;
  if (newest === null) return [];
  const by = madeBy === null ? "" : ` by run ${madeBy.id} (${madeBy.source}, ${madeBy.actor})`;
  return [
    `newest version ${newest.id}, ${newest.state}, made ${agoText(newest.createdAt, terminal.now())}${by}`,
    ...newest.inputs.map((input) => {
      const read = input.versions.map(({ id, partition }) => (partition === "" ? id : `${partition} (${id})`));
      const shown = read.length > 3 ? `${read.length} versions` : read.join(", ");
      const left = input.leftOut.length === 0 ? "" : `; left out: ${input.leftOut.slice(0, 12).join(", ")}`;
      return `  read ${input.asset}: ${shown}${left}`;
    }),
    ...newest.waivers.map(
      (waiver) => `  waived: ${waiver.check}, until ${waiver.until}, by ${waiver.actor}: ${printable(waiver.reason)}`,
    ),
    ...(newest.inheritedWaivers.length === 0
      ? []
      : [`  stands on waivers upstream: ${newest.inheritedWaivers.join(", ")}`]),
  ];
}

function provenanceLines({ paint, terminal }: CommandContext, answer: WhyAnswer): string[] {
  const { decision, computed, stillClosed } = answer;
  if (decision !== null) {
    const who = decision.run === null ? "automation" : `run ${decision.run}, step ${decision.step ?? 0}`;
    const since = stillClosed ? "" : "; the gate has opened since";
    return [paint("dim", `Decided ${agoText(decision.at, terminal.now())} for ${who}${since}.`)];
  }
  return computed && answer.newest === null
    ? [paint("dim", "Nothing has asked for it; this is reasoned out now.")]
    : [];
}
