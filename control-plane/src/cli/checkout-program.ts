import type { Command } from "commander";
import { example, json } from "./command-words.ts";
import type { ProcessCommands } from "./process-commands.ts";
import { workspace } from "./process-program.ts";

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
}
