import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { FromWorker, ToWorker } from "../step/worker-protocol.ts";
import { workerEntry } from "../worker-entry.ts";

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface WorkerListener {
  message(message: FromWorker): void;
  /** What native code, or user code outside an attempt, wrote to the file descriptors. */
  output(stream: "stdout" | "stderr", body: Buffer): void;
  /** After the last message and the last output. */
  exit(exit: WorkerExit): void;
}

/** A worker process, from the serving process's side. */
export class WorkerProcess {
  readonly #child: ChildProcess;

  /** `dialsOut`: false for a process that imports code and runs none of it. */
  constructor(listener: WorkerListener, dialsOut: boolean) {
    const { NODE_EXTRA_CA_CERTS, ...environment } = process.env;
    // Reading extra certificates costs a start 75 ms or more; only a process that opens connections needs them.
    if (dialsOut && NODE_EXTRA_CA_CERTS !== undefined) environment["NODE_EXTRA_CA_CERTS"] = NODE_EXTRA_CA_CERTS;
    this.#child = fork(workerEntry(), [], {
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: ["--enable-source-maps"],
      env: environment,
    });
    this.#child.on("message", (message) => listener.message(message as FromWorker));
    this.#child.stdout?.on("data", (body: Buffer) => listener.output("stdout", body));
    this.#child.stderr?.on("data", (body: Buffer) => listener.output("stderr", body));
    let isOver = false;
    const over = (exit: WorkerExit) => {
      if (isOver) return;
      isOver = true;
      listener.exit(exit);
    };
    this.#child.on("close", (code, signal) => over({ code, signal }));
    // A process that inherited the pipes may keep them open; the worker is gone all the same.
    this.#child.on("exit", (code, signal) => setTimeout(() => over({ code, signal }), 500).unref());
    this.#child.on("error", () => over({ code: null, signal: null }));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: ToWorker): void {
    // A channel that closed under us means that the exit is about to be told.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
