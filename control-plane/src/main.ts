import packageJson from "../package.json" with { type: "json" };
import type { ProcessCommands } from "./cli/process-commands.ts";
import { runCli } from "./cli/run-cli.ts";
import { processTerminal } from "./cli/terminal.ts";

/*
 * The composition root. Commands that are a process of Headgate are loaded when they are called, so that the commands
 * that only ask one start at once.
 */
const processes: ProcessCommands = {
  async dev(options) {
    const [{ dev }, { headgateCommand }] = await Promise.all([
      import("./processes/dev.ts"),
      import("./launchers/headgate-command.ts"),
    ]);
    return dev({ ...options, command: headgateCommand() });
  },
  async api({ tokens, ...options }) {
    const [{ api }, { parseTokens }] = await Promise.all([import("./processes/api.ts"), import("./http/tokens.ts")]);
    return api({ ...options, tokens: tokens === undefined ? undefined : parseTokens(tokens) });
  },
  async daemon(options) {
    return (await import("./processes/daemon.ts")).daemon(options);
  },
  async serve(options) {
    return (await import("./cli/commands/serve.ts")).serve(options);
  },
  async migrate(options) {
    return (await import("./cli/commands/migrate.ts")).migrate(options);
  },
  async verify(options) {
    return (await import("./cli/commands/verify.ts")).verify(options);
  },
  async try(options) {
    return (await import("./cli/commands/try.ts")).tryAsset(options);
  },
  async validate(options) {
    return (await import("./cli/commands/validate.ts")).validate(options);
  },
  async newLocation(options) {
    return (await import("./cli/commands/new-location.ts")).newLocation(options);
  },
  async diff(options) {
    return (await import("./cli/commands/diff.ts")).diff(options);
  },
  async doctor(options) {
    return (await import("./cli/commands/doctor.ts")).doctor(options);
  },
};

/** Runs the command line of this process; the exit status is set when it has ended. */
export async function main(): Promise<void> {
  const status = await runCli(process.argv.slice(2), processTerminal(), processes, packageJson.version);
  // What is still buffered for a pipe is written before the process ends.
  process.exitCode = status;
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  process.exit(status);
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write("", () => resolve());
  });
}
