import type { Command } from "commander";
import { type Ask, example, json } from "./command-words.ts";

export function addQueueCommands(program: Command, ask: Ask): void {
  program
    .command("queue")
    .description("the run queue: teams with their shares, and limits")
    .option(...json)
    .addHelpText("after", example("queue"))
    .action(ask(async (context, _options: object) => (await import("./commands/queue.ts")).queueShow(context)));
}
