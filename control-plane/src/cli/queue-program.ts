import type { Command } from "commander";
import { type Ask, example, idempotencyKey, json } from "./command-words.ts";

export function addQueueCommands(program: Command, ask: Ask): void {
  program
    .command("queue")
    .description("the run queue: teams with their shares, and limits")
    .option(...json)
    .addHelpText("after", example("queue"))
    .action(ask(async (context, _options: object) => (await import("./commands/queue.ts")).queueShow(context)));
  const pool = program.command("pool").description("pools: how many steps may use something at once");
  pool
    .command("list")
    .description("pools, how many slots they have and how many are held")
    .option(...json)
    .addHelpText("after", example("pool list"))
    .action(ask(async (context, _options: object) => (await import("./commands/pool.ts")).poolList(context)));
  pool
    .command("show <pool>")
    .description("one pool, and which steps have its slots")
    .option(...json)
    .addHelpText("after", example("pool show warehouse"))
    .action(
      ask(async (context, name: string, _options: object) =>
        (await import("./commands/pool.ts")).poolShow(context, name),
      ),
    );
  pool
    .command("set <pool> <slots>")
    .description("set how many slots it has, or unlimited; for operators")
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText("after", example("pool set warehouse 4"))
    .action(
      ask(async (context, name: string, slots: string, options: { idempotencyKey?: string }) =>
        (await import("./commands/pool.ts")).poolSet(context, name, slots, options),
      ),
    );
}
