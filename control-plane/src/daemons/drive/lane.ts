import type { AttemptReport, StepCommand } from "../../domain/attempt-report.ts";
import type { Run, RunStep } from "../../domain/run-state.ts";

/** A session with one instance of a location, as far as the drive uses it. */
export interface DriveSession {
  send(batch: {
    acknowledgements?: { attemptId: string; sequence: number }[];
    closedRuns?: string[];
    cancels?: { attemptId: string; graceMs: number }[];
    commands?: StepCommand[];
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

/** One location as the drive sees it: its session, its credits, what it has said and what waits for it. */
export class Lane {
  readonly location: string;
  session: DriveSession | undefined;
  instanceId = "";
  credits = 0;
  /** Steps whose gate is open and that wait for a credit, first come, first served. */
  readonly ready: RunAndStep[] = [];
  #reports: AttemptReport[] = [];
  #paused = false;

  constructor(location: string) {
    this.location = location;
  }

  take(reports: readonly AttemptReport[]): void {
    for (const report of reports) this.#reports.push(report);
    if (!this.#paused && this.#reports.length > reportsMax) {
      this.#paused = true;
      this.session?.pause();
    }
  }

  /** The next reports, in order; `max` 1 isolates a culprit. */
  next(max = reportsPerFlush): AttemptReport[] {
    const taken = this.#reports.splice(0, max);
    if (this.#paused && this.#reports.length === 0) {
      this.#paused = false;
      this.session?.resume();
    }
    return taken;
  }

  /** What an ended session said and was not taken in comes again over the next one. */
  forgetReports(): void {
    this.#reports = [];
    this.#paused = false;
  }

  get hasReports(): boolean {
    return this.#reports.length > 0;
  }
}
