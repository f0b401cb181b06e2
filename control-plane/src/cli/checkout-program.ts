import { type Command, Option } from "commander";
import { example, json, repeated } from "./command-words.ts";
import type { ProcessCommands } from "./process-commands.ts";
import { dataDir, portNumber, workspace } from "./process-program.ts";

interface DiffFlags {
  readonly against: string;
  readonly workspace: string;
  readonly location?: readonly string[];
  readonly format: "text" | "markdown";
  readonly exitCode?: boolean;
  readonly json?: boolean;
}

/** Commands that look at a checkout: at the code of its locations as it lies there. */
export function addCheckoutCommands(
  program: Command,
  processes: ProcessCommands,
  ended: (status: number) => void,
): void {
  program
    .command("validate")
    .description("every definition error of a workspace, with file and line; needs no control plane: 0 none, 1 some")
    .option(...workspace)
    .option("--out <file>", "write the definitions to this file, for a later diff --against")
    .option(...json)
    .addHelpText("after", example("validate --out definitions.json"))
    .action(async (options: { workspace: string; out?: string; json?: boolean }) => {
      const { out, json: asJson = false } = options;
      ended(await processes.validate({ workspace: options.workspace, out, json: asJson }));
    });
  program
    .command("diff")
    .description("what the definitions of this checkout add, remove, change, un-export and weaken")
    .requiredOption("--against <url or file>", "a control plane, or a file of validate --out")
    .option(...workspace)
    .option("--location <name>", "compare this location alone; may be repeated", repeated)
    .addOption(
      new Option("--format <format>", "for a terminal, or for a pull request")
        .choices(["text", "markdown"])
        .default("text"),
    )
    .option("--exit-code", "end with 1 if something is removed, un-exported, refused or weakened")
    .option(...json)
    .addHelpText("after", example("diff --against https://headgate.example.com --format markdown --exit-code"))
    .action(async (options: DiffFlags) => {
      const { location: locations = [], exitCode = false, json: asJson = false, ...rest } = options;
      ended(await processes.diff({ ...rest, locations, exitCode, json: asJson }));
    });
  program
    .command("doctor")
    .description("look at this machine and this checkout, a remedy a line: 0 nothing fails, 1 something does")
    .option(...workspace)
    .option(...dataDir)
    .option("--port <port>", "of the API", portNumber, 3_000)
    .option(...json)
    .addHelpText("after", example("doctor"))
    .action(async (options: { workspace: string; dataDir: string; port: number; json?: boolean }) => {
      ended(await processes.doctor({ ...options, json: options.json === true }));
    });
}
