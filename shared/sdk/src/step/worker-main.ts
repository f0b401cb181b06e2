import { pathToFileURL } from "node:url";
import { Outcome } from "@headgate/proto";
import type {
  CheckCompleted,
  ComputationCommand,
  Computed,
  EvaluateRequest,
  PublishRequest,
  StepCommand,
  StepError,
} from "@headgate/proto";
import type { AnyAssetCheck } from "../asset-check.ts";
import { CodeBase } from "./code-base.ts";
import { ComputationRunner } from "./computation-runner.ts";
import { LogCapture } from "./log-capture.ts";
import { loadCode } from "./loaded-code.ts";
import type { LoadedCode } from "./loaded-code.ts";
import { OutputPatch } from "./output-patch.ts";
import { endWithParent } from "./parent-watch.ts";
import { publish } from "./publish.ts";
import { Redaction } from "./redaction.ts";
import { emptyResponse, evaluate } from "./evaluate.ts";
import { ResourceCache } from "./resource-cache.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { stepError } from "./step-error.ts";
import { StepFailure } from "./step-failure.ts";
import { StepRunner } from "./step-runner.ts";
import { endDebugged, heldUp, waitForDebugger } from "../trial/debugger.ts";
import { planTrial } from "../trial/plan-trial.ts";
import { Scratch } from "../trial/scratch.ts";
import { previewOf } from "../trial/trial-preview.ts";
import type { AbortReason, BundleReference, FromWorker, LoadProblem, ToWorker } from "./worker-protocol.ts";
import { requiredVariables } from "../reference.ts";

/** What this process is at. */
interface Running {
  /** Ids of the attempts that have not ended, in order. */
  readonly openIds: readonly string[];
  readonly log: LogCapture;
  abort(reason: AbortReason): void;
  /** What is reported of it when the process ends of an error that nobody caught. */
  died(error: unknown): readonly FromWorker[];
}

