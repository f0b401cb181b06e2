import { Command } from "commander";
import { apiClient } from "./api-client.ts";
import type { CommandContext } from "./command-context.ts";
import {
  type Ask,
  detach,
  example,
  idempotencyKey,
  integer,
  json,
  partition,
  partitions,
  repeated,
  wait,
  wholeNumber,
} from "./command-words.ts";
import { addCheckoutCommands } from "./checkout-program.ts";
import { addBackfillCommands } from "./backfill-program.ts";
import { addQueueCommands } from "./queue-program.ts";
import { addRunCommands, addWorkspaceCommands } from "./run-program.ts";
import { addProcessCommands } from "./process-program.ts";
import { addScheduleCommands } from "./schedule-program.ts";
import type { ProcessCommands } from "./process-commands.ts";
import { painter } from "./paint.ts";
import { addTryCommand } from "./try-program.ts";
import type { Terminal } from "./terminal.ts";

export interface ProgramOptions {
  readonly version: string;
  readonly terminal: Terminal;
  readonly processes: ProcessCommands;
  /** Called with the exit status of the command that ran. */
  readonly ended: (status: number) => void;
}

/** The command line. Commands that ask a control plane are loaded when called, like all others. */
export function buildProgram(options: ProgramOptions): Command {
  const { terminal, version, processes, ended } = options;
  const program = new Command("headgate")
    .description("Nothing flows downstream until the checks pass.")
    .version(version)
    .showHelpAfterError("(--help says more)")
    .enablePositionalOptions()
    .addHelpText(
      "after",
      "\nHEADGATE_URL names the control plane (default http://127.0.0.1:3000), HEADGATE_TOKEN the token for it.",
    );
  const ask: Ask =
    (run) =>
    async (...args) => {
      const command = args.pop() as Command;
      const given = command.opts<{ json?: boolean }>();
      // Commander passes the arguments, then the options.
      const positional = args.slice(0, -1);
      const context: CommandContext = {
        api: apiClient(terminal.env),
        terminal,
        paint: painter(terminal.colors),
        json: given.json === true,
      };
      const call = run as (context: CommandContext, ...rest: unknown[]) => Promise<number>;
      ended(await call(context, ...positional, given));
    };
  addLaunchCommands(program, ask);
  addReportCommands(addAssetCommands(program, ask), addGateCommands(program, ask), ask);
  addRunCommands(program, ask);
  addQueueCommands(program, ask);
  addScheduleCommands(program, ask);
  addBackfillCommands(program, ask);
  addWorkspaceCommands(program, ask);
  addProcessCommands(program, processes, terminal, ended);
  addCheckoutCommands(program, processes, ended);
  addTryCommand(program, processes, terminal, ended);
  return program;
}

function addLaunchCommands(program: Command, ask: Ask): void {
  program
    .command("materialize <selection>")
    .description("launch a run and follow it: 0 succeeded, 1 failed, 2 refused, 3 blocked, 4 canceled")
    .option(...partitions)
    .option(...partition)
    .option("--set <asset.field=value>", "config of one asset; may be repeated", repeated)
    .option("--config <file>", "config by asset key, in YAML or JSON")
    .option("--tag <name=value>", "tag of the run; may be repeated", repeated)
    .option("--priority <n>", "runs with a higher one go first", integer)
    .option("--when-open", "wait for closed gates to open")
    .option(...detach)
    .option(...wait)
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText("after", example("materialize '+analytics/half_year_summary' --partitions 2001-01..2001-06"))
    .action(
      ask(async (context, selection: string, options: object) =>
        (await import("./commands/materialize.ts")).materialize(context, selection, options),
      ),
    );
  program
    .command("plan <selection>")
    .description("what would run, and what would be blocked and why; changes nothing")
    .option(...partitions)
    .option(...partition)
    .option("--exit-code", "end with 3 if anything would be blocked")
    .option(...json)
    .addHelpText("after", example("plan 'analytics/*' --partitions 2001-07"))
    .action(
      ask(async (context, selection: string, options: object) =>
        (await import("./commands/plan.ts")).plan(context, selection, options),
      ),
    );
  program
    .command("why <asset>")
    .description("why it was made, was not, or is blocked, to the root; and what opens it")
    .option(...partition)
    .option(...json)
    .option("--tree", "its automation condition part by part")
    .addHelpText("after", example("why analytics/route_delays --partition 2001-07"))
    .action(
      ask(async (context, asset: string, options: { partition?: string; tree?: boolean }) =>
        (await import("./commands/why.ts")).why(context, asset, options),
      ),
    );
}

