import type { AttemptReport, FinishedReport } from "../../domain/attempt-report.ts";
import type { RunStep } from "../../domain/run-state.ts";

/** As much as is asked of an attempt here. */
export interface Member {
  readonly id: string;
  readonly step: RunStep;
  /** Its version is recorded, or about to be. */
  readonly computed: boolean;
}

/** Reports held of one computation, at most, and bytes of them. */
const heldMax = 5_000;
const heldSizeBytesMax = 16 * 1_048_576;

/** What a member's end without a version means for the others. */
export interface Fall {
  readonly attemptId: string;
  readonly asset: string;
  readonly finished: FinishedReport;
}

/**
 * Attempts that one call computes: leased in one flush and sent in one command. Each is settled for itself.
 *
 * Where the call computes all or nothing (`isWhole`), their versions are recorded in one flush or not at all: what they
 * report is held until the last of them has a version, or one has ended without.
 */
export class Computation<M extends Member> {
  /** Of the first member's attempt. */
  readonly id: string;
  /** How many were leased together. */
  readonly size: number;
  readonly isWhole: boolean;
  /** In flight, in the order of their steps. */
  readonly attempts = new Set<M>();
  /** "gathering": some versions are still to come; "recorded": nothing is held; "fallen": no version will count. */
  #phase: "gathering" | "recorded" | "fallen";
  #fall: Fall | undefined;
  readonly #durable = new Set<string>();
  #held: { readonly attempt: M; readonly report: AttemptReport }[] = [];
  #heldSizeBytes = 0;

  constructor(id: string, size: number, isWhole: boolean) {
    this.id = id;
    this.size = size;
    this.isWhole = isWhole;
    this.#phase = isWhole ? "gathering" : "recorded";
  }

  get phase(): "gathering" | "recorded" | "fallen" {
    return this.#phase;
  }

  /** Why no version counts; undefined: nobody knows any more. */
  get fall(): Fall | undefined {
    return this.#fall;
  }

  /** True while none of its members has ended. */
  get isComplete(): boolean {
    return this.attempts.size === this.size;
  }

  /** After a takeover: what the database says of its members. They were recorded together, so one tells of all. */
  adopted(): void {
    if (!this.isWhole) return;
    if ([...this.attempts].every((attempt) => attempt.computed)) this.#phase = "recorded";
    else if (!this.isComplete) this.#phase = "fallen";
  }

  /** True if this report has to wait: its member has said that it has a version, and some other has not. */
  holds(attempt: M, report: AttemptReport): boolean {
    if (this.#phase !== "gathering") return false;
    const ends = report.kind === "computed" || report.kind === "finished";
    if (!ends && !this.#held.some((held) => held.attempt === attempt)) return false;
    this.#held.push({ attempt, report });
    this.#heldSizeBytes += report.sizeBytes ?? 0;
    if (report.kind === "computed" || (report.kind === "finished" && report.finished.computed !== undefined)) {
      this.#durable.add(attempt.id);
      if (this.#durable.size === this.size) this.#phase = "recorded";
    }
    return true;
  }

  /** More is held than one flush could carry. */
  get isFull(): boolean {
    return this.#held.length > heldMax || this.#heldSizeBytes > heldSizeBytesMax;
  }

  /** True if this member has said that its version is durable. */
  isDurable(attempt: M): boolean {
    return attempt.computed || this.#durable.has(attempt.id);
  }

  /** A member has ended without a version. */
  falls(attempt: M, finished: FinishedReport): void {
    if (this.#phase !== "gathering") return;
    this.#phase = "fallen";
    this.#fall = { attemptId: attempt.id, asset: attempt.step.spec.asset, finished };
  }

  /** What was held, in its order, once nothing has to wait any more. */
  release(): readonly { readonly attempt: M; readonly report: AttemptReport }[] {
    if (this.#phase === "gathering") return [];
    this.#heldSizeBytes = 0;
    return this.#held.splice(0);
  }

  /** Its session is over: what was not taken in comes again over the next one. */
  forgetHeld(): void {
    this.#held = [];
    this.#heldSizeBytes = 0;
    this.#durable.clear();
  }
}

/** True for an attempt that speaks for all that are computed with it: what concerns all is said once. */
export function isLead<M extends Member>(attempt: M & { readonly computation: Computation<M> | undefined }): boolean {
  const [first] = attempt.computation?.attempts ?? [];
  return first === undefined || first === attempt;
}
