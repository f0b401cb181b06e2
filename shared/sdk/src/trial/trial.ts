import { LogStream } from "@headgate/proto";
import { loadLocation, locationSources } from "../load/load-location.ts";
import type { LoadedLocation } from "../load/load-location.ts";
import { WorkerProcess } from "../load/worker-process.ts";
import type { WorkerExit } from "../load/worker-process.ts";
import type { FromWorker } from "../step/worker-protocol.ts";
import type { PlannedTrial } from "./plan-trial.ts";
import type { TrialPreview } from "./scratch.ts";
import type { TrialRequest } from "./trial-command.ts";
import { commandOf } from "./trial-command.ts";
import type { TrialCheck, TrialOutcome } from "./trial-outcome.ts";
import { checkOf, crashError, noOutcome, outcomeOf } from "./trial-outcome.ts";

/** What a trial tells while it goes on. */
export interface TrialListener {
  /** What compute or a check printed ("stdout", "stderr"), or logged: a line of JSON each. */
  log(stream: "stdout" | "stderr" | "log", text: string): void;
  check(check: TrialCheck): void;
}

/** Which code is tried, until when, and whether a debugger is waited for. */
export interface TrialOptions {
  /** A folder with a definitions.ts, or such a file. */
  readonly module: string;
  readonly signal: AbortSignal;
  /** Waits for a debugger before the code is imported, and stops before compute; called with the URL to attach to. */
  readonly inspecting?: ((url: string) => void) | undefined;
}

/** How long compute may take to end once it was told to. */
const graceMs = 5_000;

/**
 * A code location's code, to try its assets: loaded as a run would load it, in a worker process of its own. Nothing is
 * reported to any control plane. It reads the environment of this process.
 *
 * @throws Error if there is no location at `module`; the signal's reason
 */
export async function openTrial(options: TrialOptions): Promise<Trial> {
  return new Trial(await loadLocation(locationSources(options.module), options.signal), options);
}

/** A location's code in a worker process, in which its assets are tried; made by `openTrial`. */
export class Trial {
  readonly #location: LoadedLocation;
  readonly #options: TrialOptions;
  #worker: WorkerProcess | undefined;
  #receive: (message: FromWorker) => void = () => {};
  #exited: (exit: WorkerExit) => void = () => {};
  #output: TrialListener["log"] = (stream, text) => void process[stream === "log" ? "stderr" : stream].write(text);

  constructor(location: LoadedLocation, options: TrialOptions) {
    this.#location = location;
    this.#options = options;
  }

  /** Keys of the assets that this code defines, refused ones included. */
  get assetKeys(): readonly string[] {
    return this.#location.entries.filter(({ kind }) => kind === "asset").map(({ key }) => key);
  }

  /** True if this code defines the asset and nothing is wrong with its definition, whatever else is wrong. */
  defines(assetKey: string): boolean {
    return this.#location.entries.some(({ kind, key, error }) => kind === "asset" && key === assetKey && !error);
  }

  /** What is wrong with the code: of one asset and of what did not load, so that it may be missing because of it. */
  problems(
    assetKey: string,
  ): readonly { readonly code: string; readonly message: string; readonly hint: string; readonly place: string }[] {
    const own = this.#location.entries.filter(
      ({ kind, key }) => kind !== "check" && (kind === "module" || key === assetKey),
    );
    const errors = [...own.flatMap(({ error }) => error ?? []), ...this.#location.problems.map(({ error }) => error)];
    return errors.map(({ code, message, hint, source }) => {
      return { code, message, hint, place: source === undefined ? "" : `${source.file}:${source.line}` };
    });
  }

