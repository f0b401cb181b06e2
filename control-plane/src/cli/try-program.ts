import type { Command } from "commander";
import { example, json, partition, repeated } from "./command-words.ts";
import type { ProcessCommands } from "./process-commands.ts";
import { dataDir, workspace } from "./process-program.ts";
import type { Terminal } from "./terminal.ts";

interface TryFlags {
  readonly partition?: string;
  readonly from?: string;
  readonly attempt?: string;
  readonly inspect?: boolean;
  readonly set?: readonly string[];
  readonly config?: string;
  readonly workspace: string;
  readonly dataDir: string;
  readonly json?: boolean;
}

/** Tries one asset of a checkout. */
export function addTryCommand(
  program: Command,
  processes: ProcessCommands,
  terminal: Terminal,
  ended: (status: number) => void,
): void {
  program
    .command("try <asset>")
    .description(
      "compute and check one asset here and now, from the checkout; records nothing: 0 succeeded, 1 failed, 2 refused, 3 blocked, 4 canceled",
    )
    .option(...partition)
    .option("--from <url>", "the control plane whose validated versions are read (default: HEADGATE_URL)")
    .option("--attempt <id>", "read exactly what this attempt read")
    .option("--inspect", "wait for a debugger, and stop before compute")
    .option("--set <asset.field=value>", "config of the asset; may be repeated", repeated)
    .option("--config <file>", "config by asset key, in YAML or JSON")
    .option(...workspace)
    .option(...dataDir)
    .option(...json)
    .addHelpText("after", example("try flights/clean_flights --partition 2001-02"))
    .action(async (asset: string, flags: TryFlags) => {
      ended(
        await processes.try({
          asset,
          partition: flags.partition,
          workspace: flags.workspace,
          dataDir: flags.dataDir,
          url: flags.from ?? terminal.env["HEADGATE_URL"] ?? "http://127.0.0.1:3000",
          token: terminal.env["HEADGATE_TOKEN"],
          attempt: flags.attempt,
          inspect: flags.inspect === true,
          configFile: flags.config,
          settings: flags.set ?? [],
          json: flags.json === true,
        }),
      );
    });
}
