import type { LoadProblem, BundleReference, FromWorker, AbortReason, ToWorker } from "../step/worker-protocol.ts";
import { WorkerProcess } from "../load/worker-process.ts";
import type { WorkerExit } from "../load/worker-process.ts";

/** What a worker runs: an attempt of a step, all that one call computes, the publication of a version, an evaluation. */
export type WorkerTask = Extract<ToWorker, { readonly kind: "step" | "computation" | "publish" | "evaluate" }>;

/** What the pool tells of the attempts that its workers run. */
export interface PoolListener {
  message(attemptId: string, message: FromWorker): void;
  output(attemptId: string, stream: "stdout" | "stderr", body: Buffer): void;
  /** The worker process ended under the attempt. */
  died(attemptId: string, exit: WorkerExit, pid: number | undefined): void;
  /** A worker is free. */
  free(): void;
  /** Worker processes die while they load the code; told again and again, ever more slowly. */
  cannotStart(words: string): void;
}

interface Worker {
  readonly process: WorkerProcess;
  /** The bundle's generation that it has loaded. */
  readonly generation: number;
  state: "starting" | "idle" | "busy" | "retired";
  /** What it runs and has not ended, in order. */
  readonly attemptIds: Set<string>;
}

const backoffMsMax = 10_000;
/** One may be an accident of the machine. */
const failedStartsMin = 3;

/**
 * The worker processes of an instance: each has the location's code loaded and runs one attempt at a time. A reload
 * starts new ones; an old one ends with the attempt that it runs.
 */
export class WorkerPool {
  #size: number;
  readonly #listener: PoolListener;
  readonly #workers = new Set<Worker>();
  #bundle: BundleReference | undefined;
  #generation = 0;
  #failedStarts = 0;
  #startProblem = "";
  #restart: NodeJS.Timeout | undefined;
  #isClosed = false;
  #secrets: readonly string[] = [];

  constructor(size: number, listener: PoolListener) {
    this.#size = size;
    this.#listener = listener;
  }

  get size(): number {
    return this.#size;
  }

