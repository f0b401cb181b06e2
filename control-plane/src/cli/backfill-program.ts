import { type Command, Option } from "commander";
import {
  type Ask,
  example,
  idempotencyKey,
  integer,
  json,
  partitions,
  repeated,
  wholeNumber,
} from "./command-words.ts";

export function addBackfillCommands(program: Command, ask: Ask): void {
  const backfill = program.command("backfill").description("partitions that run after run makes");
  const id = "0199a7c4-5d1e-7b3a-9c55-0a4f5be1c2d3";
  backfill
    .command("create <selection>")
    .description("make partitions of assets, run after run, each after what it reads")
    .option(...partitions)
    .addOption(
      new Option("--only <status>", "only partitions with this status").choices(["missing", "failed", "blocked"]),
    )
    .option("--partitions-per-run <n>", "of each asset in one run (default 100); 1: a run for each", wholeNumber)
    .option("--tag <name=value>", "tag of its runs; may be repeated", repeated)
    .option("--priority <n>", "runs with a higher one go first", integer)
    .option("--when-open", "let its runs wait for closed gates to open")
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText("after", example("backfill create 'flights/*' --partitions 2001-01..2001-06 --only missing"))
    .action(
      ask(async (context, selection: string, options: object) =>
        (await import("./commands/backfill.ts")).backfillCreate(context, selection, options),
      ),
    );
  backfill
    .command("list")
    .description("backfills, newest first")
    .option("--state <state>", "running, paused, canceling, succeeded, failed, blocked or canceled")
    .option("--limit <n>", "how many", wholeNumber, 20)
    .option(...json)
    .addHelpText("after", example("backfill list --state running"))
    .action(
      ask(async (context, options: { state?: string; limit: number }) =>
        (await import("./commands/backfill.ts")).backfillList(context, options),
      ),
    );
  backfill
    .command("show <id>")
    .description("how a backfill stands, with its partitions by status")
    .option(...json)
    .addHelpText("after", example(`backfill show ${id}`))
    .action(
      ask(async (context, backfillId: string, _options: object) =>
        (await import("./commands/backfill.ts")).backfillShow(context, backfillId),
      ),
    );
  const change = (name: "cancel" | "pause" | "resume" | "retry", says: string): void => {
    backfill
      .command(`${name} <id>`)
      .description(says)
      .option(...idempotencyKey)
      .option(...json)
      .addHelpText("after", example(`backfill ${name} ${id}`))
      .action(
        ask(async (context, backfillId: string, options: { idempotencyKey?: string }) =>
          (await import("./commands/backfill.ts")).backfillChange(context, name, backfillId, options),
        ),
      );
  };
  change("cancel", "cancel it and its runs");
  change("pause", "create no further run of it; those there are go on");
  change("resume", "go on with one that is paused");
  change("retry", "request again what failed, was blocked or canceled");
}
