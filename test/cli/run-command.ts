import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { runCli } from "../../control-plane/src/cli/run-cli.ts";
import type { ProcessCommands } from "../../control-plane/src/cli/process-commands.ts";

export interface Said {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export interface TerminalOptions {
  readonly env?: Record<string, string>;
  readonly interactive?: boolean;
  readonly processes?: Partial<ProcessCommands>;
  /** Resolves when the user presses Ctrl-C. */
  readonly interrupt?: Promise<void>;
}

/** The command line in this process, on a terminal that is written down. */
export async function command(url: string, args: readonly string[], options: TerminalOptions = {}): Promise<Said> {
  let out = "";
  let err = "";
  const refuse = () => Promise.reject(new Error("this test starts no process"));
  const status = await runCli(
    args,
    {
      out: (text) => (out += text),
      err: (text) => (err += text),
      interactive: options.interactive ?? false,
      columns: 100,
      colors: false,
      env: { HEADGATE_URL: url, ...options.env },
      now: () => Date.now(),
      onInterrupt: (callback) => {
        void options.interrupt?.then(callback);
        return () => undefined;
      },
    },
    {
      dev: refuse,
      api: refuse,
      daemon: refuse,
      serve: refuse,
      migrate: refuse,
      verify: refuse,
      validate: refuse,
      try: refuse,
      newLocation: refuse,
      diff: refuse,
      doctor: refuse,
      ...options.processes,
    },
    "1.2.3",
  );
  return { status, out, err };
}

const bin = fileURLToPath(new URL("../../control-plane/bin/headgate.mjs", import.meta.url));

/** The command line as users run it: a process of its own, from what was built. */
export function headgate(url: string, args: readonly string[]): { child: ChildProcess; said: Promise<Said> } {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { ...process.env, HEADGATE_URL: url, HEADGATE_TOKEN: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => (out += String(chunk)));
  child.stderr?.on("data", (chunk) => (err += String(chunk)));
  const said = once(child, "close").then(([code]) => ({ status: code as number, out, err }));
  return { child, said };
}
