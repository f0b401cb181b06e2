import type { CheckCompleted, ComputationCommand, Computed, Finished, StepCommand } from "@headgate/proto";
import { Outcome } from "@headgate/proto";
import type { AnyAssetCheck } from "../asset-check.ts";
import { computeOutputs, memberSteps } from "./compute-outputs.ts";
import type { ComputedOutput } from "./compute-outputs.ts";
import { storeVersion } from "./materialize.ts";
import type { MaterializedVersion } from "./materialize.ts";
import { retryWish } from "./retry-wish.ts";
import { runChecks } from "./run-checks.ts";
import { abortError, endedBy, endedInOrder } from "./step-end.ts";
import type { StepEnvironment } from "./step-environment.ts";
import { stepError } from "./step-error.ts";
import type { AbortReason } from "./worker-protocol.ts";

/** What a computation says of its attempts, each by its id. */
export interface ComputationReports {
  started(attemptId: string): void;
  /** The value is durable, and checks of it follow. */
  computed(attemptId: string, computed: Computed, verdicts: readonly CheckCompleted[]): void;
  /** One check, or several that one function judges. */
  checkStarted(attemptId: string, checks: readonly AnyAssetCheck[]): void;
  checkCompleted(attemptId: string, check: CheckCompleted): void;
  finished(attemptId: string, finished: Finished): void;
}

const startedAfterMs = 250;

/** Several attempts that one call of a multi-asset computes, in this process. Each ends for itself. */
export class ComputationRunner {
  readonly #environment: StepEnvironment;
  readonly #command: ComputationCommand;
  readonly #reports: ComputationReports;
  readonly #abort = new AbortController();
  #abortReason: AbortReason | undefined;
  /** What has not ended, in order. */
  readonly #open: Map<string, { readonly command: StepCommand; computed?: Computed; checks: CheckCompleted[] }>;

  constructor(environment: StepEnvironment, command: ComputationCommand, reports: ComputationReports) {
    this.#environment = environment;
    this.#command = command;
    this.#reports = reports;
    this.#open = new Map(command.members.map((member) => [member.attemptId, { command: member, checks: [] }]));
  }

  /** Attempts that have not ended, in order: what is printed belongs to the first. */
  get openIds(): string[] {
    return [...this.#open.keys()];
  }

  abort(reason: AbortReason): void {
    this.#abortReason ??= reason;
    this.#abort.abort(abortError(reason, this.#command.members[0]?.timeoutMs ?? 0));
  }

  /** Runs to the end of every attempt; never throws. */
  async run(): Promise<void> {
    const startedTimer = setTimeout(() => this.openIds.forEach((id) => this.#reports.started(id)), startedAfterMs);
    try {
      const members = memberSteps(this.#environment, this.#command.members);
      const outputs = await computeOutputs(this.#environment, members, this.#command, this.#abort.signal);
      const stored = await this.#store(outputs);
      clearTimeout(startedTimer);
      await this.#check(stored);
    } catch (error) {
      for (const id of this.openIds) this.#end(id, { error });
    } finally {
      clearTimeout(startedTimer);
    }
  }

  /** Stores what was computed. Where only the whole counts, one that cannot be stored takes the others with it. */
  async #store(outputs: readonly ComputedOutput[]): Promise<(readonly [ComputedOutput, MaterializedVersion])[]> {
    const stored: (readonly [ComputedOutput, MaterializedVersion])[] = [];
    const failed: (readonly [ComputedOutput, unknown])[] = [];
    for (const output of outputs) {
      const { asset, multi } = output.member.output;
      if (failed.length > 0 && !multi.canSubset && output.error === undefined) continue;
      try {
        if (output.error !== undefined) throw output.error;
        const { command, work } = output.member;
        const { returned, said } = output;
        const signal = this.#abort.signal;
        stored.push([output, await storeVersion(this.#environment, asset, command, work, returned, said, signal)]);
      } catch (error) {
        failed.push([output, error]);
      }
    }
    const [first] = failed;
    if (first === undefined) return stored;
    for (const [{ member }, error] of failed) this.#end(member.command.attemptId, { error });
    if (first[0].member.output.multi.canSubset) return stored;
    for (const id of this.openIds) this.#endWithSibling(id, ...first);
    return [];
  }

  /** What needs no more ends at once; the rest when its checks have. */
  async #check(stored: readonly (readonly [ComputedOutput, MaterializedVersion])[]): Promise<void> {
    for (const [{ member }, version] of stored) {
      const open = this.#open.get(member.command.attemptId);
      if (open === undefined) continue;
      open.computed = version.computed;
      if (member.work.checks.length > 0)
        this.#reports.computed(member.command.attemptId, version.computed, version.verdicts);
    }
    for (const [{ member }] of stored) if (member.work.checks.length === 0) this.#end(member.command.attemptId);
    for (const [{ member }, version] of stored) {
      const { command, work } = member;
      const { attemptId } = command;
      const open = this.#open.get(attemptId);
      if (open === undefined) continue;
      await runChecks(this.#environment, command, version.reference, work.checks, this.#abort.signal, {
        started: (checks) => this.#reports.checkStarted(attemptId, checks),
        completed: (check) => {
          open.checks.push(check);
          this.#reports.checkCompleted(attemptId, check);
        },
      });
      this.#end(attemptId);
    }
  }

  /** Ends an attempt: in order, by an error, or since it was told to stop. */
  #end(attemptId: string, failure?: { readonly error: unknown }): void {
    const open = this.#open.get(attemptId);
    if (open === undefined) return;
    this.#open.delete(attemptId);
    const done = { computed: open.computed, checks: open.checks };
    const reason = this.#abortReason;
    const inOrder = failure === undefined && reason === undefined;
    const abort: unknown = this.#abort.signal.reason;
    const asset = this.#environment.assets.get(open.command.assetKey);
    this.#reports.finished(
      attemptId,
      inOrder ? endedInOrder(done) : endedBy(done, failure?.error, reason, abort, this.#environment, asset),
    );
  }

  #endWithSibling(attemptId: string, { member }: ComputedOutput, error: unknown): void {
    if (this.#abortReason !== undefined) return this.#end(attemptId, { error });
    const sibling = member.command.assetKey;
    const why = {
      code: "step.sibling_failed",
      message: `One call computes it together with ${sibling}, which failed: this one does not count alone.`,
      hint: `See what became of ${sibling}.`,
    };
    this.#open.delete(attemptId);
    this.#reports.finished(attemptId, {
      outcome: Outcome.OUTCOME_FAILED,
      computed: undefined,
      checks: [],
      error: { ...stepError(why, why.code, this.#environment) },
      ...retryWish(error),
    });
  }
}
