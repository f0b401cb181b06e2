import type { Answer, Routes } from "../http/contract.ts";
import { durationText } from "./duration-text.ts";
import type { Paint } from "./paint.ts";
import { colorOf } from "./paint.ts";
import { printable } from "./printable.ts";
import { type Run, countsText, stepName } from "./run-summary.ts";

export type RunEvent = Answer<Routes["listRunEvents"]>["items"][number];

interface StepView {
  readonly name: string;
  state: string;
  sinceMs: number;
  note: string;
}

const runningShownMax = 8;
const blockedShownMax = 4;
/** The whole of an error is in the summary, and with `run show`. */
const noteLengthMax = 300;

/** What the events of a run have told so far. */
export class RunProgress {
  readonly #steps = new Map<number, StepView>();
  #stepCount: number;
  #state: string;

  constructor(run: Run) {
    this.#stepCount = run.stepCount;
    this.#state = run.state;
  }

  /** The state that the run ended in; undefined while it goes on. */
  take(event: RunEvent): string | undefined {
    const ended = /^run_(succeeded|failed|blocked|canceled)$/.exec(event.kind)?.[1];
    if (ended !== undefined) this.#state = ended;
    else if (event.kind === "run_started") this.#state = "started";
    else if (event.kind === "run_cancel_requested") this.#state = "canceling";
    const state = /^step_(\w+)$/.exec(event.kind)?.[1];
    if (state !== undefined && event.step !== null) {
      const before = this.#steps.get(event.step);
      const running = before !== undefined && isRunning(before.state) && isRunning(state);
      this.#steps.set(event.step, {
        name: stepName({ asset: event.asset ?? "", partition: event.partition ?? "" }),
        state,
        sinceMs: running ? before.sinceMs : Date.parse(event.at),
        note: noteOf(event),
      });
      this.#stepCount = Math.max(this.#stepCount, event.step + 1);
    }
    return ended;
  }

  /** A compact block: steps by state, those at work with the time they have taken, those that are blocked. */
  block(paint: Paint, columns: number, nowMs: number): string[] {
    const steps = [...this.#steps.values()];
    const counts: Record<string, number> = {};
    for (const step of steps) counts[step.state] = (counts[step.state] ?? 0) + 1;
    const waiting = this.#stepCount - steps.length;
    if (waiting > 0) counts["waiting"] = waiting;
    const running = steps.filter((step) => isRunning(step.state));
    const blocked = steps.filter((step) => step.state === "blocked" || step.state === "failed");
    const line = (color: ReturnType<typeof colorOf>, text: string) => `  ${paint(color, cut(text, columns - 3))}`;
    return [
      `${paint(colorOf(this.#state), this.#state)}  ${countsText(paint, counts)}`,
      ...running
        .slice(0, runningShownMax)
        .map((step) => line(colorOf(step.state), `${step.name}  ${durationText(nowMs - step.sinceMs)}${step.note}`)),
      ...(running.length > runningShownMax
        ? [line("dim", `and ${running.length - runningShownMax} more at work`)]
        : []),
      ...blocked
        .slice(-blockedShownMax)
        .map((step) => line(colorOf(step.state), `${step.name}  ${step.state}${step.note}`)),
    ];
  }
}

function isRunning(state: string): boolean {
  return state === "leased" || state === "started" || state === "retrying" || state === "unknown";
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

interface StepPayload {
  /** Of check_completed. */
  readonly check?: string;
  readonly outcome?: string;
  readonly checks?: readonly { readonly name?: string; readonly outcome?: string }[];
  readonly reasons?: readonly {
    readonly check?: string;
    readonly asset?: string;
    readonly partition?: string;
    readonly kind?: string;
  }[];
  readonly error?: { readonly message?: string };
}

/** What is worth a word beside the state: checks that were not content, the reason, the error. */
function noteOf(event: RunEvent): string {
  const { check, outcome, checks = [], reasons = [], error } = event.payload as StepPayload;
  const discontent = checks
    .filter((result) => result.outcome !== "passed")
    .map((result) => `${result.name} ${result.outcome}`);
  const first = reasons[0];
  const shut =
    first === undefined
      ? []
      : [
          `${first.check ?? first.kind ?? ""} of ${stepName({ asset: first.asset ?? "", partition: first.partition ?? "" })}`,
        ];
  const words = [
    ...(check === undefined || outcome === undefined ? [] : [`${check} ${outcome}`]),
    ...discontent,
    ...shut,
    ...(error?.message === undefined ? [] : [error.message.split("\n", 1)[0] ?? ""]),
  ];
  return words.length === 0 ? "" : cut(printable(` · ${words.join(", ")}`), noteLengthMax);
}

/** The event as one line of a log. */
export function eventLine(event: RunEvent): string {
  const time = event.at.slice(11, 19);
  const what = event.kind.replaceAll("_", " ");
  const where = event.asset === null ? "" : `  ${stepName({ asset: event.asset, partition: event.partition ?? "" })}`;
  return `${time}  ${what}${where}${noteOf(event)}`;
}
