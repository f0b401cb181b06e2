import type { AttemptPosition, HeldAttempt, StepCommand } from "@headgate/proto";
import { AttemptLog, LogBudget } from "./attempt-log.ts";
import type { Attempt, Work } from "./attempt.ts";
import type { EarlyEvent } from "./early-results.ts";
import { EarlyResults } from "./early-results.ts";
import { RunEpochs } from "./run-epochs.ts";
import type { Session } from "./session.ts";
import { Tombstones } from "./tombstones.ts";

/** The attempts that an instance holds, and what it must remember of those that it let go. */
export class AttemptBook {
  readonly #attempts = new Map<string, Attempt>();
  readonly #tombstones = new Tombstones();
  readonly #epochs = new RunEpochs();
  readonly #logBudget = new LogBudget();
  readonly #forgotten: () => void;
  /** Of which some attempt has not ended. */
  readonly #working = new Set<Work>();
  #finishedCount = 0;

  /** `forgotten` is called after an attempt was let go. */
  constructor(forgotten: () => void) {
    this.#forgotten = forgotten;
  }

  /** Attempts that run, wait, or are finished and not acknowledged. */
  get size(): number {
    return this.#attempts.size;
  }

  /** Attempts that finished and were not acknowledged. */
  get finishedCount(): number {
    return this.#finishedCount;
  }

  /** What waits for a worker process, or has one. */
  get workCount(): number {
    return this.#working.size;
  }

  get(attemptId: string): Attempt | undefined {
    return this.#attempts.get(attemptId);
  }

  values(): Iterable<Attempt> {
    return this.#attempts.values();
  }

  held(): HeldAttempt[] {
    return [...this.#attempts.values()].map(({ id, runId, state, log }) => {
      return { attemptId: id, runId, finished: state === "finished", sequence: log.sequence };
    });
  }

  /** False if a higher epoch of the command's run was seen. */
  admits({ runId, epoch }: StepCommand): boolean {
    return this.#epochs.admit(runId, epoch);
  }

  isTombstoned(attemptId: string): boolean {
    return this.#tombstones.has(attemptId);
  }

  /** `tell` is given what the attempt's worker says of its version and checks before the end. */
  add(
    work: Work,
    command: StepCommand,
    session: Session,
    tell: (attempt: Attempt, event: EarlyEvent) => void,
  ): Attempt {
    const attempt: Attempt = {
      id: command.attemptId,
      runId: command.runId,
      command,
      work,
      log: new AttemptLog(command.attemptId, this.#logBudget),
      receivedAtMs: performance.now(),
      state: "queued",
      session,
      abortReason: undefined,
      timeoutTimer: undefined,
      killTimer: undefined,
      checkTimer: undefined,
      early: new EarlyResults((event) => tell(attempt, event)),
    };
    this.#attempts.set(attempt.id, attempt);
    work.attempts.push(attempt);
    this.#working.add(work);
    return attempt;
  }

  finish(attempt: Attempt): void {
    clearTimers(attempt);
    attempt.state = "finished";
    this.#finishedCount++;
    this.#look(attempt.work);
  }

  /** What was stored elsewhere need not be kept; an attempt whose end was stored is let go. */
  acknowledge({ attemptId, sequence }: AttemptPosition): void {
    const attempt = this.#attempts.get(attemptId);
    if (attempt === undefined) return;
    attempt.log.acknowledge(sequence);
    if (attempt.state === "finished" && attempt.log.events.length === 0) this.bury(attempt);
  }

  /** Lets an attempt go; its command is refused from now on. */
  bury(attempt: Attempt): void {
    this.#tombstones.add(attempt.id, attempt.runId);
    this.#forget(attempt);
  }

  /** Nobody will ask about this run again. */
  closeRun(runId: string): void {
    this.#tombstones.closeRun(runId);
    this.#epochs.forget(runId);
    for (const attempt of this.#attempts.values()) {
      if (attempt.runId === runId && attempt.state === "finished") this.#forget(attempt);
    }
  }

  close(): void {
    for (const attempt of this.#attempts.values()) clearTimers(attempt);
  }

  /** A worker process is done with what has no attempt left that has not ended. */
  #look(work: Work): void {
    const isLeft = (attempt: Attempt) => attempt.state !== "finished" && this.#attempts.has(attempt.id);
    if (!work.attempts.some(isLeft)) this.#working.delete(work);
  }

  #forget(attempt: Attempt): void {
    attempt.log.acknowledge(attempt.log.sequence);
    clearTimers(attempt);
    this.#attempts.delete(attempt.id);
    if (attempt.state === "finished") this.#finishedCount--;
    else this.#look(attempt.work);
    this.#forgotten();
  }
}

function clearTimers(attempt: Attempt): void {
  clearTimeout(attempt.timeoutTimer);
  clearTimeout(attempt.killTimer);
  clearTimeout(attempt.checkTimer);
  attempt.early.forget();
}
