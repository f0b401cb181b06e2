import type { Computed, Materialize, RunChecks, StepCommand, StepError, VersionReference } from "@headgate/proto";
import { Outcome } from "@headgate/proto";
import type { CheckCompleted, Finished } from "@headgate/proto";
import type { AnyAssetCheck } from "../asset-check.ts";
import type { AnyAsset } from "../asset.ts";
import { retryWish } from "./retry-wish.ts";
import { runChecks } from "./run-checks.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { stepError } from "./step-error.ts";
import { StepFailure } from "./step-failure.ts";
import { materialize } from "./materialize.ts";
import type { AbortReason } from "./worker-protocol.ts";

/**
 * What a step says before it has finished, at once: the next check may end the process, or never let go of it. What
 * `Finished` says is complete all the same.
 */
export interface StepReports {
  started(): void;
  /** The value is durable, with the verdicts of compute itself; checks of it follow. */
  computed(computed: Computed, verdicts: readonly CheckCompleted[]): void;
  /** Several: one function judges them together. */
  checkStarted(checks: readonly AnyAssetCheck[]): void;
  checkCompleted(check: CheckCompleted): void;
}

const startedAfterMs = 250;

/** One attempt of a step in this process. */
export class StepRunner {
  readonly #environment: StepEnvironment;
  readonly #command: StepCommand;
  readonly #reports: StepReports;
  readonly #abort = new AbortController();
  #abortReason: AbortReason | undefined;
  #computed: Computed | undefined;
  #checks: CheckCompleted[] = [];

  constructor(environment: StepEnvironment, command: StepCommand, reports: StepReports) {
    this.#environment = environment;
    this.#command = command;
    this.#reports = reports;
  }

  abort(reason: AbortReason): void {
    this.#abortReason ??= reason;
    const words =
      reason === "canceled"
        ? "The step was canceled."
        : `The step ran into its timeout of ${this.#command.timeoutMs} ms.`;
    this.#abort.abort(new StepFailure(reason === "canceled" ? "step.canceled" : "step.timed_out", words, ""));
  }

  /** Runs to the end; never throws. */
  async run(): Promise<Finished> {
    const startedTimer = setTimeout(() => this.#reports.started(), startedAfterMs);
    try {
      await this.#work(startedTimer);
      if (this.#abortReason !== undefined) return this.#ended(this.#abort.signal.reason);
      const errored = this.#checks.find((check) => check.error !== undefined);
      const outcome = errored === undefined ? Outcome.OUTCOME_SUCCEEDED : Outcome.OUTCOME_FAILED;
      return this.#finished({ outcome, error: errored && noVerdict(errored) });
    } catch (error) {
      return this.#ended(error);
    } finally {
      clearTimeout(startedTimer);
    }
  }

  async #work(startedTimer: NodeJS.Timeout): Promise<void> {
    const { work } = this.#command;
    if (work === undefined)
      throw new StepFailure("step.command_invalid", "The command has no work.", "Update this location's SDK.");
    switch (work.$case) {
      case "materialize":
        return this.#materialize(work.value, startedTimer);
      case "runChecks":
        return this.#runChecks(work.value);
    }
  }

  async #materialize(work: Materialize, startedTimer: NodeJS.Timeout): Promise<void> {
    const asset = this.#asset();
    const version = await materialize(this.#environment, asset, this.#command, work, this.#abort.signal);
    clearTimeout(startedTimer);
    this.#computed = version.computed;
    this.#checks.push(...version.verdicts);
    if (work.checks.length === 0 || this.#abort.signal.aborted) return;
    this.#reports.computed(version.computed, version.verdicts);
    await this.#check(version.reference, work.checks);
  }

  async #runChecks(work: RunChecks): Promise<void> {
    if (work.version === undefined) {
      throw new StepFailure(
        "step.command_invalid",
        "The command names no version to check.",
        "Update this location's SDK.",
      );
    }
    await this.#check(work.version, work.checks);
  }

  async #check(version: VersionReference, names: readonly string[]): Promise<void> {
    const signal = this.#abort.signal;
    await runChecks(this.#environment, this.#command, version, names, signal, {
      started: (checks) => this.#reports.checkStarted(checks),
      completed: (check) => {
        this.#checks.push(check);
        this.#reports.checkCompleted(check);
      },
    });
  }

  #asset(): AnyAsset {
    const asset = this.#environment.assets.get(this.#command.assetKey);
    if (asset !== undefined) return asset;
    throw new StepFailure(
      "step.asset_unknown",
      `This location's code does not define the asset ${this.#command.assetKey}, or it did not load.`,
      "See the location's definition errors; mend them, or deploy the code that has the asset.",
    );
  }

  #ended(error: unknown): Finished {
    const reason = this.#abortReason;
    const aborted = reason !== undefined;
    const code = reason === "canceled" ? "step.canceled" : reason === "timedOut" ? "step.timed_out" : "step.threw";
    const outcome =
      reason === "canceled" ? Outcome.OUTCOME_CANCELED : aborted ? Outcome.OUTCOME_TIMED_OUT : Outcome.OUTCOME_FAILED;
    // What user code throws once it was told to stop is the echo of the abort, and no cause of its own.
    const shown = aborted
      ? { ...stepError(this.#abort.signal.reason, code, this.#environment), code }
      : stepError(error, code, this.#environment, this.#environment.assets.get(this.#command.assetKey));
    return this.#finished({ outcome, error: shown, ...(aborted ? {} : retryWish(error)) });
  }

  #finished(parts: Pick<Finished, "outcome" | "error"> & Partial<Finished>): Finished {
    return {
      computed: this.#computed,
      checks: this.#checks,
      permanent: false,
      ...parts,
    };
  }
}

/** The step's error names the check: the check's own may be as short as what user code threw. */
function noVerdict({ name, error }: CheckCompleted): StepError | undefined {
  if (error === undefined || (error.code.startsWith("check.") && error.code !== "check.threw")) return error;
  const how = error.code === "check.threw" ? "threw" : "reached no verdict";
  return { ...error, message: `The check "${name}" ${how}: ${error.message}` };
}
