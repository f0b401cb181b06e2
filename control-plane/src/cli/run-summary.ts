import type { Answer, Routes } from "../http/contract.ts";
import { type ApiClient, segment } from "./api-client.ts";
import { CliError } from "./cli-error.ts";
import { tookText } from "./duration-text.ts";
import { type Paint, colorOf } from "./paint.ts";
import { printable } from "./printable.ts";
import { indented, reasonLines, remedyLines } from "./reason-block.ts";

export type Run = Answer<Routes["getRun"]>;
export type Step = Answer<Routes["listSteps"]>["items"][number];

const stepsShownMax = 6;
const groupsShownMax = 8;
const stepsReadMax = 1_000;
const eventsReadMax = 10_000;

/** The run stays when its assets are no longer defined, or were deleted. */
const goneCodes: ReadonlySet<string> = new Set(["asset.unknown", "asset.refused", "asset.deleted", "version.unknown"]);

type Version = Answer<Routes["getVersion"]>;

/** What became of a run, with the steps that did not succeed and the versions whose gate shut. */
export interface RunOutcome {
  readonly run: Run;
  readonly failed: readonly Step[];
  readonly blocked: readonly Step[];
  /** At most `groupsShownMax`. */
  readonly closed: readonly Version[];
}

export async function readOutcome(api: ApiClient, id: string): Promise<RunOutcome> {
  const run = await api.get("getRun", `/runs/${id}`);
  const ofState = (state: "failed" | "blocked") =>
    (run.steps[state] ?? 0) === 0
      ? Promise.resolve([])
      : api.list("listSteps", `/runs/${id}/steps`, { state }, stepsReadMax);
  const [failed, blocked] = await Promise.all([ofState("failed"), ofState("blocked")]);
  return { run, failed, blocked, closed: run.state === "blocked" ? await readClosed(api, run) : [] };
}

/** Versions that the run made or checked and that their own checks keep closed. */
async function readClosed(api: ApiClient, run: Run): Promise<Version[]> {
  const events = await api.list("listRunEvents", `/runs/${run.id}/events`, {}, eventsReadMax);
  const shut = new Map<string, string>();
  for (const { kind, asset, payload } of events) {
    if (kind === "gate_closed" && asset !== null) shut.set(String((payload as { version?: unknown }).version), asset);
  }
  const read = [...shut].slice(0, groupsShownMax).map(async ([id, asset]) =>
    api.get("getVersion", `/assets/${segment(asset)}/versions/${segment(id)}`).catch((error: unknown) => {
      if (error instanceof CliError && goneCodes.has(error.code)) return undefined;
      throw error;
    }),
  );
  return (await Promise.all(read)).flatMap((version) => (version?.open === false ? [version] : []));
}

export function stepName(step: { asset: string; partition: string }): string {
  return step.partition === "" ? step.asset : `${step.asset} ${step.partition}`;
}

/** Words on steps by state, in the order in which a reader cares. */
export function countsText(paint: Paint, steps: Run["steps"]): string {
  const order = [
    "failed",
    "blocked",
    "canceled",
    "skipped",
    "unknown",
    "retrying",
    "started",
    "leased",
    "waiting",
    "succeeded",
  ] as const;
  return order
    .flatMap((state) => {
      const count = steps[state] ?? 0;
      return count === 0 ? [] : [paint(colorOf(state), `${count} ${state}`)];
    })
    .join(", ");
}

/** One screen: how it ended, then what failed and what is blocked apart, with the commands that help. */
export function summaryText(paint: Paint, { run, failed, blocked, closed }: RunOutcome, nowMs: number): string {
  const took = tookText(run.startedAt ?? run.createdAt, run.endedAt, nowMs);
  const counts = countsText(paint, run.steps);
  const lines = [
    `Run ${run.id} ${paint(colorOf(run.state), run.state)} in ${took}${counts === "" ? "" : `: ${counts}`}`,
    ...failedLines(paint, run, failed),
    ...closedLines(paint, closed),
    ...blockedLines(paint, blocked, new Set(closed.flatMap(({ reasons }) => reasons.map(identity)))),
  ];
  return `${lines.join("\n")}\n`;
}

function failedLines(paint: Paint, run: Run, failed: readonly Step[]): string[] {
  if (failed.length === 0) return [];
  const shown = failed
    .slice(0, groupsShownMax)
    .flatMap((step) => [
      paint("bold", `${stepName(step)}${step.kind === "checks" ? ` (checks ${step.checks.join(", ")})` : ""}`),
      ...indented([
        step.error === null ? "no reason was recorded" : printable(`${step.error.message} (${step.error.code})`),
        ...(step.error?.position == null
          ? []
          : [`at ${step.error.position.file}:${step.error.position.line}:${step.error.position.column}`]),
        ...(step.error?.hint == null ? [] : [step.error.hint]),
        paint("dim", `npx headgate run logs ${run.id} --step ${step.index}`),
      ]),
    ]);
  return [
    "",
    paint("red", "Failed"),
    ...indented([...shown, ...moreLine(failed.length - groupsShownMax, "failed step")]),
  ];
}

function closedLines(paint: Paint, closed: readonly Version[]): string[] {
  if (closed.length === 0) return [];
  const shown = closed.flatMap((version) => [
    stepName(version),
    ...indented([
      ...version.reasons.flatMap((reason) => reasonLines(paint, reason)),
      "what opens it:",
      `  npx headgate why ${version.asset}${version.partition === "" ? "" : ` --partition ${version.partition}`}`,
    ]),
  ]);
  return ["", paint("red", "Made, and closed by its checks"), ...indented(shown)];
}

function moreLine(more: number, what: string): string[] {
  return more > 0 ? [`and ${more} more ${what}${more === 1 ? "" : "s"}`] : [];
}

/** Equal for reasons that say the same of the same version. */
function identity({ message, version }: Step["reasons"][number]): string {
  return JSON.stringify([message, version]);
}

/** Steps that wait for the same gate are shown together: one check that shut may hold hundreds. */
function blockedLines(paint: Paint, blocked: readonly Step[], told: ReadonlySet<string>): string[] {
  if (blocked.length === 0) return [];
  const groups = new Map<string, Step[]>();
  for (const step of blocked) {
    const key = JSON.stringify(step.reasons.map(identity));
    groups.set(key, [...(groups.get(key) ?? []), step]);
  }
  const shown = [...groups.values()].slice(0, groupsShownMax).flatMap((steps) => {
    const names = steps.slice(0, stepsShownMax).map(stepName).join(", ");
    const more = steps.length > stepsShownMax ? ` and ${steps.length - stepsShownMax} more` : "";
    const first = steps[0];
    return [
      `${names}${more}`,
      ...indented([
        // What was shown under the version itself is not shown again.
        ...(first?.reasons ?? []).flatMap((reason) =>
          told.has(identity(reason)) ? [paint("bold", printable(reason.message))] : reasonLines(paint, reason),
        ),
        ...((first?.remedies.length ?? 0) === 0 ? [] : ["what opens it:"]),
        ...indented(remedyLines(paint, first?.remedies ?? [])),
      ]),
    ];
  });
  return [
    "",
    paint("yellow", "Blocked"),
    ...indented([...shown, ...moreLine(groups.size - groupsShownMax, "closed gate")]),
  ];
}
