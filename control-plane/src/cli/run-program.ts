import type { Command } from "commander";
import { type Ask, detach, example, idempotencyKey, json, partition, wait, wholeNumber } from "./command-words.ts";
import { addSensorCommands } from "./sensor-program.ts";

export function addRunCommands(program: Command, ask: Ask): void {
  const run = program.command("run").description("runs");
  const id = "0199a7c4-5d1e-7b3a-9c55-0a4f5be1c2d3";
  run
    .command("list")
    .description("runs, newest first")
    .option("--state <state>", "queued, started, canceling, succeeded, failed, blocked or canceled")
    .option("--asset <key>", "with a step of this asset")
    .option("--limit <n>", "how many", wholeNumber, 20)
    .option(...json)
    .addHelpText("after", example("run list --state blocked"))
    .action(
      ask(async (context, options: { limit: number }) => (await import("./commands/run.ts")).runList(context, options)),
    );
  run
    .command("show <id>")
    .description("how a run stands, with what failed and what is blocked")
    .option(...json)
    .addHelpText("after", example(`run show ${id}`))
    .action(
      ask(async (context, runId: string, _options: object) =>
        (await import("./commands/run.ts")).runShow(context, runId),
      ),
    );
  run
    .command("explain <id>")
    .description("why it waits, and what of it")
    .option(...json)
    .addHelpText("after", example(`run explain ${id}`))
    .action(
      ask(async (context, runId: string, _options: object) =>
        (await import("./commands/run.ts")).runExplain(context, runId),
      ),
    );
  run
    .command("events <id>")
    .description("what happened, in order")
    .option(...json)
    .addHelpText("after", example(`run events ${id}`))
    .action(
      ask(async (context, runId: string, _options: object) =>
        (await import("./commands/run.ts")).runEvents(context, runId),
      ),
    );
  run
    .command("logs <id>")
    .description("what its steps printed and logged")
    .option("--step <step>", "index of a step, or an asset key")
    .option(...partition)
    .option("--attempt <n>", "of this attempt, from 1", wholeNumber)
    .option("--stderr", "stderr alone")
    .option("--follow", "until the run has ended")
    .option(...json)
    .addHelpText("after", example(`run logs ${id} --step flights/raw_flights --follow`))
    .action(
      ask(async (context, runId: string, options: object) =>
        (await import("./commands/run.ts")).runLogs(context, runId, options),
      ),
    );
  addRunChanges(run, ask, id);
}

function addRunChanges(run: Command, ask: Ask, id: string): void {
  run
    .command("cancel <id>")
    .description("cancel a run; steps under way are told to stop")
    .option(...json)
    .addHelpText("after", example(`run cancel ${id}`))
    .action(
      ask(async (context, runId: string, _options: object) =>
        (await import("./commands/run.ts")).runCancel(context, runId),
      ),
    );
  run
    .command("retry <id>")
    .description("launch it again; ends like materialize")
    .option("--from-failure", "only the steps that did not succeed")
    .option(...detach)
    .option(...wait)
    .option(...json)
    .addHelpText("after", example(`run retry ${id} --from-failure`))
    .action(
      ask(async (context, runId: string, options: object) =>
        (await import("./commands/run.ts")).runRetry(context, runId, options),
      ),
    );
}

export function addWorkspaceCommands(program: Command, ask: Ask): void {
  const location = program.command("location").description("code locations");
  location
    .command("list")
    .description("code locations and their state")
    .option(...json)
    .addHelpText("after", example("location list"))
    .action(ask(async (context, _options: object) => (await import("./commands/location.ts")).locationList(context)));
  location
    .command("show <name>")
    .description("one code location with what is wrong with its definitions")
    .option(...json)
    .addHelpText("after", example("location show flights"))
    .action(
      ask(async (context, name: string, _options: object) =>
        (await import("./commands/location.ts")).locationShow(context, name),
      ),
    );
  location
    .command("reload <name>")
    .description("ask for its definitions again")
    .option(...json)
    .addHelpText("after", example("location reload flights"))
    .action(
      ask(async (context, name: string, _options: object) =>
        (await import("./commands/location.ts")).locationReload(context, name),
      ),
    );
  addOwnerCommands(program, ask);
  addPartitionCommands(program, ask);
  addSensorCommands(program, ask);
  program
    .command("team")
    .description("teams")
    .command("list")
    .description("teams, what they own and how to reach them")
    .option(...json)
    .addHelpText("after", example("team list"))
    .action(ask(async (context, _options: object) => (await import("./commands/team.ts")).teamList(context)));
  program
    .command("audit")
    .description("who changed what")
    .command("list")
    .description("changes, newest first")
    .option("--actor <name>", "by this actor")
    .option("--action <action>", "for example waiver.create")
    .option("--subject <subject>", "an asset key or the id of a run")
    .option("--limit <n>", "how many", wholeNumber, 50)
    .option(...json)
    .addHelpText("after", example("audit list --action waiver.create"))
    .action(
      ask(async (context, options: { limit: number }) =>
        (await import("./commands/audit.ts")).auditList(context, options),
      ),
    );
}

function addPartitionCommands(program: Command, ask: Ask): void {
  const partition = program.command("partition").description("dynamic partitions: sets of keys that come and go");
  partition
    .command("list [set]")
    .description("the sets that assets are cut by, or the keys of one, in the order in which they were added")
    .option("--limit <n>", "how many keys", wholeNumber, 100)
    .option(...json)
    .addHelpText("after", example("partition list flights/customers"))
    .action(
      ask(async (context, set: string | undefined, options: { limit: number }) =>
        (await import("./commands/partition.ts")).partitionList(context, set, options),
      ),
    );
  partition
    .command("add <set> <keys...>")
    .description("add keys to a set; for the team that owns it")
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText("after", example("partition add flights/customers acme globex"))
    .action(
      ask(async (context, set: string, keys: string[], options: { idempotencyKey?: string }) =>
        (await import("./commands/partition.ts")).partitionAdd(context, set, keys, options),
      ),
    );
  partition
    .command("remove <set> <keys...>")
    .description("remove keys from a set; versions that were made of them stay")
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText("after", example("partition remove flights/customers acme"))
    .action(
      ask(async (context, set: string, keys: string[], options: { idempotencyKey?: string }) =>
        (await import("./commands/partition.ts")).partitionRemove(context, set, keys, options),
      ),
    );
}

function addOwnerCommands(program: Command, ask: Ask): void {
  const owner = program.command("owner").description("which location of a team an asset belongs to");
  owner
    .command("transfer <asset>")
    .description("move an asset to another location of its team, which defines it already")
    .requiredOption("--to <location>", "the code location that gets it")
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText("after", example("owner transfer flights/airports --to flights-reference"))
    .action(
      ask(async (context, asset: string, options: { to: string; idempotencyKey?: string }) =>
        (await import("./commands/owner.ts")).ownerTransfer(context, asset, options),
      ),
    );
  owner
    .command("release <asset>")
    .description("take an asset from a location that is gone or no longer defines it")
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText("after", example("owner release flights/airports"))
    .action(
      ask(async (context, asset: string, options: { idempotencyKey?: string }) =>
        (await import("./commands/owner.ts")).ownerRelease(context, asset, options),
      ),
    );
}
