import { randomUUID } from "node:crypto";
import type { Answer, Routes } from "../../http/contract.ts";
import { segment } from "../api-client.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, print } from "../command-context.ts";
import { agoText } from "../duration-text.ts";
import { exitStatus } from "../exit-status.ts";
import { printable } from "../printable.ts";
import { table } from "../table.ts";

type Schedule = Answer<Routes["startSchedule"]>;
type Tick = Answer<Routes["triggerSchedule"]>;

interface ChangeOptions {
  readonly idempotencyKey?: string;
}

export async function scheduleList(context: CommandContext, { team }: { readonly team?: string }): Promise<number> {
  const items = await context.api.list("listSchedules", "/schedules", { team });
  const nowMs = context.terminal.now();
  print(context, { items }, () =>
    table(
      context.paint,
      ["SCHEDULE", "STATE", "NEXT", "CRON", "LAST TICK", "LAUNCHES"],
      items.map((schedule) => [
        schedule.name,
        schedule.on ? "on" : "off",
        schedule.nextLocal ?? "",
        timesText(schedule),
        schedule.lastTick === null ? "" : `${schedule.lastTick.state} ${agoText(schedule.lastTick.createdAt, nowMs)}`,
        schedule.selection,
      ]),
      [1],
    ),
  );
  return exitStatus.succeeded;
}

export async function scheduleShow(context: CommandContext, name: string): Promise<number> {
  const schedule = await context.api.get("getSchedule", pathOf(name));
  const nowMs = context.terminal.now();
  print(context, schedule, () => {
    const { description, on, switchedBy, switchedAt, nextLocal, lastTick, launches, refusal, problems } = schedule;
    const switched = switchedBy === null || switchedAt === null ? "" : `, ${switchedBy} ${agoText(switchedAt, nowMs)}`;
    const lines = [
      `${schedule.name}  ${context.paint(on ? "green" : "yellow", on ? "on" : "off")}${switched}`,
      ...(description === "" ? [] : [`  ${printable(description)}`]),
      `  ticks     ${timesText(schedule)} ${schedule.timezone}${nextLocal === null ? "" : `, next ${nextLocal}`}`,
      `  target    ${schedule.selection}${schedule.partitioned ? ", a run for each window that closed" : ""}`,
      `  launches  ${launches.join(", ")}`,
      `  catch up  ${catchUpText(schedule.catchUpMax)}`,
      `  defined   in location ${schedule.location}`,
      ...(lastTick === null ? [] : [`  last tick ${tickText(lastTick)}`]),
      ...(refusal === null
        ? []
        : [
            context.paint("red", `  A tick would fail: ${printable(refusal.message)}`),
            `    ${printable(refusal.hint)}`,
          ]),
      ...problems.flatMap(({ message, hint }) => [
        context.paint("yellow", `  ${printable(message)}`),
        `    ${printable(hint)}`,
      ]),
    ];
    return `${lines.join("\n")}\n`;
  });
  return exitStatus.succeeded;
}

export async function schedulePreview(
  context: CommandContext,
  name: string,
  { count, after }: { readonly count: number; readonly after?: string },
): Promise<number> {
  const answer = await context.api.get("previewSchedule", `${pathOf(name)}/preview`, { count, after: timeOf(after) });
  print(context, answer, () =>
    table(
      context.paint,
      [`IN ${answer.timezone}`, "OUTCOME", "RUNS"],
      answer.items.map(({ local, outcome, reason, runs }) => [
        local,
        outcome,
        runs.length === 0
          ? printable(reason)
          : runs
              .map(
                ({ selection, partitions, steps }) =>
                  `${selection}${partitions === "" ? "" : ` ${partitions}`} (${steps})`,
              )
              .join("; "),
      ]),
      [1],
    ),
  );
  return exitStatus.succeeded;
}

export async function scheduleTicks(
  context: CommandContext,
  name: string,
  { state, limit }: { readonly state?: string; readonly limit: number },
): Promise<number> {
  const items = await context.api.list("listScheduleTicks", `${pathOf(name)}/ticks`, { state }, limit);
  const nowMs = context.terminal.now();
  print(context, { items }, () =>
    table(
      context.paint,
      ["INSTANT", "STATE", "WRITTEN", "WHAT"],
      items.map((tick) => [tick.scheduledAt ?? "", tick.state, agoText(tick.createdAt, nowMs), outcomeText(tick)]),
      [1],
    ),
  );
  return exitStatus.succeeded;
}

export async function scheduleSwitch(
  context: CommandContext,
  word: "start" | "stop",
  name: string,
  { idempotencyKey }: ChangeOptions,
): Promise<number> {
  const route = word === "start" ? "startSchedule" : "stopSchedule";
  const schedule = await context.api.send(route, "POST", `${pathOf(name)}/${word}`, {
    idempotencyKey: idempotencyKey ?? randomUUID(),
  });
  print(context, schedule, () => {
    const next = schedule.nextLocal === null ? "" : ` Next tick: ${schedule.nextLocal}.`;
    return `${schedule.name} is ${schedule.on ? "on" : "off"}.${next}\n`;
  });
  return exitStatus.succeeded;
}

export async function scheduleTrigger(
  context: CommandContext,
  name: string,
  { at, idempotencyKey }: ChangeOptions & { readonly at?: string },
): Promise<number> {
  const time = timeOf(at);
  const tick = await context.api.send("triggerSchedule", "POST", `${pathOf(name)}/trigger`, {
    body: time === undefined ? {} : { at: time },
    idempotencyKey: idempotencyKey ?? randomUUID(),
  });
  print(context, tick, () =>
    tick.runCount === 0
      ? `Nothing was launched: ${printable(tick.reason)}.\n`
      : `Launched ${tick.runCount === 1 ? "run" : `${tick.runCount} runs:`} ${tick.runs.join(", ")}\n`,
  );
  return exitStatus.succeeded;
}

function timesText({ crons }: Pick<Schedule, "crons">): string {
  return crons.join(", ");
}

function catchUpText(most: number): string {
  if (most === 0) return "no tick that was missed";
  return most === 1 ? "the newest tick that was missed" : `the newest ${most} ticks that were missed`;
}

function tickText(tick: Tick): string {
  return `${tick.scheduledAt ?? tick.createdAt} ${tick.state}: ${outcomeText(tick)}`;
}

function outcomeText(tick: Tick): string {
  const by = tick.askedBy === null ? "" : `, asked for by ${tick.askedBy}`;
  switch (tick.state) {
    case "launched":
      return `${tick.runs.slice(0, 3).join(", ")}${tick.runCount > 3 ? ` and ${tick.runCount - 3} more` : ""}${by}`;
    case "skipped":
      return `${printable(tick.reason)}${by}`;
    case "failed":
      return printable(tick.error?.message ?? "no reason was given");
    case "missed":
      return `${tick.missedCount ?? 0} since ${tick.missedSince ?? ""}: nobody was there to fire them`;
    case "requested":
    case "evaluated":
      return "under way";
  }
}

function pathOf(name: string): string {
  return `/schedules/${segment(name)}`;
}

/** The API takes times in UTC alone. */
function timeOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  throw new CliError("cli.bad_time", `"${text}" is no time.`, "Write it as 2026-10-24T00:00:00Z, or with an offset.");
}