  /** What trying this asset takes; undefined where the location as a whole does not load. */
  async plan(assetKey: string, partition: string | undefined, nowMs: number): Promise<PlannedTrial | undefined> {
    const worker = await this.#start();
    if (worker === undefined) return undefined;
    worker.send({ kind: "planTrial", assetKey, partition, nowMs });
    return (await this.#next("trialPlanned")).planned;
  }

  /**
   * Reads the inputs, computes, stores in the folder, and lets the location's checks judge what was stored. Aborting
   * cancels compute; what does not end within 5 seconds is killed.
   */
  async run(request: TrialRequest, listener: TrialListener): Promise<TrialOutcome> {
    const worker = await this.#start();
    if (worker === undefined) throw new Error("the location did not load");
    const command = commandOf(request);
    const { attemptId } = command;
    const { signal, inspecting } = this.#options;
    const inspected = inspecting !== undefined;
    this.#output = (stream, text) => listener.log(stream, text);
    const timeoutMs = inspected ? 0 : request.plan.timeoutMs;
    let killTimer: NodeJS.Timeout | undefined;
    let wasCanceled = false;
    let wasTimedOut = false;
    const stop = (reason: "canceled" | "timedOut") => {
      wasCanceled ||= reason === "canceled";
      wasTimedOut ||= reason === "timedOut";
      worker.send({ kind: "abort", attemptId, reason });
      killTimer ??= setTimeout(() => worker.kill(), graceMs);
    };
    const cancel = () => stop("canceled");
    signal.addEventListener("abort", cancel, { once: true });
    const timer = timeoutMs > 0 ? setTimeout(() => stop("timedOut"), timeoutMs) : undefined;
    const checks: TrialCheck[] = [];
    let preview: TrialPreview | undefined;
    try {
      return await new Promise<TrialOutcome>((resolve) => {
        const tell = (check: TrialCheck) => {
          if (checks.some(({ name }) => name === check.name)) return;
          checks.push(check);
          listener.check(check);
        };
        this.#receive = (message) => {
          if (message.kind === "logs") this.#logs(message, listener);
          else if (message.kind === "computed") for (const check of message.verdicts) tell(checkOf(check));
          else if (message.kind === "checkCompleted") tell(checkOf(message.check));
          else if (message.kind === "previewed") preview = message.preview;
          else if (message.kind === "finished") {
            this.#logs(message, listener);
            for (const check of message.finished.checks) tell(checkOf(check));
            resolve(outcomeOf(message.finished, preview));
          }
        };
        this.#exited = (exit) => {
          const outcome = wasCanceled ? "canceled" : wasTimedOut ? "timedOut" : "crashed";
          resolve({ ...noOutcome, outcome, checks, error: crashError(outcome, exit) });
        };
        worker.send({ kind: "try", command, folder: request.folder, inspected });
        if (signal.aborted) cancel();
      });
    } finally {
      clearTimeout(timer);
      clearTimeout(killTimer);
      signal.removeEventListener("abort", cancel);
    }
  }

  /** Ends the worker process. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise<void>((resolve) => (this.#exited = () => resolve()));
    // Resources are disposed of; what hangs there is not waited for.
    const timer = setTimeout(() => worker.kill(), graceMs);
    worker.send({ kind: "exit" });
    await gone;
    clearTimeout(timer);
  }

  /** Ends the worker process at once. */
  kill(): void {
    this.#worker?.kill();
  }

  #logs({ logs }: { readonly logs: Extract<FromWorker, { kind: "logs" }>["logs"] }, listener: TrialListener): void {
    for (const { stream, body } of logs) listener.log(streamNames[stream] ?? "stdout", Buffer.from(body).toString());
  }

  /** The worker with the code imported; undefined if the location does not load. */
  async #start(): Promise<WorkerProcess | undefined> {
    const { bundle } = this.#location;
    if (this.#worker !== undefined || bundle === undefined) return this.#worker;
    this.#options.signal.throwIfAborted();
    const worker = new WorkerProcess(
      {
        message: (message) => this.#receive(message),
        output: (stream, body) => this.#output(stream, body.toString()),
        exit: (exit) => {
          this.#worker = undefined;
          this.#exited(exit);
        },
      },
      true,
    );
    this.#worker = worker;
    const { inspecting } = this.#options;
    if (inspecting !== undefined) {
      worker.send({ kind: "inspect" });
      inspecting((await this.#next("inspecting")).url);
    }
    worker.send({ kind: "load", bundle });
    await this.#next("loaded");
    return worker;
  }

  /** The next message of this kind. @throws the signal's reason; Error if the worker ends first */
  #next<Kind extends FromWorker["kind"]>(kind: Kind): Promise<Extract<FromWorker, { kind: Kind }>> {
    const { signal } = this.#options;
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.kill();
        reject(signal.reason as Error);
      };
      const settle = (then: () => void) => {
        signal.removeEventListener("abort", abort);
        then();
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#receive = (message) => {
        if (message.kind === kind) settle(() => resolve(message as Extract<FromWorker, { kind: Kind }>));
        else if (message.kind === "loadFailed") settle(() => reject(new Error(message.problem.error.message)));
      };
      this.#exited = ({ code, signal: by }) => {
        settle(() => reject(new Error(`The worker process ended ${by === null ? `with ${code}` : `by ${by}`}.`)));
      };
    });
  }
}

const streamNames: Readonly<Partial<Record<LogStream, "stdout" | "stderr" | "log">>> = {
  [LogStream.LOG_STREAM_STDOUT]: "stdout",
  [LogStream.LOG_STREAM_STDERR]: "stderr",
  [LogStream.LOG_STREAM_LOG]: "log",
};
