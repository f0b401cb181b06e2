import { randomUUID } from "node:crypto";
import { LogStream } from "@headgate/proto";
import type { EvaluateRequest, EvaluateResponse, EvaluationLog } from "@headgate/proto";
import type { WorkerExit } from "../load/worker-process.ts";
import { emptyResponse } from "../step/evaluate.ts";
import type { BundleReference, FromWorker } from "../step/worker-protocol.ts";
import { WorkerPool } from "./worker-pool.ts";

/** Worker processes for evaluations alone, so that steps cannot keep sensors waiting, nor sensors steps. */
const workersMax = 8;
/** The first in line waits so long before it gets another process: those that are quick need no second one. */
const growAfterMs = 250;
/** Processes that were not needed for so long end. */
const shrinkEveryMs = 60_000;
/** More than these wait at no time; whoever asks for one more is told so, and asks again. */
const waitingMax = 1_000;
const waitMsMax = 10_000;
/** How long user code may go on after it was aborted. */
const graceMs = 2_000;
const timeoutMsMax = 600_000;
const timeoutMsDefault = 60_000;
const logSizeBytesMax = 65_536;

/** How a call ended: answered, a failure of user code included, or no worker process was free in time. */
export type EvaluateOutcome =
  { readonly kind: "answered"; readonly response: EvaluateResponse } | { readonly kind: "busy" };

interface Call {
  readonly id: string;
  readonly request: EvaluateRequest;
  readonly answer: (outcome: EvaluateOutcome) => void;
  readonly logs: EvaluationLog[];
  logSizeBytes: number;
  droppedBytes: number;
  timer: NodeJS.Timeout | undefined;
  /** Ran out of its time, or nobody waits for its answer any more. */
  aborted: string | undefined;
}

/**
 * Evaluations of sensors. Each runs alone in a worker process: one that hangs holds its own until that is killed, while
 * the others go on in the next. There are as many processes as are needed at once, and none before the first evaluation.
 */
export class Evaluations {
  readonly #pool: WorkerPool;
  readonly #waiting: Call[] = [];
  readonly #running = new Map<string, Call>();
  #notLoaded: string | undefined;
  #peak = 0;
  #growTimer: NodeJS.Timeout | undefined;
  readonly #shrinkTimer: NodeJS.Timeout;