/** A worker process of a code location: imports its code once and runs one attempt after the other. */
export class WorkerMain {
  readonly #redaction = new Redaction();
  readonly #output = new OutputPatch();
  readonly #resources = new ResourceCache(this.#redaction, () => {
    this.#send({ kind: "secrets", values: this.#redaction.values });
  });
  #code: LoadedCode | undefined;
  #running: Running | undefined;

  start(): void {
    this.#output.install();
    endWithParent();
    process.on("message", (message) => void this.#receive(message as ToWorker));
    // Nobody is left to report to: what the attempt did is settled by the lease.
    process.on("disconnect", () => process.exit(0));
    for (const event of ["uncaughtException", "unhandledRejection"] as const) {
      process.on(event, (error: unknown) => this.#dieOf(error));
    }
    // A signal to the whole process group (Ctrl-C) is for the serving process to handle: it lets running steps end.
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  }

  #send(message: FromWorker, sent?: () => void): void {
    if (process.connected) process.send?.(message, undefined, {}, sent ? () => sent() : undefined);
  }

  async #receive(message: ToWorker): Promise<void> {
    switch (message.kind) {
      case "load":
        return this.#load(message.bundle);
      case "describe":
        return this.#send({
          kind: "described",
          team: this.#code?.team ?? "",
          entries: this.#code?.described.entries ?? [],
          missingVariables: requiredVariables().filter((name) => process.env[name] === undefined),
        });
      case "probe":
        return this.#probe(message.modules);
      case "step":
        return this.#step(message.command);
      case "computation":
        return this.#computation(message.command);
      case "publish":
        return this.#publish(message.attemptId, message.request);
      case "evaluate":
        return this.#evaluate(message.attemptId, message.request);
      case "inspect":
        return waitForDebugger((url) => this.#send({ kind: "inspecting", url }));
      case "planTrial": {
        const { assetKey, partition, nowMs } = message;
        const planned = planTrial((this.#code ?? noCode).described, assetKey, partition, nowMs);
        return this.#send({ kind: "trialPlanned", planned });
      }
      case "try":
        return this.#step(message.command, new Scratch(message.folder), message.inspected);
      case "abort":
        if (this.#running?.openIds.includes(message.attemptId)) this.#running.abort(message.reason);
        return;
      case "exit":
        await this.#resources.dispose();
        endDebugged();
        process.exit(0);
    }
  }

  async #load(bundle: BundleReference): Promise<void> {
    try {
      this.#code = await loadCode(bundle);
      this.#send({ kind: "loaded" });
    } catch (error) {
      this.#send({ kind: "loadFailed", problem: this.#loadProblem(error, new CodeBase(bundle)) });
    }
  }

  #loadProblem(error: unknown, codeBase: CodeBase | undefined): LoadProblem {
    const stack = (error as { stack?: unknown } | undefined)?.stack;
    // The outermost frame is the top level of the module that was being evaluated; inner ones are what it called.
    const culprit = codeBase?.framesOf(typeof stack === "string" ? stack : undefined).at(-1)?.file;
    return { error: stepError(error, "definition.module_threw", { codeBase, redaction: this.#redaction }), culprit };
  }

  /** Imports modules one after the other, dependencies first, and names the first that throws. */
  async #probe(modules: readonly { readonly source: string; readonly file: string }[]): Promise<void> {
    for (const { source, file } of modules) {
      this.#send({ kind: "probing", source });
      try {
        await import(pathToFileURL(file).href);
      } catch (error) {
        this.#send({ kind: "probed", source, problem: this.#loadProblem(error, undefined) });
        return;
      }
    }
    this.#send({ kind: "probed", source: undefined, problem: undefined });
  }

  async #step(command: StepCommand, scratch?: Scratch, inspected = false): Promise<void> {
    const { attemptId, work } = command;
    if (work?.$case === "materialize" && this.#code?.described.outputs.has(command.assetKey)) {
      return this.#computation({ computationId: attemptId, members: [command], inputs: work.value.inputs });
    }
    const log = this.#logOf(attemptId);
    const reports = this.#reports();
    const environment = this.#environment(log, scratch, inspected);
    const runner = new StepRunner(environment, command, {
      started: () => reports.started(attemptId),
      computed: (computed, verdicts) => reports.computed(attemptId, computed, verdicts),
      checkStarted: (started) => reports.checkStarted(attemptId, started),
      checkCompleted: (check) => reports.checkCompleted(attemptId, check),
    });
    this.#begin({
      openIds: [attemptId],
      log,
      abort: (reason) => runner.abort(reason),
      died: (error) => this.#diedIn([attemptId], log, error),
    });
    const finished = await runner.run();
    if (scratch !== undefined) {
      this.#send({ kind: "previewed", attemptId, preview: await previewOf(environment, command, scratch) });
    }
    this.#end();
    this.#send({ kind: "finished", attemptId, logs: log.take(), finished, isLast: false });
  }

  async #computation(command: ComputationCommand): Promise<void> {
    const order = command.members.map((member) => member.attemptId);
    const log: LogCapture = new LogCapture(this.#redaction, (logs) => {
      const [attemptId] = runner.openIds;
      if (attemptId !== undefined) this.#send({ kind: "logs", attemptId, logs });
    });
    const runner = new ComputationRunner(this.#environment(log), command, {
      ...this.#reports(),
      finished: (attemptId, finished) => {
        const [first] = runner.openIds;
        if (first === undefined) this.#end();
        // What was printed belongs to the first that had not ended.
        const isFirst = first === undefined || order.indexOf(attemptId) < order.indexOf(first);
        if (!isFirst) log.flush();
        this.#send({ kind: "finished", attemptId, logs: isFirst ? log.take() : [], finished, isLast: false });
      },
    });
    this.#begin({
      get openIds() {
        return runner.openIds;
      },
      log,
      abort: (reason) => runner.abort(reason),
      died: (error) => this.#diedIn(runner.openIds, log, error),
    });
    await runner.run();
  }

  #reports() {
    return {
      started: (attemptId: string) => this.#send({ kind: "started", attemptId }),
      computed: (attemptId: string, computed: Computed, verdicts: readonly CheckCompleted[]) =>
        this.#send({ kind: "computed", attemptId, computed, verdicts }),
      checkStarted: (attemptId: string, started: readonly AnyAssetCheck[]) => {
        const timeoutMs = started[0]?.timeoutMs ?? 0;
        const checks = started.map(({ name, version: checkVersion = 1 }) => ({ name, checkVersion }));
        // Without a timeout of its own the step's holds, which the serving process knows.
        if (timeoutMs > 0) this.#send({ kind: "checkStarted", attemptId, checks, timeoutMs });
      },
      checkCompleted: (attemptId: string, check: CheckCompleted) =>
        this.#send({ kind: "checkCompleted", attemptId, check }),
    };
  }

  /** The ends of these attempts, the process's with the last. */
  #diedIn(attemptIds: readonly string[], log: LogCapture, error: unknown): FromWorker[] {
    const failed = { outcome: Outcome.OUTCOME_FAILED, computed: undefined, checks: [], permanent: false };
    const finished = { ...failed, error: this.#uncaught(error, "compute") };
    const logs = log.take();
    return attemptIds.map((attemptId, n) => {
      const isLast = n === attemptIds.length - 1;
      return { kind: "finished", attemptId, logs: n === 0 ? logs : [], finished, isLast };
    });
  }

  async #publish(attemptId: string, request: PublishRequest): Promise<void> {
    const log = this.#logOf(attemptId);
    const environment = this.#environment(log);
    const abort = new AbortController();
    const words = `Publishing took longer than ${request.timeoutMs} ms.`;
    this.#begin({
      openIds: [attemptId],
      log,
      abort: () => abort.abort(new StepFailure("io.publish_timed_out", words, "See what it waits for.")),
      died: (error) => [{ kind: "published", attemptId, error: this.#uncaught(error, "publish"), isLast: true }],
    });
    const error = await publish(environment, request, abort.signal).then(
      () => undefined,
      (thrown: unknown) => {
        const cause: unknown = abort.signal.aborted ? abort.signal.reason : thrown;
        return stepError(cause, "io.publish_failed", environment);
      },
    );
    this.#end();
    log.flush();
    this.#send({ kind: "published", attemptId, error, isLast: false });
  }

  async #evaluate(attemptId: string, request: EvaluateRequest): Promise<void> {
    const log = this.#logOf(attemptId);
    const abort = new AbortController();
    const words = `The evaluation took longer than ${request.timeoutMs} ms.`;
    const hint = "See what it waits for; pass on `signal`, or give the sensor a longer `timeoutMs`.";
    this.#begin({
      openIds: [attemptId],
      log,
      abort: () => abort.abort(new StepFailure("sensor.timed_out", words, hint)),
      died: (error) => {
        log.flush();
        const response = { ...emptyResponse, error: this.#uncaught(error, "evaluate", "sensor.uncaught") };
        return [{ kind: "evaluated", attemptId, response, isLast: true }];
      },
    });
    const sensors = (this.#code ?? noCode).described.sensors;
    const response = await evaluate(this.#environment(log), sensors, request, abort.signal);
    this.#end();
    log.flush();
    this.#send({ kind: "evaluated", attemptId, response, isLast: false });
  }

  #logOf(attemptId: string): LogCapture {
    return new LogCapture(this.#redaction, (logs) => this.#send({ kind: "logs", attemptId, logs }));
  }

  #environment(log: LogCapture, scratch?: Scratch, inspected = false): StepEnvironment {
    const { described, ioManagers, codeBase, codeVersionOf } = this.#code ?? noCode;
    return {
      ...(inspected ? heldUp(described) : { assets: described.assets, checks: described.checks }),
      outputs: described.outputs,
      scratch,
      ioManagers,
      codeVersionOf,
      resources: this.#resources,
      codeBase,
      redaction: this.#redaction,
      log,
    };
  }

  #begin(running: Running): void {
    this.#running = running;
    this.#output.capture = running.log;
  }

  #end(): void {
    this.#output.capture = undefined;
    this.#running = undefined;
  }

  /** An error that nobody caught leaves the process in no known state: it reports what it was at failed, and ends. */
  #dieOf(error: unknown): void {
    const running = this.#running;
    if (running === undefined) {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exit(1);
    }
    this.#end();
    const said = running.died(error);
    for (const [n, message] of said.entries()) {
      this.#send(message, n === said.length - 1 ? () => process.exit(1) : undefined);
    }
    if (said.length === 0) process.exit(1);
  }

  #uncaught(error: unknown, where: string, code = "step.uncaught"): StepError {
    const cleaning = { codeBase: this.#code?.codeBase, redaction: this.#redaction };
    const hint = `Await every promise and handle every 'error' event in ${where}.`;
    return { ...stepError(error, code, cleaning), hint };
  }
}

const noCode: Pick<LoadedCode, "described" | "ioManagers" | "codeVersionOf"> & { readonly codeBase: undefined } = {
  described: { entries: [], assets: new Map(), checks: new Map(), sensors: new Map(), outputs: new Map() },
  ioManagers: [],
  codeVersionOf: () => "",
  codeBase: undefined,
};
