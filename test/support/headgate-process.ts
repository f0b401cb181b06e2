import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const headgate = fileURLToPath(new URL("../../control-plane/bin/headgate.mjs", import.meta.url));
const outputCharsMax = 1_000_000;

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  readonly cwd: string;
  /** Beside what a shell would give it; nothing of Headgate's or of the test runner's is inherited. */
  readonly env: Readonly<Record<string, string>>;
}

/** One process of `headgate`, as a user starts it. */
export class HeadgateProcess {
  readonly args: readonly string[];
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #stdout = "";
  #stderr = "";
  #exit: ProcessExit | undefined;

  constructor(args: readonly string[], { cwd, env }: ProcessOptions) {
    this.args = args;
    this.#child = spawn(process.execPath, [headgate, ...args], {
      cwd,
      env: { ...inherited(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-outputCharsMax);
      this.#wake();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-outputCharsMax);
      this.#wake();
    });
    this.exited = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      // Not "exit": what it wrote last is part of what it said. A process that it left holds no pipe of its own.
      this.#child.on("close", (code, signal) => {
        this.#exit = { code, signal };
        this.#wake();
        resolve({ code, signal });
      });
    });
    this.exited.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get isOver(): boolean {
    return this.#exit !== undefined;
  }

  /** Resolves with the first match in what it wrote to stdout. */
  async said(pattern: RegExp, withinMs = 60_000): Promise<RegExpExecArray> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const match = pattern.exec(this.#stdout);
      if (match !== null) return match;
      const left = deadline - performance.now();
      if (this.#exit !== undefined) throw new Error(`${this.describe()} ended with ${exitText(this.#exit)}`);
      if (left <= 0) throw new Error(`${this.describe()} did not say ${String(pattern)} within ${withinMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, left);
        const waiting = this.#waiting;
        waiting.add(done);
        function done() {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
      });
    }
  }

  /** Sends a signal and resolves once the process is gone; kills it if that takes longer than `withinMs`. */
  async end(signal: NodeJS.Signals, withinMs = 20_000): Promise<ProcessExit> {
    this.#child.kill(signal);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#child.kill("SIGKILL");
    }, withinMs);
    const exit = await this.exited.finally(() => clearTimeout(timer));
    if (late) throw new Error(`${this.describe()} did not end within ${withinMs} ms after ${signal}`);
    return exit;
  }

  /** For messages: the command line and the end of what it wrote. */
  describe(): string {
    const tail = `${this.#stdout.slice(-2_000)}\n${this.#stderr.slice(-4_000)}`.trim();
    return `headgate ${this.args.join(" ")} (pid ${this.pid})\n${tail}\n`;
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

export interface CommandOutcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function runHeadgate(
  args: readonly string[],
  options: ProcessOptions & { readonly withinMs?: number },
): Promise<CommandOutcome> {
  const running = new HeadgateProcess(args, options);
  const withinMs = options.withinMs ?? 60_000;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void running.end("SIGKILL");
  }, withinMs);
  const { code } = await running.exited.finally(() => clearTimeout(timer));
  if (late) throw new Error(`${running.describe()} did not end within ${withinMs} ms`);
  return { status: code, stdout: running.stdout, stderr: running.stderr };
}

function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(HEADGATE_|VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$)/.test(name)),
  );
}

function exitText({ code, signal }: ProcessExit): string {
  return String(code ?? signal);
}
