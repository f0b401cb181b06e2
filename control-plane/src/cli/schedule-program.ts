import type { Command } from "commander";
import { type Ask, example, idempotencyKey, json, wholeNumber } from "./command-words.ts";

export function addScheduleCommands(program: Command, ask: Ask): void {
  const schedule = program.command("schedule").description("schedules and their ticks");
  schedule
    .command("list")
    .description("schedules with their next and last tick")
    .option("--team <team>", "of this team")
    .option(...json)
    .addHelpText("after", example("schedule list --team analytics"))
    .action(
      ask(async (context, options: { team?: string }) =>
        (await import("./commands/schedule.ts")).scheduleList(context, options),
      ),
    );
  schedule
    .command("show <name>")
    .description("one schedule, and what a tick would launch now")
    .option(...json)
    .addHelpText("after", example("schedule show analytics/monthly"))
    .action(
      ask(async (context, name: string, _options: object) =>
        (await import("./commands/schedule.ts")).scheduleShow(context, name),
      ),
    );
  schedule
    .command("preview <name>")
    .description("the next ticks in local time, and what each would launch; changes nothing")
    .option("--count <n>", "how many, of at most 100", wholeNumber, 10)
    .option("--after <time>", "from then on, such as 2026-10-24T00:00:00Z; default: now")
    .option(...json)
    .addHelpText("after", example("schedule preview analytics/monthly --count 3"))
    .action(
      ask(async (context, name: string, options: { count: number; after?: string }) =>
        (await import("./commands/schedule.ts")).schedulePreview(context, name, options),
      ),
    );
  schedule
    .command("ticks <name>")
    .description("ticks that were, newest first")
    .option("--state <state>", "launched, skipped, missed or failed")
    .option("--limit <n>", "how many", wholeNumber, 20)
    .option(...json)
    .addHelpText("after", example("schedule ticks analytics/monthly --state failed"))
    .action(
      ask(async (context, name: string, options: { state?: string; limit: number }) =>
        (await import("./commands/schedule.ts")).scheduleTicks(context, name, options),
      ),
    );
  for (const [word, says] of [
    ["start", "let a schedule tick from now on; what was due while it was off stays undone"],
    ["stop", "stop a schedule; its runs go on"],
  ] as const) {
    schedule
      .command(`${word} <name>`)
      .description(`${says}; for the team that owns it`)
      .option(...idempotencyKey)
      .option(...json)
      .addHelpText("after", example(`schedule ${word} analytics/monthly`))
      .action(
        ask(async (context, name: string, options: { idempotencyKey?: string }) =>
          (await import("./commands/schedule.ts")).scheduleSwitch(context, word, name, options),
        ),
      );
  }
  schedule
    .command("trigger <name>")
    .description("launch now what a tick launches, whether it is on or off; for the team that owns it")
    .option("--at <time>", "as of then, which decides what windows have closed; default: its last instant")
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText("after", example("schedule trigger analytics/monthly"))
    .action(
      ask(async (context, name: string, options: { at?: string; idempotencyKey?: string }) =>
        (await import("./commands/schedule.ts")).scheduleTrigger(context, name, options),
      ),
    );
}
