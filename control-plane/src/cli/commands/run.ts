import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Answer, Routes } from "../../http/contract.ts";
import { segment } from "../api-client.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, print } from "../command-context.ts";
import { agoText, tookText } from "../duration-text.ts";
import { exitStatus } from "../exit-status.ts";
import { eventLine } from "../run-progress.ts";
import { type Step, countsText, stepName } from "../run-summary.ts";
import { table } from "../table.ts";
import { type Explanation, explanationLines } from "../wait-lines.ts";
import { followLaunched, showOutcome } from "./materialize.ts";

type LogChunk = Answer<Routes["listRunLogs"]>["items"][number];

export interface RunListOptions {
  readonly state?: string;
  readonly asset?: string;
  readonly limit: number;
}

export async function runList(context: CommandContext, { state, asset, limit }: RunListOptions): Promise<number> {
  const items = await context.api.list("listRuns", "/runs", { state, asset }, limit);
  const nowMs = context.terminal.now();
  print(context, { items }, () =>
    table(
      context.paint,
      ["RUN", "STATE", "STARTED", "TOOK", "BY", "SELECTION"],
      items.map((run) => [
        run.id,
        run.state,
        agoText(run.createdAt, nowMs),
        tookText(run.startedAt, run.endedAt, nowMs),
        launchedBy(run),
        run.partitions === "" ? run.selection : `${run.selection} ${run.partitions}`,
      ]),
      [1],
    ),
  );
  return exitStatus.succeeded;
}

/** A person, or what launched it by itself, with the run key of a sensor. */
function launchedBy({ source, actor, tick, runKey }: Answer<Routes["getRun"]>): string {
  if (tick !== null) return runKey === null ? tick.automation : `${tick.automation} ${runKey}`;
  return source === "manual" ? actor : source;
}

export async function runShow(context: CommandContext, id: string): Promise<number> {
  const run = await context.api.get("getRun", `/runs/${segment(id)}`);
  if (run.tick !== null && !context.json) {
    const asked = run.actor.startsWith(`${run.source}:`) ? "" : `, asked for by ${run.actor}`;
    context.terminal.out(`Launched by ${launchedBy(run)}${asked}\n`);
  }
  if (run.endedAt !== null) {
    await showOutcome(context, run.id);
    return exitStatus.succeeded;
  }
  const [steps, explained] = await Promise.all([
    context.api.list("listSteps", `/runs/${run.id}/steps`, {}, 200),
    context.api.get("explainRun", `/queue/${run.id}/explain`),
  ]);
  const nowMs = context.terminal.now();
  print(context, { ...run, failed: [], blocked: [] }, () =>
    [
      `Run ${run.id} ${run.state}, launched ${agoText(run.createdAt, nowMs)}: ${countsText(context.paint, run.steps)}`,
      table(
        context.paint,
        ["STEP", "STATE", "TOOK", "WHAT"],
        steps.map((step) => [
          String(step.index),
          step.state,
          tookText(step.startedAt, step.endedAt, nowMs),
          stepName(step),
        ]),
        [1],
      ),
      ...(explained.waits.length + explained.steps.length === 0
        ? []
        : ["What it waits for", ...explanationLines(context.paint, explained, nowMs), ""]),
    ].join("\n"),
  );
  return exitStatus.succeeded;
}

/** Why it waits, and what of it. */
export async function runExplain(context: CommandContext, id: string): Promise<number> {
  const explained = await context.api.get("explainRun", `/queue/${segment(id)}/explain`);
  print(context, explained, () => {
    const { paint, terminal } = context;
    const lines = explanationLines(paint, explained, terminal.now());
    const head = `Run ${id} ${explained.state}, in the queue of team ${explained.team}: ${slotText(explained)}`;
    return [head, ...(lines.length === 0 ? ["Nothing of it waits."] : lines), ""].join("\n");
  });
  return exitStatus.succeeded;
}

function slotText({ state, holdsSlot }: Explanation): string {
  if (holdsSlot) return "it holds a slot.";
  return state === "queued" || state === "started" || state === "canceling" ? "it holds no slot." : "it has ended.";
}

export async function runEvents(context: CommandContext, id: string): Promise<number> {
  const items = await context.api.list("listRunEvents", `/runs/${segment(id)}/events`);
  print(context, { items }, () => items.map((event) => `${eventLine(event)}\n`).join(""));
  return exitStatus.succeeded;
}

export async function runCancel(context: CommandContext, id: string): Promise<number> {
  const run = await context.api.send("cancelRun", "POST", `/runs/${segment(id)}/cancel`, {
    idempotencyKey: randomUUID(),
  });
  print(context, run, () =>
    run.state === "canceled"
      ? `Run ${id} is canceled; none of its steps had begun.\n`
      : `Run ${id} is told to stop; see it with: npx headgate run show ${id}\n`,
  );
  return exitStatus.succeeded;
}

