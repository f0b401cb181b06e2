import type { CheckCompleted, ComputationCommand, Computed, Finished, StepCommand } from "@headgate/proto";
import { Outcome } from "@headgate/proto";
import type { AnyAssetCheck } from "../asset-check.ts";
import { outputsCall } from "./compute-outputs.ts";
import { partitionsCall } from "./compute-partitions.ts";
import type { ComputedMember, MemberStep, SharedCall } from "./computed-member.ts";
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

type Stored = readonly [MemberStep, MaterializedVersion];

/** Several partitions of one asset, or outputs of one multi-asset. */
function callOf(environment: StepEnvironment, command: ComputationCommand): SharedCall {
  const [first, ...others] = command.members;
  const isOfOne = others.length > 0 && others.every(({ assetKey }) => assetKey === first?.assetKey);
  return isOfOne ? partitionsCall(environment, command) : outputsCall(environment, command);
}

/** Several attempts that one call computes, in this process. Each ends for itself. */
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
      const call = callOf(this.#environment, this.#command);
      const computed = await call.compute(this.#abort.signal);
      clearTimeout(startedTimer);
      await this.#check(call.isWhole ? await this.#storeWhole(computed) : await this.#storeEach(computed));
    } catch (error) {
      for (const id of this.openIds) this.#end(id, { error });
    } finally {
      clearTimeout(startedTimer);
    }
  }

  /** Each counts for itself, and as soon as it is stored. */
  async #storeEach(computed: readonly ComputedMember[]): Promise<Stored[]> {
    const stored: Stored[] = [];
    for (const each of computed) {
      try {
        const one = await this.#stored(each);
        this.#durable(one);
        stored.push(one);
      } catch (error) {
        this.#end(each.member.command.attemptId, { error });
      }
    }
    return stored;
  }

  /** Only the whole counts: nothing is told before all is stored, and one that cannot be takes the others with it. */
  async #storeWhole(computed: readonly ComputedMember[]): Promise<Stored[]> {
    const stored: Stored[] = [];
    const failed: (readonly [ComputedMember, unknown])[] = [];
    for (const each of computed) {
      if (failed.length > 0 && each.failure === undefined) continue;
      try {
        stored.push(await this.#stored(each));
      } catch (error) {
        failed.push([each, error]);
      }
    }
    const [first] = failed;
    for (const [{ member }, error] of failed) this.#end(member.command.attemptId, { error });
    if (first !== undefined) {
      for (const id of this.openIds) this.#endWithSibling(id, ...first);
      return [];
    }
    for (const one of stored) this.#durable(one);
    return stored;
  }

  async #stored({ member, returned, said, verdicts, failure }: ComputedMember): Promise<Stored> {
    if (failure !== undefined) throw failure.error;
    const { command, work, asset } = member;
    const { signal } = this.#abort;
    signal.throwIfAborted();
    const version = await storeVersion(this.#environment, asset, command, work, returned, said, signal);
    return [member, { ...version, verdicts }];
  }

  /** What needs no more ends at once; the rest when its checks have. */
  #durable([{ command, work }, version]: Stored): void {
    const open = this.#open.get(command.attemptId);
    if (open === undefined) return;
    open.computed = version.computed;
    open.checks.push(...version.verdicts);
    if (work.checks.length === 0) this.#end(command.attemptId);
    else this.#reports.computed(command.attemptId, version.computed, version.verdicts);
  }

  async #check(stored: readonly Stored[]): Promise<void> {
    for (const [{ command, work }, version] of stored) {
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

  #endWithSibling(attemptId: string, { member }: ComputedMember, error: unknown): void {
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