function addAssetCommands(program: Command, ask: Ask): Command {
  const asset = program.command("asset").description("assets and their versions");
  asset
    .command("list [selection]")
    .description("assets with the status of their partitions")
    .option(...json)
    .addHelpText("after", example("asset list 'team:flights and status:failed'"))
    .action(
      ask(async (context, selection: string | undefined, _options: object) =>
        (await import("./commands/asset.ts")).assetList(context, selection),
      ),
    );
  asset
    .command("show <asset>")
    .description("definition, checks and partitions of one asset")
    .option(...json)
    .addHelpText("after", example("asset show flights/clean_flights"))
    .action(
      ask(async (context, key: string, _options: object) =>
        (await import("./commands/asset.ts")).assetShow(context, key),
      ),
    );
  asset
    .command("versions <asset>")
    .description("versions, newest first")
    .option(...partition)
    .option("--limit <n>", "how many", wholeNumber, 50)
    .option(...json)
    .addHelpText("after", example("asset versions flights/raw_flights --partition 2001-07"))
    .action(
      ask(async (context, key: string, options: { partition?: string; limit: number }) =>
        (await import("./commands/asset.ts")).assetVersions(context, key, options),
      ),
    );
  asset
    .command("discard <asset[@version]>")
    .description("discard the newest version of a partition: the one before is the newest again")
    .option(...partition)
    .requiredOption("--reason <text>", "why, for the audit")
    .option(...json)
    .addHelpText("after", example("asset discard flights/clean_flights --partition 2001-02 --reason 'wrong time zone'"))
    .action(
      ask(async (context, target: string, options: { partition?: string; reason: string }) =>
        (await import("./commands/asset.ts")).assetDiscard(context, target, options),
      ),
    );
  asset
    .command("restore <asset@version>")
    .description("take a discarded version back")
    .option(...json)
    .addHelpText("after", example("asset restore flights/clean_flights@0199a7c4-5d1e-7b3a-9c55-0a4f5be1c2d3"))
    .action(
      ask(async (context, target: string, _options: object) =>
        (await import("./commands/asset.ts")).assetRestore(context, target),
      ),
    );
  asset
    .command("delete <asset>")
    .description("delete an asset that no location defines any more, with its history; stored values stay")
    .option("--confirm <key>", "the asset's key once more; without it nothing is deleted")
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText("after", example("asset delete flights/old_report --confirm flights/old_report"))
    .action(
      ask(async (context, key: string, options: object) =>
        (await import("./commands/asset-delete.ts")).assetDelete(context, key, options),
      ),
    );
  return asset;
}

function addReportCommands(asset: Command, check: Command, ask: Ask): void {
  asset
    .command("report <asset>")
    .description("report a version of an external asset, or with --observation what was seen of it")
    .option(...partition)
    .option("--data-version <text>", "which data it is: a digest, an ETag, a modification time")
    .option("--observation", "a version only if the data version is another one; without a value")
    .option("--value <json>", "where the value is: { scheme, place, mediaType?, digest?, sizeBytes? }")
    .option("--metadata <name=value>", "figure or text of the version; may be repeated", repeated)
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText(
      "after",
      example("asset report orders/erp_export --data-version 2026-11-25T04:00:00Z --metadata rows=1204"),
    )
    .action(
      ask(async (context, key: string, options: object) =>
        (await import("./commands/report.ts")).assetReport(context, key, options),
      ),
    );
  check
    .command("report <asset[@version]> <check>")
    .description("report a verdict on a version of an external asset")
    .requiredOption("--outcome <outcome>", "passed, warned or failed")
    .option("--version <id>", "of this version; default: the newest of the partition")
    .option(...partition)
    .option("--description <text>", "what was found")
    .option("--metadata <name=value>", "figure or text of the result; may be repeated", repeated)
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText("after", example("check report orders/erp_export row_count --outcome passed --metadata rows=1204"))
    .action(
      ask(async (context, target: string, name: string, options: { outcome: string }) =>
        (await import("./commands/report.ts")).checkReport(context, target, name, options),
      ),
    );
}

function addGateCommands(program: Command, ask: Ask): Command {
  const check = program.command("check").description("checks and their results");
  check
    .command("list [selection]")
    .description("checks with their latest result")
    .option(...json)
    .addHelpText("after", example("check list flights/clean_flights"))
    .action(
      ask(async (context, selection: string | undefined, _options: object) =>
        (await import("./commands/check.ts")).checkList(context, selection),
      ),
    );
  check
    .command("run <asset> [check]")
    .description("run checks on versions that exist; ends like materialize")
    .option("--version <id>", "of this version; default: the newest of each partition")
    .option(...partitions)
    .option(...partition)
    .option(...detach)
    .option(...wait)
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText("after", example("check run flights/raw_flights enough_rows --partitions 2001-07"))
    .action(
      ask(async (context, asset: string, name: string | undefined, options: object) =>
        (await import("./commands/check.ts")).checkRun(context, asset, name, options),
      ),
    );
  program
    .command("waive <asset[@version]>")
    .description("accept a version although a check holds its gate closed; for the check's owner")
    .option(...partition)
    .option("--check <name>", "may be left out when exactly one check holds it closed; another team's: team:name")
    .requiredOption("--reason <text>", "why this is acceptable, for the audit")
    .option("--until <span or time>", "when the waiver ends by itself", "7d")
    .option(...idempotencyKey)
    .option(...json)
    .addHelpText(
      "after",
      example("waive flights/raw_flights --partition 2001-07 --check enough_rows --reason 'short month' --until 7d"),
    )
    .action(
      ask(async (context, target: string, options: { reason: string; until: string }) =>
        (await import("./commands/waiver.ts")).waive(context, target, options),
      ),
    );
  const waiver = program.command("waiver").description("waivers that are in force");
  waiver
    .command("list")
    .description("waivers, newest first")
    .option("--asset <key>", "of this asset")
    .option("--all", "those that have ended too")
    .option(...json)
    .addHelpText("after", example("waiver list --asset flights/raw_flights"))
    .action(
      ask(async (context, options: object) => (await import("./commands/waiver.ts")).waiverList(context, options)),
    );
  waiver
    .command("revoke <id>")
    .description("end a waiver at once: the gate closes again")
    .option(...json)
    .addHelpText("after", example("waiver revoke 0199a7c4-5d1e-7b3a-9c55-0a4f5be1c2d3"))
    .action(
      ask(async (context, id: string, _options: object) =>
        (await import("./commands/waiver.ts")).waiverRevoke(context, id),
      ),
    );
  return check;
}