export async function runRetry(
  context: CommandContext,
  id: string,
  options: { readonly fromFailure?: boolean; readonly detach?: boolean },
): Promise<number> {
  const run = await context.api.send("retryRun", "POST", `/runs/${segment(id)}/retry`, {
    body: { fromFailure: options.fromFailure ?? false },
    idempotencyKey: randomUUID(),
  });
  return followLaunched(context, run, options.detach ?? false);
}

export interface RunLogsOptions {
  readonly step?: string;
  readonly partition?: string;
  readonly attempt?: number;
  readonly stderr?: boolean;
  readonly follow?: boolean;
}

const followEveryMs = 500;
const stepsAtOnce = 200;

/** What the steps of a run printed and logged; with `follow` until the run has ended. */
export async function runLogs(context: CommandContext, id: string, options: RunLogsOptions): Promise<number> {
  const run = await context.api.get("getRun", `/runs/${segment(id)}`);
  const steps = await chosenSteps(context, run.id, options);
  const query = {
    ...(options.attempt === undefined ? {} : { attempt: options.attempt }),
    ...(options.stderr === true ? { stream: "stderr" } : {}),
  };
  const shown: LogChunk[] = [];
  const show = (items: readonly LogChunk[]) => {
    if (context.json) shown.push(...items);
    else for (const item of items) context.terminal.out(logText(context, item, steps?.length !== 1));
  };
  if (options.follow !== true) {
    if (steps === undefined) show(await context.api.list("listRunLogs", `/runs/${run.id}/logs`, query));
    else {
      for (const step of steps) {
        show(await context.api.list("listRunLogs", `/runs/${run.id}/logs`, { ...query, step: step.index }));
      }
    }
  } else await followLogs(context, run.id, options, query, show);
  if (context.json) print(context, { items: shown }, () => "");
  return exitStatus.succeeded;
}

/** Asks each step that is at work from where it was asked last: within a step the order is that of writing. */
async function followLogs(
  context: CommandContext,
  id: string,
  options: RunLogsOptions,
  query: Record<string, string | number>,
  show: (items: readonly LogChunk[]) => void,
): Promise<void> {
  const { api, terminal } = context;
  const positions = new Map<number, string>();
  const done = new Set<number>();
  const stop = new AbortController();
  const offInterrupt = terminal.onInterrupt(() => stop.abort());
  try {
    while (!stop.signal.aborted) {
      const run = await api.get("getRun", `/runs/${id}`);
      const all = (await chosenSteps(context, id, options)) ?? (await api.list("listSteps", `/runs/${id}/steps`));
      const open = all.filter((step) => step.attempts > 0 && !done.has(step.index)).slice(0, stepsAtOnce);
      for (const step of open) {
        for (;;) {
          const after = positions.get(step.index);
          const page = await api.get("listRunLogs", `/runs/${id}/logs`, {
            ...query,
            step: step.index,
            limit: 1_000,
            after,
          });
          show(page.items);
          if (page.next !== null) positions.set(step.index, page.next);
          if (page.items.length < 1_000) break;
        }
        // Read after its end was seen: nothing comes any more.
        if (step.endedAt !== null) done.add(step.index);
      }
      if (run.endedAt !== null && open.every((step) => done.has(step.index))) return;
      await delay(followEveryMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    offInterrupt();
  }
}

/** `--step` is an index or an asset key; absent: every step. */
async function chosenSteps(context: CommandContext, id: string, options: RunLogsOptions): Promise<Step[] | undefined> {
  if (options.step === undefined) return undefined;
  const all = await context.api.list("listSteps", `/runs/${id}/steps`);
  const byIndex = /^\d+$/.test(options.step);
  const chosen = all.filter((step) =>
    byIndex
      ? step.index === Number(options.step)
      : step.asset === options.step && (options.partition === undefined || step.partition === options.partition),
  );
  if (chosen.length === 0) {
    const what = options.partition === undefined ? options.step : `${options.step} ${options.partition}`;
    throw new CliError("cli.no_step", `Run ${id} has no step ${what}.`, `npx headgate run show ${id}`);
  }
  return chosen;
}

function logText({ paint }: CommandContext, chunk: LogChunk, named: boolean): string {
  const prefix = named ? `${paint("dim", `[${stepName(chunk)}]`)} ` : "";
  const lines = chunk.text.replace(/\n$/, "").split("\n");
  const dropped =
    chunk.droppedBytes === 0 ? "" : `${prefix}${paint("yellow", `${chunk.droppedBytes} bytes were dropped here`)}\n`;
  return `${lines.map((line) => `${prefix}${line}\n`).join("")}${dropped}`;
}
