/** Where a command reads its settings and writes what it has to say. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** True where lines may be redrawn. */
  readonly interactive: boolean;
  readonly columns: number;
  readonly colors: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Unix milliseconds. */
  now(): number;
  /** Calls back at Ctrl-C until the returned function is called. */
  onInterrupt(callback: () => void): () => void;
}

export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  // A reader that went away (`| head`) is no fault of the command.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    interactive: stdout.isTTY === true && env["TERM"] !== "dumb",
    get columns() {
      // 0 where the size is not known, and another after the window was resized.
      return stdout.columns || 100;
    },
    colors: stdout.isTTY === true && env["NO_COLOR"] === undefined && env["TERM"] !== "dumb",
    env,
    now: () => Date.now(),
    onInterrupt(callback) {
      process.on("SIGINT", callback);
      return () => process.off("SIGINT", callback);
    },
  };
}
