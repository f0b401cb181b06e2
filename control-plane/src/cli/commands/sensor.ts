import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Answer, Routes } from "../../http/contract.ts";
import { segment } from "../api-client.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, print } from "../command-context.ts";
import { agoText, durationText } from "../duration-text.ts";
import { exitStatus } from "../exit-status.ts";
import { table } from "../table.ts";

type Sensor = Answer<Routes["getSensor"]>;
type Tick = Answer<Routes["getSensorTick"]>;

const followEveryMs = 200;
/** Beside the sensor's own timeout: nobody may be there to evaluate it. */
const patienceMs = 30_000;

export async function sensorList(context: CommandContext, { team }: { readonly team?: string }): Promise<number> {
  const answer = await context.api.get("listSensors", "/sensors", { team });
  const { paint, terminal } = context;
  print(context, answer, () =>
    table(
      paint,
      ["SENSOR", "STATUS", "EVERY", "EVALUATED", "LAST"],
      answer.items.map((sensor) => [
        sensor.name,
        statusText(sensor),
        durationText(sensor.minimumIntervalMs),
        sensor.evaluatedAt === null ? "never" : agoText(sensor.evaluatedAt, terminal.now()),
        sensor.lastTick === null ? "" : tickText(sensor.lastTick),
      ]),
      [1],
    ),
  );
  return exitStatus.succeeded;
}

export async function sensorShow(context: CommandContext, name: string): Promise<number> {
  const sensor = await found(context, name);
  const { terminal } = context;
  print(context, sensor, () => {
    const source = sensor.file === null ? "" : ` (${sensor.file}${sensor.line === null ? "" : `:${sensor.line}`})`;
    const switched =
      sensor.switchedBy === null || sensor.switchedAt === null
        ? "as its definition says"
        : `by ${sensor.switchedBy}, ${agoText(sensor.switchedAt, terminal.now())}`;
    const evaluated = sensor.evaluatedAt === null ? "never" : agoText(sensor.evaluatedAt, terminal.now());
    return [
      `${sensor.name} of location ${sensor.location}${source}`,
      ...(sensor.description === "" ? [] : [sensor.description]),
      `Targets    ${sensor.targets.join(", ")}`,
      `Status     ${statusText(sensor)}, ${switched}`,
      ...(sensor.paused === null ? [] : [`Paused     ${sensor.paused.reason}`]),
      ...(sensor.problem === null ? [] : [`Refused    ${sensor.problem.message}`, `           ${sensor.problem.hint}`]),
      `Every      ${durationText(sensor.minimumIntervalMs)}, for at most ${durationText(sensor.timeoutMs)}`,
      `Evaluated  ${evaluated}${sensor.failures === 0 ? "" : `, ${sensor.failures} failures in a row`}`,
      `Cursor     ${sensor.cursor === null ? "none yet" : JSON.stringify(sensor.cursor)}`,
      ...(sensor.lastTick === null ? [] : ["", ...tickLines(sensor.lastTick)]),
      "",
    ].join("\n");
  });
  return exitStatus.succeeded;
}

export async function sensorTicks(
  context: CommandContext,
  name: string,
  { limit, state, log }: { readonly limit: number; readonly state?: string; readonly log?: boolean },
): Promise<number> {
  const sensor = await found(context, name);
  const items = await context.api.list("listSensorTicks", `${pathOf(sensor)}/ticks`, { state }, limit);
  const { paint, terminal } = context;
  print(context, { items }, () => {
    if (log === true) return items.map((tick) => `${tickLines(tick).join("\n")}\n${tick.log}\n`).join("");
    return table(
      paint,
      ["TICK", "STATE", "WHEN", "WHAT"],
      items.map((tick) => [
        tick.id,
        tick.state,
        agoText(tick.endedAt ?? tick.createdAt, terminal.now()),
        `${tickText(tick)}${tick.askedBy === null ? "" : `, asked for by ${tick.askedBy}`}`,
      ]),
      [1],
    );
  });
  return exitStatus.succeeded;
}

export async function sensorSwitch(context: CommandContext, name: string, what: "start" | "stop"): Promise<number> {
  const { name: full } = await found(context, name);
  const operation = what === "start" ? "startSensor" : "stopSensor";
  const sensor = await context.api.send(operation, "POST", `${pathOf({ name: full })}/${what}`, {
    idempotencyKey: randomUUID(),
  });
  print(context, sensor, () =>
    what === "start"
      ? `${sensor.name} is on${sensor.paused === null ? "" : `, and paused: ${sensor.paused.reason}`}.\n`
      : `${sensor.name} is off; its cursor and run keys stay.\n`,
  );
  return exitStatus.succeeded;
}

