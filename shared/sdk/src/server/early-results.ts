import type { AttemptEvent, CheckCompleted, Computed, Finished } from "@headgate/proto";
import { Outcome } from "@headgate/proto";

export type EarlyEvent = NonNullable<AttemptEvent["event"]>;

const computedAfterMs = 250;

/**
 * What a worker said of an attempt's version and checks before the attempt ended. It is held back for a moment, since
 * most attempts end at once and say it all in one event; it is told when the checks last, and when the worker dies: a
 * value that is durable is not computed again because a check ended its process.
 */
export class EarlyResults {
  readonly #tell: (event: EarlyEvent) => void;
  #held: EarlyEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isTold = false;

  constructor(tell: (event: EarlyEvent) => void) {
    this.#tell = tell;
  }

  computed(computed: Computed, verdicts: readonly CheckCompleted[]): void {
    this.#held.push({ $case: "computed", value: computed });
    for (const value of verdicts) this.#held.push({ $case: "checkCompleted", value });
    this.#timer = setTimeout(() => this.tell(), computedAfterMs);
  }

  checkCompleted(check: CheckCompleted): void {
    const event: EarlyEvent = { $case: "checkCompleted", value: check };
    if (this.#isTold) this.#tell(event);
    else this.#held.push(event);
  }

  /** Tells what is held back, and from now on everything at once. */
  tell(): void {
    clearTimeout(this.#timer);
    if (this.#held.length === 0) return;
    this.#isTold = true;
    for (const event of this.#held.splice(0)) this.#tell(event);
  }

  /** The end of the attempt as its worker reports it, without what was told before. */
  finished(finished: Finished): Finished {
    const saidCount = finished.checks.length + (finished.computed === undefined ? 0 : 1);
    // A version counts only if the step may keep it: after a cancel nobody is told of it any more.
    const isCanceled = finished.outcome === Outcome.OUTCOME_CANCELED;
    // A worker that dies of an error nobody caught says only that.
    if (!isCanceled && this.#held.length > saidCount) this.tell();
    this.forget();
    return this.#isTold || isCanceled ? { ...finished, computed: undefined, checks: [] } : finished;
  }

  forget(): void {
    clearTimeout(this.#timer);
    this.#held = [];
  }
}