  /** Starts processes up to another number, or ends those at rest beyond it. */
  resize(size: number): void {
    this.#size = size;
    let count = 0;
    for (const worker of this.#workers) {
      if (worker.generation !== this.#generation || worker.state === "retired") continue;
      if (++count > size && worker.state === "idle") this.#retire(worker);
    }
    this.#fill();
  }

  /** Replaces the code: every attempt that starts from now on runs on it. */
  use(bundle: BundleReference): void {
    this.#bundle = bundle;
    this.#generation++;
    this.#failedStarts = 0;
    for (const worker of this.#workers) if (worker.state !== "busy") this.#retire(worker);
    this.#fill();
  }

  /** Gives a task to a free worker; false if there is none. `attemptIds`: of what it ends, in order. */
  run(attemptIds: readonly string[], task: WorkerTask): boolean {
    for (const worker of this.#workers) {
      if (worker.state !== "idle" || worker.generation !== this.#generation) continue;
      worker.state = "busy";
      for (const attemptId of attemptIds) worker.attemptIds.add(attemptId);
      worker.process.send(task);
      return true;
    }
    return false;
  }

  abort(attemptId: string, reason: AbortReason): void {
    this.#workerOf(attemptId)?.process.send({ kind: "abort", attemptId, reason });
  }

  /** Kills the worker that runs this attempt; `died` follows. */
  kill(attemptId: string): void {
    this.#workerOf(attemptId)?.process.kill();
  }

  /** Ends every worker: those at rest in an orderly way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restart);
    const ended = [...this.#workers].map((worker) => this.#ended(worker));
    for (const worker of this.#workers) {
      if (worker.state === "busy") worker.process.kill();
      else this.#retire(worker);
    }
    const killer = setTimeout(() => this.#workers.forEach((worker) => worker.process.kill()), 2_000);
    await Promise.all(ended);
    clearTimeout(killer);
  }

  readonly #endListeners = new Map<Worker, () => void>();

  #ended(worker: Worker): Promise<void> {
    return new Promise((resolve) => this.#endListeners.set(worker, resolve));
  }

  #workerOf(attemptId: string): Worker | undefined {
    for (const worker of this.#workers) if (worker.attemptIds.has(attemptId)) return worker;
    return undefined;
  }

  #fill(): void {
    if (this.#bundle === undefined || this.#isClosed) return;
    let current = 0;
    for (const worker of this.#workers) {
      if (worker.generation === this.#generation && worker.state !== "retired") current++;
    }
    for (; current < this.#size; current++) this.#start(this.#bundle);
  }

  #start(bundle: BundleReference): void {
    const listener = {
      message: (message: FromWorker) => this.#receive(worker, message),
      output: (stream: "stdout" | "stderr", body: Buffer) => this.#output(worker, stream, body),
      exit: (exit: WorkerExit) => this.#over(worker, exit),
    };
    const worker: Worker = {
      process: new WorkerProcess(listener, true),
      generation: this.#generation,
      state: "starting",
      attemptIds: new Set(),
    };
    this.#workers.add(worker);
    worker.process.send({ kind: "load", bundle });
  }

  #receive(worker: Worker, message: FromWorker): void {
    switch (message.kind) {
      case "loaded":
        this.#failedStarts = 0;
        if (worker.state !== "starting") return;
        worker.state = "idle";
        return this.#listener.free();
      case "loadFailed":
        return this.#loadFailed(worker, message.problem);
      case "secrets":
        this.#secrets = [...new Set([...this.#secrets, ...message.values])].sort((a, b) => b.length - a.length);
        return;
      case "started":
      case "logs":
      case "computed":
      case "checkStarted":
      case "checkCompleted":
        if (worker.attemptIds.has(message.attemptId)) this.#listener.message(message.attemptId, message);
        return;
      case "finished":
      case "published":
      case "evaluated":
        return this.#finished(worker, message);
      case "described":
      case "probing":
      case "probed":
      case "inspecting":
      case "trialPlanned":
      case "previewed":
    }
  }

  #finished(worker: Worker, message: FromWorker & { kind: "finished" | "published" | "evaluated" }): void {
    if (!worker.attemptIds.delete(message.attemptId)) return;
    // What one call computes ends one after the other: the process is free after the last.
    if (worker.attemptIds.size > 0) return this.#listener.message(message.attemptId, message);
    if (message.isLast) worker.state = "retired";
    else if (worker.generation === this.#generation && !this.#isClosed) worker.state = "idle";
    else this.#retire(worker);
    if (message.isLast) this.#fill();
    this.#listener.message(message.attemptId, message);
    this.#listener.free();
  }

  #loadFailed(worker: Worker, problem: LoadProblem): void {
    this.#startProblem = problem.error.message;
    worker.process.kill();
  }

  #output(worker: Worker, stream: "stdout" | "stderr", body: Buffer): void {
    const [first] = worker.attemptIds;
    if (first === undefined) {
      process[stream].write(body);
      return;
    }
    this.#listener.output(first, stream, this.#redacted(body));
  }

  #redacted(body: Buffer): Buffer {
    if (this.#secrets.length === 0) return body;
    let text = body.toString();
    for (const secret of this.#secrets) text = text.replaceAll(secret, "[redacted]");
    return Buffer.from(text);
  }

  #retire(worker: Worker): void {
    worker.state = "retired";
    worker.process.send({ kind: "exit" });
  }

  #over(worker: Worker, exit: WorkerExit): void {
    this.#workers.delete(worker);
    this.#endListeners.get(worker)?.();
    this.#endListeners.delete(worker);
    for (const attemptId of worker.attemptIds) this.#listener.died(attemptId, exit, worker.process.pid);
    if (this.#isClosed || worker.state === "retired") return;
    if (worker.state !== "starting") return this.#fill();
    // It died while it loaded: the next may well do the same.
    const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal;
    const words = `A worker process could not load the code: ${this.#startProblem || `it ended with ${how}`}`;
    process.stderr.write(`${words}\n`);
    const waitMs = Math.min(backoffMsMax, 100 * 2 ** Math.min(this.#failedStarts++, 10));
    const isAnyAlive = [...this.#workers].some(({ state }) => state === "idle" || state === "busy");
    if (this.#failedStarts >= failedStartsMin && !isAnyAlive) this.#listener.cannotStart(words);
    clearTimeout(this.#restart);
    this.#restart = setTimeout(() => this.#fill(), waitMs);
  }
}