/** Evaluates it now, once, and says what that came to. */
export async function sensorEvaluate(context: CommandContext, name: string): Promise<number> {
  const sensor = await found(context, name);
  let tick = await context.api.send("evaluateSensor", "POST", `${pathOf(sensor)}/evaluate`, {
    idempotencyKey: randomUUID(),
  });
  const deadlineMs = context.terminal.now() + sensor.timeoutMs + patienceMs;
  while (tick.endedAt === null) {
    if (context.terminal.now() > deadlineMs) throw notEvaluated(sensor, tick);
    await delay(followEveryMs);
    tick = await context.api.get("getSensorTick", `${pathOf(sensor)}/ticks/${tick.id}`);
  }
  const ended = tick;
  print(context, ended, () => `${tickLines(ended).join("\n")}\n${ended.log}`);
  return ended.state === "failed" ? exitStatus.failed : exitStatus.succeeded;
}

export async function sensorSetCursor(context: CommandContext, name: string, text: string): Promise<number> {
  const { name: full } = await found(context, name);
  const sensor = await context.api.send("setSensorCursor", "POST", `${pathOf({ name: full })}/cursor`, {
    body: { cursor: parsedCursor(text) },
    idempotencyKey: randomUUID(),
  });
  print(context, sensor, () => {
    const from = sensor.cursor === null ? "from the beginning" : `after ${JSON.stringify(sensor.cursor)}`;
    return `${sensor.name} goes on ${from}. Run keys that have their runs stay answered.\n`;
  });
  return exitStatus.succeeded;
}

/** JSON if it reads as JSON, else text, as a value of --set. */
function parsedCursor(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** By its whole name, or by the part after the team where that is one sensor's alone. */
async function found(context: CommandContext, name: string): Promise<Sensor> {
  if (name.includes("/")) return context.api.get("getSensor", pathOf({ name }));
  const { items } = await context.api.get("listSensors", "/sensors");
  const named = items.filter((sensor) => sensor.name.slice(sensor.name.indexOf("/") + 1) === name);
  const [only] = named;
  if (only !== undefined && named.length === 1) return only;
  const known = (only === undefined ? items : named).map((sensor) => sensor.name);
  throw new CliError(
    only === undefined ? "sensor.unknown" : "sensor.ambiguous",
    only === undefined ? `No sensor ${JSON.stringify(name)} is defined.` : `Several teams have a sensor ${name}.`,
    known.length === 0 ? "No location defines any." : `Say which: ${known.slice(0, 10).join(", ")}.`,
  );
}

function pathOf({ name }: Pick<Sensor, "name">): string {
  return `/sensors/${segment(name)}`;
}

function statusText({ status, paused, failures }: Sensor): string {
  if (status === "off") return "off";
  if (paused !== null) return "paused";
  return failures > 0 ? "failing" : "on";
}

/** In a few words. */
function tickText(tick: Tick): string {
  switch (tick.state) {
    case "launched":
      return [
        tick.runCount === 1 ? "1 run" : `${tick.runCount} runs`,
        ...(tick.repeatedCount === 0 ? [] : [`${tick.repeatedCount} had theirs already`]),
        ...(tick.refusedCount === 0 ? [] : [`${tick.refusedCount} refused`]),
      ].join(", ");
    case "skipped": {
      const times = tick.evaluationCount > 1 ? ` (${tick.evaluationCount} times)` : "";
      return `${tick.reason === "" ? "nothing to do" : tick.reason}${times}`;
    }
    case "failed":
      return tick.error === null ? "failed" : `${tick.error.message} [${tick.error.code}]`;
    case "requested":
      return "waits to be evaluated";
    case "evaluated":
      return "its runs are about to be launched";
    case "missed":
      return "missed";
  }
}

function tickLines(tick: Tick): string[] {
  return [
    `Tick ${tick.id} ${tick.state}: ${tickText(tick)}`,
    ...(tick.error === null || tick.error.hint === "" ? [] : [`  ${tick.error.hint}`]),
    ...tick.refused.map(({ runKey, partitions, message, hint }) => {
      const what = [runKey ?? "a request without a run key", partitions].filter((part) => part !== "").join(" ");
      return `  refused: ${what}: ${message}${hint === "" ? "" : `\n    ${hint}`}`;
    }),
  ];
}

function notEvaluated({ name, paused }: Sensor, tick: Tick): CliError {
  const why = paused === null ? "" : `: ${paused.reason}`;
  return new CliError(
    "sensor.not_evaluated",
    `${name} is not evaluated${why}. It is asked for, and will be.`,
    `See what it comes to: npx headgate sensor ticks ${name} (tick ${tick.id})`,
  );
}
