import { pathToFileURL } from "node:url";
import { Outcome } from "@headgate/proto";
import type { StepCommand } from "@headgate/proto";
import { CodeBase } from "./code-base.ts";
import { LogCapture } from "./log-capture.ts";
import { loadCode } from "./loaded-code.ts";
import type { LoadedCode } from "./loaded-code.ts";
import { OutputPatch } from "./output-patch.ts";
import { endWithParent } from "./parent-watch.ts";
import { Redaction } from "./redaction.ts";
import { ResourceCache } from "./resource-cache.ts";
import { stepError } from "./step-error.ts";
import { StepRunner } from "./step-runner.ts";
import type { BundleReference, FromWorker, LoadProblem, ToWorker } from "./worker-protocol.ts";

/** A worker process of a code location: imports its code once and runs one attempt after the other. */
export class WorkerMain {
  readonly #redaction = new Redaction();
  readonly #output = new OutputPatch();
  readonly #resources = new ResourceCache(this.#redaction, () => {
    this.#send({ kind: "secrets", values: this.#redaction.values });
  });
  #code: LoadedCode | undefined;
  #running: { readonly command: StepCommand; readonly runner: StepRunner; readonly log: LogCapture } | undefined;

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
        });
      case "probe":
        return this.#probe(message.modules);
      case "step":
        return this.#step(message.command);
      case "abort":
        if (this.#running?.command.attemptId === message.attemptId) this.#running.runner.abort(message.reason);
        return;
      case "exit":
        await this.#resources.dispose();
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

  async #step(command: StepCommand): Promise<void> {
    const { attemptId } = command;
    const log = new LogCapture(this.#redaction, (logs) => this.#send({ kind: "logs", attemptId, logs }));
    const { described, ioManagers, codeBase, codeVersionOf } = this.#code ?? noCode;
    const environment = {
      assets: described.assets,
      checks: described.checks,
      ioManagers,
      codeVersionOf,
      resources: this.#resources,
      codeBase,
      redaction: this.#redaction,
      log,
    };
    const runner = new StepRunner(environment, command, {
      started: () => this.#send({ kind: "started", attemptId }),
      computed: (computed, verdicts) => this.#send({ kind: "computed", attemptId, computed, verdicts }),
      checkStarted: ({ name, version: checkVersion = 1, timeoutMs = 0 }) => {
        // Without a timeout of its own the step's holds, which the serving process knows.
        if (timeoutMs > 0) this.#send({ kind: "checkStarted", attemptId, name, checkVersion, timeoutMs });
      },
      checkCompleted: (check) => this.#send({ kind: "checkCompleted", attemptId, check }),
    });
    this.#running = { command, runner, log };
    this.#output.capture = log;
    const finished = await runner.run();
    this.#output.capture = undefined;
    this.#running = undefined;
    this.#send({ kind: "finished", attemptId, logs: log.take(), finished, isLast: false });
  }

  /** An error that nobody caught leaves the process in no known state: it reports the attempt failed and ends. */
  #dieOf(error: unknown): void {
    const running = this.#running;
    if (running === undefined) {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exit(1);
    }
    this.#running = undefined;
    this.#output.capture = undefined;
    const cleaning = { codeBase: this.#code?.codeBase, redaction: this.#redaction };
    const finished = {
      outcome: Outcome.OUTCOME_FAILED,
      computed: undefined,
      checks: [],
      error: {
        ...stepError(error, "step.uncaught", cleaning),
        hint: "Await every promise and handle every 'error' event in compute.",
      },
      permanent: false,
    };
    const { attemptId } = running.command;
    this.#send({ kind: "finished", attemptId, logs: running.log.take(), finished, isLast: true }, () =>
      process.exit(1),
    );
  }
}

const noCode: Pick<LoadedCode, "described" | "ioManagers" | "codeVersionOf"> & { readonly codeBase: undefined } = {
  described: { entries: [], assets: new Map(), checks: new Map() },
  ioManagers: [],
  codeVersionOf: () => "",
  codeBase: undefined,
};
