import type { Computed, Materialize, RunChecks, StepCommand, VersionReference } from "@headgate/proto";
import type { CheckCompleted, Finished } from "@headgate/proto";
import type { AnyAssetCheck } from "../asset-check.ts";
import type { AnyAsset } from "../asset.ts";
import { runChecks } from "./run-checks.ts";
import { materializePartition } from "./compute-partitions.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { abortError, endedBy, endedInOrder } from "./step-end.ts";
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
    this.#abort.abort(abortError(reason, this.#command.timeoutMs));
  }

  /** Runs to the end; never throws. */
  async run(): Promise<Finished> {
    const startedTimer = setTimeout(() => this.#reports.started(), startedAfterMs);
    try {
      await this.#work(startedTimer);
      if (this.#abortReason !== undefined) return this.#ended(this.#abort.signal.reason);
      return endedInOrder({ computed: this.#computed, checks: this.#checks });
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
    if (this.#environment.outputs.has(asset.key)) {
      // Its compute is that of several: it returns and is told something else.
      const words = `${asset.key} is one of several assets that a multi-asset computes in one call.`;
      throw new StepFailure("step.output_alone", words, "Materialize it by a run, which computes them together.");
    }
    const make = asset.batch === undefined ? materialize : materializePartition;
    const version = await make(this.#environment, asset, this.#command, work, this.#abort.signal);
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
    const done = { computed: this.#computed, checks: this.#checks };
    const asset = this.#environment.assets.get(this.#command.assetKey);
    return endedBy(done, error, this.#abortReason, this.#abort.signal.reason, this.#environment, asset);
  }
}
