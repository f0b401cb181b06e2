import type pg from "pg";
import { roomAt } from "../../domain/run-room.ts";
import type { Run } from "../../domain/run-state.ts";
import {
  claimRuns,
  readCancelRequests,
  readClosed,
  readInFlight,
  readPins,
  readSteps,
  releaseSlots,
} from "../../storage/claim-runs.ts";
import { adoptRun, assetsOf } from "./adopt.ts";
import { isLead } from "./computation.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import { endUnleased } from "./end-unleased.ts";
import { type InstanceContact, cancelGraceMs } from "./instance-contact.ts";

export interface RunClaimsOptions {
  readonly pool: pg.Pool;
  readonly daemon: string;
  readonly drive: DriveState;
  readonly contact: InstanceContact;
  readonly pump: () => void;
  readonly failed: (error: unknown) => void;
}

/** Claimed at once, at most. */
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
    const { pool, daemon } = this.#options;
    if (this.#stopped) return;
    const { generation, slots, world } = this.#drive;
    const { releasing } = slots;
    if (releasing.length > 0) {
      await releaseSlots(pool, daemon, idsOf(releasing));
      slots.released(releasing);
    }
    const { asking } = slots;
    const roomOf = roomAt(this.#drive.runs.values(), asking);
    const {
      runs: claimed,
      resumed,
      more,
    } = await claimRuns(pool, {
      daemon,
      rules: world.queueRules(),
      held: [...this.#drive.runs.keys()],
      wanting: idsOf(withinRoom(asking, roomOf)),
      roomOf,
      max: claimMax,
    });
    if (generation !== this.#drive.generation) return; // Memory was dropped: they are claimed again.
    this.#resume(resumed);
    if (more) this.#claimAgain = true;
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
    }
    for (const id of await readCancelRequests(pool, daemon)) this.#cancel(id);
  }

  /** Goes on with runs that have a slot again. */
  #resume(ids: readonly string[]): void {
    for (const id of ids) {
      const run = this.#drive.runs.get(id);
      if (run === undefined) continue;
      for (const step of this.#drive.slots.granted(run)) this.#drive.dirty.set(step, run);
    }
    if (ids.length > 0) this.#options.pump();
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

function idsOf(runs: readonly Run[]): string[] {
  return runs.map(({ id }) => id);
}

/** Of these runs as many of each team as there is room for. */
function withinRoom(runs: readonly Run[], roomOf: (team: string) => number): Run[] {
  const taken = new Map<string, number>();
  return runs.filter(({ place: { team } }) => {
    const count = (taken.get(team) ?? 0) + 1;
    taken.set(team, count);
    return count <= roomOf(team);
  });
}
