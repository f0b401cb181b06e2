import type { AttemptReport, ComputationCommand, StepCommand } from "../../domain/attempt-report.ts";
import type { Run, RunStep } from "../../domain/run-state.ts";

/** A session with one instance of a location, as far as the drive uses it. */
export interface DriveSession {
  send(batch: {
    acknowledgements?: { attemptId: string; sequence: number }[];
    closedRuns?: string[];
    cancels?: { attemptId: string; graceMs: number }[];
    commands?: StepCommand[];
    computations?: ComputationCommand[];
  }): void;
  pause(): void;
  resume(): void;
  close(): void;
}

export interface RunAndStep {
  readonly run: Run;
  readonly step: RunStep;
}

/** Reports taken from one location in one flush, at most: its share, so that a flood delays itself. */
const reportsPerFlush = 500;
/** Reports waiting beyond which the location's stream is paused. */
const reportsMax = 5_000;

/** Bytes of them beyond which it is paused as well: five thousand reports may be gigabytes. */
const reportsSizeBytesMax = 16 * 1_048_576;
/** Bytes of them taken in one flush, but for the last. */
const flushSizeBytes = 2 * 1_048_576;

/** One location as the drive sees it: its session, its credits, what it has said and what waits for it. */
export class Lane {
  readonly location: string;
  session: DriveSession | undefined;
  instanceId = "";
  credits = 0;
  /** Steps whose gate is open and that wait for a credit, first come, first served. */
  readonly ready: RunAndStep[] = [];
  #reports: AttemptReport[] = [];
  #reportsSizeBytes = 0;
  #paused = false;

  constructor(location: string) {
    this.location = location;
  }

  /** The next that wait for a credit, at most `max` of those that still do. */
  takeReady(max: number): RunAndStep[] {
    let taken = 0;
    let waiting = 0;
    while (waiting < max && taken < this.ready.length) {
      if (this.ready[taken++]?.step.state.phase === "waiting") waiting++;
    }
    return this.ready.splice(0, taken);
  }

  take(reports: readonly AttemptReport[]): void {
    for (const report of reports) {
      this.#reports.push(report);
      this.#reportsSizeBytes += report.sizeBytes ?? 0;
    }
    if (!this.#paused && (this.#reports.length > reportsMax || this.#reportsSizeBytes > reportsSizeBytesMax)) {
      this.#paused = true;
      this.session?.pause();
    }
  }

  /** The next reports, in order; `max` 1 isolates a culprit. */
  next(max = reportsPerFlush): AttemptReport[] {
    let count = 0;
    let sizeBytes = 0;
    while (count < Math.min(max, this.#reports.length) && sizeBytes < flushSizeBytes) {
      sizeBytes += this.#reports[count++]?.sizeBytes ?? 0;
    }
    const taken = this.#reports.splice(0, count);
    this.#reportsSizeBytes -= sizeBytes;
    if (this.#paused && this.#reports.length === 0) {
      this.#paused = false;
      this.session?.resume();
    }
    return taken;
  }

  /** What an ended session said and was not taken in comes again over the next one. */
  forgetReports(): void {
    this.#reports = [];
    this.#reportsSizeBytes = 0;
    this.#paused = false;
  }

  get hasReports(): boolean {
    return this.#reports.length > 0;
  }
}
