import type { Command } from "commander";
import { type Ask, example, json, wholeNumber } from "./command-words.ts";

export function addSensorCommands(program: Command, ask: Ask): void {
  const sensor = program.command("sensor").description("sensors: functions of a team that say what is to run");
  const commands = () => import("./commands/sensor.ts");
  sensor
    .command("list")
    .description("sensors, whether they are on, and what they last came to")
    .option("--team <team>", "of one team")
    .option(...json)
    .addHelpText("after", example("sensor list"))
    .action(ask(async (context, options: { team?: string }) => (await commands()).sensorList(context, options)));
  sensor
    .command("show <name>")
    .description("one sensor with its cursor and its newest tick")
    .option(...json)
    .addHelpText("after", example("sensor show flights/landing"))
    .action(ask(async (context, name: string, _options: object) => (await commands()).sensorShow(context, name)));
  sensor
    .command("ticks <name>")
    .description("what its evaluations came to, newest first")
    .option("--state <state>", "launched, skipped, failed, requested or evaluated")
    .option("--limit <n>", "how many", wholeNumber, 20)
    .option("--log", "with what each printed and logged")
    .option(...json)
    .addHelpText("after", example("sensor ticks flights/landing --state launched"))
    .action(
      ask(async (context, name: string, options: { limit: number; state?: string; log?: boolean }) =>
        (await commands()).sensorTicks(context, name, options),
      ),
    );
  for (const [what, description] of [
    ["start", "have it evaluated, whatever its definition says; for the team that owns it"],
    ["stop", "have it evaluated no more; its cursor and run keys stay"],
  ] as const) {
    sensor
      .command(`${what} <name>`)
      .description(description)
      .option(...json)
      .addHelpText("after", example(`sensor ${what} flights/landing`))
      .action(
        ask(async (context, name: string, _options: object) => (await commands()).sensorSwitch(context, name, what)),
      );
  }
  sensor
    .command("evaluate <name>")
    .description("evaluate it once, now; one that is off too. Launches what it asks for")
    .option(...json)
    .addHelpText("after", example("sensor evaluate flights/landing"))
    .action(ask(async (context, name: string, _options: object) => (await commands()).sensorEvaluate(context, name)));
  sensor
    .command("set-cursor <name> <cursor>")
    .description("where the next evaluation goes on from; null: from the beginning")
    .option(...json)
    .addHelpText("after", example("sensor set-cursor flights/landing 2001-03.csv"))
    .action(
      ask(async (context, name: string, cursor: string, _options: object) =>
        (await commands()).sensorSetCursor(context, name, cursor),
      ),
    );
}
