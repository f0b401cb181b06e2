import { randomUUID } from "node:crypto";
import type { PublishRequest, StepError } from "@headgate/proto";
import type { WorkerExit } from "../load/worker-process.ts";
import type { CapturedLog, FromWorker } from "../step/worker-protocol.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** More than these wait for a worker at no time; whoever asks for one more is told so, and asks again. */
const waitingMax = 100;
/** How long a call may go on after it was aborted. */
const graceMs = 2_000;
const timeoutMsMax = 600_000;
const timeoutMsDefault = 60_000;

/** How a call ended: published, failed, or no worker process was free before its time was over. */
export type PublishOutcome =
  { readonly kind: "published" } | { readonly kind: "failed"; readonly error: StepError } | { readonly kind: "busy" };

interface Call {
  readonly id: string;
  readonly request: PublishRequest;
  readonly answer: (outcome: PublishOutcome) => void;
  timer: NodeJS.Timeout | undefined;
  /** Ran out of its time, or nobody waits for its answer any more. */
  aborted: string | undefined;
}

/**
 * Versions that are being shown to readers outside: each call runs in a worker process of the pool, one at a time, so
 * that steps keep the others. What it prints goes to the output of the location.
 */
export class Publications {
  readonly #pool: WorkerPool;
  readonly #waiting: Call[] = [];
  #running: Call | undefined;

  constructor(pool: WorkerPool) {
    this.#pool = pool;
  }

  /** Runs a call; an abort of `signal` means that nobody waits for it any more. */
  run(request: PublishRequest, signal: AbortSignal): Promise<PublishOutcome> {
    if (this.#waiting.length >= waitingMax || signal.aborted) return Promise.resolve({ kind: "busy" });
    return new Promise((resolve) => {
      const gone = () => this.#abort(call, "nobody waits for it any more");
      const answer = (outcome: PublishOutcome) => {
        clearTimeout(call.timer);
        signal.removeEventListener("abort", gone);
        resolve(outcome);
      };
      const call: Call = { id: randomUUID(), request, answer, timer: undefined, aborted: undefined };
      const timeoutMs = Math.min(request.timeoutMs || timeoutMsDefault, timeoutMsMax);
      call.timer = setTimeout(() => this.#abort(call, `it took longer than ${timeoutMs} ms`), timeoutMs);
      signal.addEventListener("abort", gone, { once: true });
      this.#waiting.push(call);
      this.dispatch();
    });
  }

  /** A worker may be free. */
  dispatch(): void {
    const next = this.#waiting[0];
    if (next === undefined || this.#running !== undefined) return;
    if (!this.#pool.run([next.id], { kind: "publish", attemptId: next.id, request: next.request })) return;
    this.#running = this.#waiting.shift();
  }

  /** True: the message was about a publication. */
  message(id: string, message: FromWorker): boolean {
    if (this.#running?.id !== id) return false;
    if (message.kind === "logs") print(message.logs);
    if (message.kind === "published") {
      this.#ended(message.error === undefined ? { kind: "published" } : { kind: "failed", error: message.error });
    }
    return true;
  }

  output(id: string, stream: "stdout" | "stderr", body: Buffer): boolean {
    if (this.#running?.id !== id) return false;
    process[stream].write(body);
    return true;
  }

  /** The worker process ended under it. */
  died(id: string, exit: WorkerExit): boolean {
    if (this.#running?.id !== id) return false;
    const { aborted } = this.#running;
    const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal;
    const message = aborted === undefined ? `The worker process ended with ${how}.` : `It was ended: ${aborted}.`;
    const code = aborted === undefined ? "io.publish_crashed" : "io.publish_timed_out";
    this.#ended({ kind: "failed", error: { ...plainError, code, message } });
    return true;
  }

  close(): void {
    for (const call of this.#waiting.splice(0)) call.answer({ kind: "busy" });
  }

  #abort(call: Call, why: string): void {
    if (call === this.#running) {
      call.aborted = why;
      this.#pool.abort(call.id, "timedOut");
      call.timer = setTimeout(() => this.#pool.kill(call.id), graceMs);
      return;
    }
    const index = this.#waiting.indexOf(call);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    call.answer({ kind: "busy" });
  }

  #ended(outcome: PublishOutcome): void {
    const ended = this.#running;
    this.#running = undefined;
    ended?.answer(outcome);
    this.dispatch();
  }
}

const plainError = {
  stack: "",
  position: undefined,
  cause: undefined,
  hint: "See the output of the location.",
};

function print(logs: readonly CapturedLog[]): void {
  for (const { body } of logs) process.stdout.write(body);
}
