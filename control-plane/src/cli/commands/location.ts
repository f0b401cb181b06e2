import type { Answer, Routes } from "../../http/contract.ts";
import { segment } from "../api-client.ts";
import { type CommandContext, print } from "../command-context.ts";
import { agoText } from "../duration-text.ts";
import { exitStatus } from "../exit-status.ts";
import { type Paint, colorOf } from "../paint.ts";
import { printable } from "../printable.ts";
import { table } from "../table.ts";

type Location = Answer<Routes["getLocation"]>;

export async function locationList(context: CommandContext): Promise<number> {
  const answer = await context.api.get("listLocations", "/locations");
  print(context, answer, () =>
    [
      table(
        context.paint,
        ["LOCATION", "TEAM", "STATE", "ASSETS", "CHECKS", "PROBLEMS", "SEEN"],
        answer.items.map((location) => [
          location.name,
          location.team,
          location.removed ? "removed" : location.state,
          String(location.assets),
          String(location.checks),
          String(location.problems.length + (location.error === null ? 0 : 1)),
          location.lastSeenAt === null ? "" : agoText(location.lastSeenAt, context.terminal.now()),
        ]),
        [2],
      ),
      ...answer.problems.map(
        ({ file, line, column, message, hint }) =>
          context.paint("red", `${file}:${line ?? 1}:${column ?? 1}: ${message}`) + `\n  ${hint}\n`,
      ),
    ].join(""),
  );
  return exitStatus.succeeded;
}

export async function locationShow(context: CommandContext, name: string): Promise<number> {
  const location = await context.api.get("getLocation", `/locations/${segment(name)}`);
  print(context, location, () => locationText(context.paint, location, context.terminal.now()));
  return exitStatus.succeeded;
}

function locationText(paint: Paint, location: Location, nowMs: number): string {
  return [
    `${paint("bold", location.name)}  ${paint(colorOf(location.state), location.removed ? "removed" : location.state)}`,
    `team ${location.team}, ${location.assets} assets, ${location.checks} checks`,
    ...(location.address === null
      ? []
      : [`at ${location.address}${location.pid === null ? "" : `, pid ${location.pid}`}`]),
    ...(location.lastSeenAt === null ? [] : [`last seen ${agoText(location.lastSeenAt, nowMs)}`]),
    ...(location.error === null
      ? []
      : [paint("red", printable(location.error.message)), `  ${printable(location.error.hint)}`]),
    ...location.problems.flatMap((problem) => problemLines(paint("red", problem.key), problem)),
    ...location.warnings.flatMap((warning) => problemLines(`${paint("yellow", warning.key)}: warning`, warning)),
    "",
  ].join("\n");
}

function problemLines(about: string, { message, hint, file, line }: Location["problems"][number]): string[] {
  const at = file === null ? "" : ` (${file}:${line ?? 1})`;
  return ["", `${about}${at}`, `  ${printable(message)}`, `  ${printable(hint)}`];
}

export async function locationReload(context: CommandContext, name: string): Promise<number> {
  const answer = await context.api.send("reloadLocation", "POST", `/locations/${segment(name)}/reload`);
  print(context, answer, () => `${name} is asked for its definitions. See: npx headgate location show ${name}\n`);
  return exitStatus.succeeded;
}
