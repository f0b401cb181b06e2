import { type Command, CommanderError } from "commander";
import { CliError } from "./cli-error.ts";
import { exitStatus } from "./exit-status.ts";
import { painter } from "./paint.ts";
import { printable } from "./printable.ts";
import type { ProcessCommands } from "./process-commands.ts";
import { buildProgram } from "./program.ts";
import type { Terminal } from "./terminal.ts";

/** Runs one command line and returns the exit status; what went wrong is said on stderr with what mends it. */
export async function runCli(
  args: readonly string[],
  terminal: Terminal,
  processes: ProcessCommands,
  version: string,
): Promise<number> {
  let status: number = exitStatus.succeeded;
  const program = buildProgram({ version, terminal, processes, ended: (code) => (status = code) });
  const prepare = (command: Command): void => {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
    });
    command.commands.forEach((child) => prepare(child));
  };
  prepare(program);
  try {
    await program.parseAsync([...args], { from: "user" });
    return status;
  } catch (error) {
    return failed(error, args, terminal);
  }
}

function failed(error: unknown, args: readonly string[], terminal: Terminal): number {
  if (error instanceof CommanderError) {
    // Commander has said it; help that was asked for is no mistake.
    const asked = error.code === "commander.helpDisplayed" || error.code === "commander.version";
    return asked ? exitStatus.succeeded : exitStatus.refused;
  }
  const paint = painter(terminal.colors);
  const { code, hint } = error as { code?: unknown; hint?: unknown };
  if (error instanceof Error && typeof code === "string" && typeof hint === "string") {
    if (args.includes("--json")) terminal.err(`${JSON.stringify({ code, message: error.message, hint })}\n`);
    else terminal.err(`${paint("red", printable(error.message))}\n${hint === "" ? "" : `${printable(hint)}\n`}`);
    return error instanceof CliError ? exitStatus.refused : exitStatus.failed;
  }
  if (error instanceof Error && typeof code === "string") {
    // From Postgres or the operating system: what it says is the answer, and where in our code is not.
    terminal.err(`${paint("red", printable(error.message))} (${printable(code)})\n`);
    return exitStatus.failed;
  }
  terminal.err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return exitStatus.failed;
}
