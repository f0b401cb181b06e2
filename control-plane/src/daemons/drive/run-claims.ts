import type pg from "pg";
import type { Run } from "../../domain/run-state.ts";
import {
  claimRuns,
  readCancelRequests,
  readClosed,
  readInFlight,
  readPins,
  readSteps,
} from "../../storage/claim-runs.ts";
import { adoptRun, assetsOf } from "./adopt.ts";
import { isLead } from "./computation.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import { endUnleased } from "./evaluate.ts";
import { type InstanceContact, cancelGraceMs } from "./instance-contact.ts";

export interface RunClaimsOptions {
  readonly pool: pg.Pool;
  readonly daemon: string;
  readonly drive: DriveState;
  readonly contact: InstanceContact;
  readonly pump: () => void;
  readonly failed: (error: unknown) => void;
  /** Runs driven at once, at most; default 500. */
  readonly runsMax: number | undefined;
}

/** Claimed in one statement, at most. */
const claimMax = 100;

/** Takes runs that nobody drives into memory, new ones and those that another driver has left, and cancels on request. */
export class RunClaims {
  readonly #options: RunClaimsOptions;
  readonly #drive: DriveState;
  /** Adopted with nothing left to do: their driver died between their last step's end and their own. */
  readonly #unfinished = new Set<Run>();
  readonly #canceling = new Set<Run>();
  #claiming: Promise<void> | undefined;
  #claimAgain = false;
  #stopped = false;

  constructor(options: RunClaimsOptions) {
    this.#options = options;
    this.#drive = options.drive;
  }

  /** Resolves once nothing is being claimed, and nothing will be. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#claiming;
  }

  /** Looks for runs to drive, and for cancellations. */
  claim(): void {
    if (this.#claiming !== undefined) {
      this.#claimAgain = true;
      return;
    }
    this.#claiming = this.#claimAll()
      .catch((error: unknown) => this.#options.failed(error))
      .finally(() => {
        this.#claiming = undefined;
        if (this.#claimAgain && !this.#stopped) {
          this.#claimAgain = false;
          this.claim();
        }
      });
  }

  async #claimAll(): Promise<void> {
    const { pool, daemon, runsMax = 500 } = this.#options;
    if (this.#stopped) return;
    const { generation } = this.#drive;
    const room = runsMax - this.#drive.runs.size;
    const claimed =
      room <= 0 ? [] : await claimRuns(pool, daemon, Math.min(room, claimMax), [...this.#drive.runs.keys()]);
    if (claimed.length > 0) {
      const ids = claimed.map((run) => run.id);
      const [steps, attempts, pins, closed] = await Promise.all([
        readSteps(pool, ids),
        readInFlight(pool, ids),
        readPins(pool, ids),
        readClosed(pool, ids),
      ]);
      if (generation !== this.#drive.generation) return; // Memory was dropped: they are claimed again.
      const runs = claimed.map((run) =>
        adoptRun(
          this.#drive,
          run,
          steps.filter((step) => step.run_id === run.id),
          attempts.filter((attempt) => attempt.run_id === run.id),
          pins.filter((pin) => pin.run_id === run.id),
          closed.has(run.id),
        ),
      );
      for (const run of runs) if (run.open === 0) this.#unfinished.add(run);
      for (const run of claimed) if (run.cancelRequested) this.#cancel(run.id);
      // Who launches a run may count on all that was committed before.
      await this.#drive.memory.revalidate([...new Set(runs.flatMap((run) => assetsOf(this.#drive, run)))]);
      if (attempts.length > 0) this.#reconcile(new Set(attempts.map((attempt) => attempt.location)));
      this.#options.pump();
      if (claimed.length === claimMax) this.#claimAgain = true;
    }
    for (const id of await readCancelRequests(pool, daemon)) this.#cancel(id);
  }

  /** Attempts adopted while their location's session is open already: a new greeting tells what became of them. */
  #reconcile(locations: ReadonlySet<string>): void {
    for (const location of locations) {
      this.#options.contact.settleExited(location);
      this.#drive.lane(location).session?.close();
    }
  }

  #cancel(id: string): void {
    const run = this.#drive.runs.get(id);
    if (run === undefined || run.canceling) return;
    run.canceling = true;
    this.#canceling.add(run);
    this.#options.pump();
  }

  /** Writes the ends of runs that have nothing left to do, and what a request to cancel ends at once. */
  compose(cycle: Cycle): void {
    const drive = this.#drive;
    for (const run of this.#unfinished) if (drive.runs.has(run.id)) drive.endRun(cycle, run);
    this.#unfinished.clear();
    for (const run of this.#canceling) {
      if (!drive.runs.has(run.id)) continue;
      cycle.flush.runs.push({ id: run.id, state: "canceling", ended: false });
      for (const step of run.steps) {
        if (step.state.phase === "waiting" || step.state.phase === "retrying") {
          endUnleased(drive, cycle, run, step, "canceled");
          continue;
        }
        const attempt = drive.attempts.ofStep(step);
        if (attempt === undefined || !isLead(attempt)) continue;
        drive.lane(attempt.location).session?.send({ cancels: [{ attemptId: attempt.id, graceMs: cancelGraceMs }] });
      }
    }
    this.#canceling.clear();
  }

  clear(): void {
    this.#canceling.clear();
    this.#unfinished.clear();
  }
}
