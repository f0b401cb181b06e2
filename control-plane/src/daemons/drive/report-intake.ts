import type pg from "pg";
import type { AttemptReport, FinishedReport } from "../../domain/attempt-report.ts";
import { readEnded } from "../../storage/claim-runs.ts";
import type { Attempt } from "./attempt.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import type { Lane } from "./lane.ts";
import { passOver, releaseFallen, takeTogether } from "./take-together.ts";
import { takeReport } from "./settle.ts";

/** After a flush that the database refused, so many reports are stored one by one, so that the culprit is found. */
const reportsAloneAfterRefusal = 1_000;

/**
 * Takes in what locations report, a bounded share of each a cycle. What the database refuses to store costs the attempt
 * that said it, and nobody else: after a refusal reports are stored one by one until the culprit is known.
 */
export class ReportIntake {
  readonly #drive: DriveState;
  /** Reports that are to be stored each in a flush of its own. */
  #alone = 0;
  /** Attempts whose word cannot be stored. */
  readonly #poisoned = new Set<string>();
  /** Reports about attempts that this driver does not hold: acknowledged once the database says that they have ended. */
  readonly #strays = new Map<string, number>();

  constructor(drive: DriveState) {
    this.#drive = drive;
  }

  /** Takes the next reports of every location; true if there are more. */
  compose(cycle: Cycle): boolean {
    releaseFallen(this.#drive, cycle);
    const alone = this.#alone > 0;
    let taken = 0;
    for (const lane of this.#drive.lanes.values()) {
      if (alone && taken > 0) break;
      for (const report of lane.next(alone ? 1 : undefined)) {
        taken++;
        this.#take(cycle, lane, report);
      }
    }
    if (alone) this.#alone -= taken;
    return [...this.#drive.lanes.values()].some((lane) => lane.hasReports);
  }

  #take(cycle: Cycle, lane: Lane, report: AttemptReport): void {
    const attempt = this.#drive.attempts.get(report.attemptId);
    // An instance names itself: only the location, which the workspace names, tells a liar from the one who was asked.
    if (attempt?.location !== lane.location || attempt.instanceId !== lane.instanceId) {
      this.#strays.set(report.attemptId, Math.max(report.sequence, this.#strays.get(report.attemptId) ?? 0));
      return;
    }
    if (this.#poisoned.has(attempt.id) && report.kind !== "started") {
      // What it says cannot be stored. Its word that it has ended still counts; the rest is passed over.
      if (report.kind !== "finished") {
        passOver(cycle, attempt, report.sequence);
        return;
      }
      this.#poisoned.delete(attempt.id);
      this.#alone = 0;
      takeReport(this.#drive, cycle, attempt, { ...report, finished: unstorable });
      return;
    }
    takeTogether(this.#drive, cycle, attempt, report);
  }

  /** The database refused this cycle's flush: something in it cannot be stored. */
  refused(cycle: Cycle): void {
    const spoke = [...cycle.acknowledged];
    // Versions that are recorded together are refused together.
    const isOne = spoke.every((attempt) => attempt === spoke[0] || isTogether(attempt, spoke[0]));
    if (this.#alone > 0 && isOne) for (const attempt of spoke) this.#poisoned.add(attempt.id);
    this.#alone = reportsAloneAfterRefusal;
  }

  /** Lets locations forget what they still hold of attempts that ended under another driver. */
  async acknowledgeStrays(pool: Pick<pg.Pool, "query">): Promise<void> {
    if (this.#strays.size === 0) return;
    const strays = new Map(this.#strays);
    this.#strays.clear();
    const ended = await readEnded(pool, [...strays.keys()]);
    const acknowledgements = ended.map((attemptId) => ({ attemptId, sequence: strays.get(attemptId) ?? 0 }));
    if (acknowledgements.length === 0) return;
    for (const lane of this.#drive.lanes.values()) lane.session?.send({ acknowledgements });
  }
}

function isTogether(a: Attempt, b: Attempt | undefined): boolean {
  return a.computation !== undefined && a.computation === b?.computation;
}

const unstorable: FinishedReport = {
  outcome: "failed",
  checks: [],
  permanent: true,
  error: {
    code: "report.not_storable",
    message: "What the attempt reported could not be stored; the database refused it.",
    hint: "Look at its metadata, its check results and its value reference.",
  },
};