  constructor() {
    this.#pool = new WorkerPool(0, {
      message: (id, message) => this.#message(id, message),
      output: (id, stream, body) => {
        const call = this.#running.get(id);
        const which = stream === "stdout" ? LogStream.LOG_STREAM_STDOUT : LogStream.LOG_STREAM_STDERR;
        if (call !== undefined) keep(call, which, body);
      },
      died: (id, exit) => this.#died(id, exit),
      free: () => this.#dispatch(),
      cannotStart: (words) => this.#failWaiting("sensor.not_loaded", words),
    });
    this.#shrinkTimer = setInterval(() => this.#shrink(), shrinkEveryMs);
    this.#shrinkTimer.unref();
  }

  /** Evaluations from now on run on this code. */
  use(bundle: BundleReference): void {
    this.#notLoaded = undefined;
    this.#pool.use(bundle);
  }

  /** There is no code to run. */
  refuse(words: string): void {
    this.#notLoaded = words;
    this.#failWaiting("sensor.not_loaded", words);
  }

  /** Runs a call; an abort of `signal` means that nobody waits for it any more. */
  run(request: EvaluateRequest, signal: AbortSignal): Promise<EvaluateOutcome> {
    if (this.#waiting.length >= waitingMax || signal.aborted) return Promise.resolve({ kind: "busy" });
    if (this.#notLoaded !== undefined) return Promise.resolve(failed("sensor.not_loaded", this.#notLoaded));
    return new Promise((resolve) => {
      const gone = () => this.#abort(call, "nobody waits for it any more");
      const call: Call = {
        id: randomUUID(),
        request,
        answer: (outcome) => {
          clearTimeout(call.timer);
          signal.removeEventListener("abort", gone);
          resolve(outcome);
        },
        logs: [],
        logSizeBytes: 0,
        droppedBytes: 0,
        timer: undefined,
        aborted: undefined,
      };
      call.timer = setTimeout(() => this.#abort(call, "no worker process was free"), waitMsMax);
      signal.addEventListener("abort", gone, { once: true });
      this.#waiting.push(call);
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#shrinkTimer);
    clearTimeout(this.#growTimer);
    for (const call of this.#waiting.splice(0)) call.answer({ kind: "busy" });
    for (const call of this.#running.values()) call.answer({ kind: "busy" });
    await this.#pool.close();
  }

  #dispatch(): void {
    for (let call = this.#waiting[0]; call !== undefined; call = this.#waiting[0]) {
      if (!this.#pool.run([call.id], { kind: "evaluate", attemptId: call.id, request: call.request })) break;
      this.#waiting.shift();
      this.#started(call);
    }
    if (this.#waiting.length === 0 || this.#pool.size >= workersMax) return;
    if (this.#pool.size === 0) return this.#pool.resize(1);
    this.#growTimer ??= setTimeout(() => {
      this.#growTimer = undefined;
      if (this.#waiting.length === 0) return;
      this.#pool.resize(Math.min(workersMax, this.#pool.size + 1));
      this.#dispatch();
    }, growAfterMs);
  }

  #started(call: Call): void {
    this.#running.set(call.id, call);
    this.#peak = Math.max(this.#peak, this.#running.size);
    clearTimeout(call.timer);
    const timeoutMs = Math.min(call.request.timeoutMs || timeoutMsDefault, timeoutMsMax);
    call.timer = setTimeout(() => this.#abort(call, `it took longer than ${timeoutMs} ms`), timeoutMs);
  }

  #shrink(): void {
    const needed = Math.max(this.#peak, 1);
    this.#peak = this.#running.size;
    if (needed < this.#pool.size) this.#pool.resize(needed);
  }

  #message(id: string, message: FromWorker): void {
    const call = this.#running.get(id);
    if (call === undefined) return;
    if (message.kind === "logs") for (const { stream, body } of message.logs) keep(call, stream, body);
    if (message.kind === "evaluated") this.#ended(call, message.response);
  }

  /** The worker process ended under it. */
  #died(id: string, exit: WorkerExit): void {
    const call = this.#running.get(id);
    if (call === undefined) return;
    const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal;
    const { response } =
      call.aborted === undefined
        ? failed("sensor.crashed", `The worker process ended with ${how}.`)
        : failed("sensor.timed_out", `Its worker process was ended: ${call.aborted}.`);
    this.#ended(call, response);
  }

  #ended(call: Call, response: EvaluateResponse): void {
    this.#running.delete(call.id);
    const { logs, droppedBytes } = call;
    call.answer({ kind: "answered", response: { ...response, logs, droppedBytes } });
    this.#dispatch();
  }

  #abort(call: Call, why: string): void {
    if (this.#running.has(call.id)) {
      call.aborted ??= why;
      this.#pool.abort(call.id, "timedOut");
      clearTimeout(call.timer);
      call.timer = setTimeout(() => this.#pool.kill(call.id), graceMs);
      return;
    }
    const index = this.#waiting.indexOf(call);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    call.answer({ kind: "busy" });
  }

  /** What waits for a worker would wait for ever. */
  #failWaiting(code: string, words: string): void {
    for (const call of this.#waiting.splice(0)) call.answer(failed(code, words));
  }
}

function failed(code: string, message: string) {
  const hint = "See the output of the location.";
  const error = { code, message, stack: "", position: undefined, cause: undefined, hint };
  return { kind: "answered", response: { ...emptyResponse, error } } as const;
}

/** The first of it is kept: what went wrong is mostly said early, and what is missing is counted. */
function keep(call: Call, stream: LogStream, body: Uint8Array): void {
  const kept = body.subarray(0, Math.max(0, logSizeBytesMax - call.logSizeBytes));
  call.droppedBytes += body.length - kept.length;
  call.logSizeBytes += kept.length;
  if (kept.length > 0) call.logs.push({ stream, body: Buffer.from(kept) });
}
