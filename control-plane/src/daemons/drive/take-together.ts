import type { AttemptReport, FinishedReport } from "../../domain/attempt-report.ts";
import type { Attempt } from "./attempt.ts";
import type { Computation, Fall } from "./computation.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import { hasValue, takeReport, withoutVersion } from "./settle.ts";

/**
 * Takes in one report of an attempt in flight. What a call computes as a whole is recorded as a whole: what its attempts
 * say of their versions is held until all of them have one, or none will. Nothing of it is acknowledged before.
 */
export function takeTogether(drive: DriveState, cycle: Cycle, attempt: Attempt, report: AttemptReport): void {
  const { computation } = attempt;
  if (computation === undefined) return takeReport(drive, cycle, attempt, report);
  if (computation.phase === "fallen") return takeFallen(drive, cycle, attempt, computation.fall, report);
  if (!computation.holds(attempt, report)) return takeReport(drive, cycle, attempt, report);
  if (report.kind === "finished" && !computation.isDurable(attempt)) {
    const finished = hasValue(attempt, report.finished) ? report.finished : withoutVersion(report.finished);
    computation.falls(attempt, finished);
  } else if (computation.isFull) computation.falls(attempt, tooMuch);
  release(drive, cycle, computation);
}

const tooMuch: FinishedReport = {
  outcome: "failed",
  checks: [],
  permanent: true,
  error: {
    code: "report.too_large",
    message: "What one call computes as a whole reports more than is recorded together: 16 MiB, or 5,000 reports.",
    hint: "Report less metadata, or let it make fewer assets.",
  },
};

/** Takes in what is held of computations that fell for another cause than a report. */
export function releaseFallen(drive: DriveState, cycle: Cycle): void {
  for (const computation of drive.fallen) release(drive, cycle, computation);
  drive.fallen.clear();
}

function release(drive: DriveState, cycle: Cycle, computation: Computation<Attempt>): void {
  for (const { attempt, report } of computation.release()) {
    if (drive.attempts.get(attempt.id) !== attempt) continue;
    if (computation.phase === "fallen") takeFallen(drive, cycle, attempt, computation.fall, report);
    else takeReport(drive, cycle, attempt, report);
  }
}

/** Takes in a report without the version that it speaks of: a sibling's is missing, and one alone does not count. */
function takeFallen(
  drive: DriveState,
  cycle: Cycle,
  attempt: Attempt,
  fall: Fall | undefined,
  report: AttemptReport,
): void {
  switch (report.kind) {
    case "started":
    case "log":
      return takeReport(drive, cycle, attempt, report);
    case "computed":
    case "check":
      return passOver(cycle, attempt, report.sequence);
    case "finished":
      return takeReport(drive, cycle, attempt, { ...report, finished: fallenWith(attempt, fall, report.finished) });
  }
}

/** Lets the location forget what it said; nothing of it is recorded. */
export function passOver(cycle: Cycle, attempt: Attempt, sequence: number): void {
  attempt.sequence = Math.max(attempt.sequence, sequence);
  cycle.flush.progress.push({ id: attempt.id, sequence: attempt.sequence });
  cycle.acknowledged.add(attempt);
}

/** It ends as its sibling did, so that both are tried again, or neither. */
function fallenWith(attempt: Attempt, fall: Fall | undefined, report: FinishedReport): FinishedReport {
  const { computed, ...own } = report;
  const isCause = fall?.attemptId === attempt.id;
  if (computed === undefined && (isCause || own.outcome !== "succeeded")) return { ...own, checks: [] };
  if (isCause) return fall.finished;
  const { outcome, permanent, retryAfterMs } = fall?.finished ?? { outcome: "crashed", permanent: false };
  const sibling = fall?.asset ?? "another asset";
  return {
    outcome: outcome === "succeeded" ? "failed" : outcome,
    checks: [],
    permanent,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    error: {
      code: "step.sibling_failed",
      message: `One call computes it together with ${sibling}, which has no version: this one does not count alone.`,
      hint: `See what became of ${sibling}.`,
    },
  };
}
