import type { AttemptReport, FinishedReport, StepError } from "../../domain/attempt-report.ts";
import { planMissingChecks } from "../../domain/check-steps.ts";
import type { AssetNode } from "../../domain/graph.ts";
import { type Run, addStep } from "../../domain/run-state.ts";
import { type StepEvent, hasEnded, newStep } from "../../domain/step-state.ts";
import { stepRow } from "../../storage/create-run.ts";
import type { Schema } from "../../storage/schema.ts";
import type { Attempt } from "./attempt.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import { recordLog } from "./record-log.ts";
import { notReported, recordErrored, recordLost, recordResults, teamOf, verdictsOf } from "./record-results.ts";
import { recordVersion } from "./record-version.ts";

/** Takes in one report of an attempt that is in flight. What was taken in before changes nothing. */
export function takeReport(drive: DriveState, cycle: Cycle, attempt: Attempt, report: AttemptReport): void {
  cycle.acknowledged.add(attempt);
  if (report.sequence <= attempt.sequence) return;
  attempt.sequence = report.sequence;
  const { run, step } = attempt;
  const progress = { id: attempt.id, sequence: report.sequence };
  switch (report.kind) {
    case "started":
      attempt.started = true;
      cycle.flush.progress.push({ ...progress, state: "started" });
      drive.transition(cycle, run, step, { kind: "started" });
      cycle.stepEvent(run, step, "step_started", { attempt: attempt.id, number: attempt.number });
      return;
    case "log":
      cycle.flush.progress.push(progress);
      recordLog(cycle, attempt, report);
      return;
    case "computed": {
      cycle.flush.progress.push(progress);
      if (step.spec.kind !== "materialize") return;
      const event = cycle.stepEvent(run, step, "version_computed", { attempt: attempt.id, version: attempt.versionId });
      recordVersion(drive, cycle, attempt, report.computed, event);
      return;
    }
    case "check": {
      cycle.flush.progress.push(progress);
      const { name, outcome } = report.check;
      const event = cycle.stepEvent(run, step, "check_completed", { version: attempt.versionId, check: name, outcome });
      recordResults(drive, cycle, attempt, [report.check], event);
      return;
    }
    case "finished":
      settle(drive, cycle, attempt, report.finished);
  }
}

/** Ends an attempt: its step goes on, ends or is tried again, and what it brought is recorded. */
export function settle(
  drive: DriveState,
  cycle: Cycle,
  attempt: Attempt,
  report: FinishedReport,
  ending: "reported" | "lost" = "reported",
): void {
  const { run, step } = attempt;
  const finished = hasValue(attempt, report) ? report : withoutVersion(report);
  if (attempt.computation?.phase === "gathering") {
    // Not by its own word: what its siblings have said, and was held, need not wait for it any more.
    attempt.computation.falls(attempt, finished);
    drive.fallen.add(attempt.computation);
  }
  drive.attempts.remove(attempt);
  cycle.endedAttempts.push(attempt);
  if (attempt.pool !== undefined && (attempt.computation?.attempts.size ?? 0) === 0) drive.callNext(attempt.pool);
  // Whoever checks a version, maybe another team, does not make it.
  const brought = step.spec.kind === "materialize" ? finished.computed : undefined;
  const stored = attempt.computed || brought !== undefined;
  const error = errorOf(finished);
  cycle.flush.ended.push({
    id: attempt.id,
    state: ending === "lost" ? "lost" : stateOf(finished),
    error: error ?? null,
    sequence: attempt.sequence,
  });
  const versionId = step.spec.kind === "materialize" && stored ? attempt.versionId : undefined;
  drive.transition(cycle, run, step, stepEventOf(drive, attempt, finished, stored), {
    ...(versionId === undefined ? {} : { versionId }),
    ...(error === undefined ? {} : { error }),
  });
  const checks = finished.checks.map(({ name, outcome }) => ({ team: teamOf(drive, attempt), name, outcome }));
  const event = cycle.stepEvent(run, step, `step_${step.state.phase}`, {
    attempt: attempt.id,
    number: attempt.number,
    ...(versionId === undefined ? {} : { version: versionId }),
    ...(checks.length === 0 ? {} : { checks }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  });
  if (brought !== undefined) recordVersion(drive, cycle, attempt, brought, event);
  recordResults(drive, cycle, attempt, finished.checks, event);
  if (step.state.phase === "failed") recordErrored(drive, cycle, attempt, error, event);
  if (stored && step.state.phase === "succeeded") {
    if (finished.outcome === "crashed") recheck(drive, cycle, attempt);
    // A verdict of compute that did not come with the version has errored: only another compute can reach it.
    recordLost(drive, cycle, attempt, verdictsOf(drive, attempt), error ?? notReported, event);
  }
  drive.touch(step.spec.asset);
  if (hasEnded(step.state.phase)) drive.ended(cycle, run, step);
}

/** Who succeeds in materializing has said what became of the value, even where compute returned none. */
export function hasValue(attempt: Attempt, { outcome, computed }: FinishedReport): boolean {
  return (
    outcome !== "succeeded" || attempt.step.spec.kind !== "materialize" || attempt.computed || computed !== undefined
  );
}

export function withoutVersion(report: FinishedReport): FinishedReport {
  const message = "The location says that the step succeeded, and not what it has computed.";
  const error = { code: "report.malformed", message, hint: "Send `computed` before or with `finished`." };
  return { ...report, outcome: "failed", checks: [], permanent: true, error };
}

function stepEventOf(drive: DriveState, attempt: Attempt, finished: FinishedReport, stored: boolean): StepEvent {
  const random = drive.world.random();
  switch (finished.outcome) {
    case "succeeded":
      return { kind: "succeeded" };
    case "canceled":
      return { kind: "canceled" };
    case "crashed":
      // The value is durable: what was lost is a check, not a compute.
      return stored ? { kind: "succeeded" } : { kind: "crashed", random };
    case "failed":
    case "timedOut": {
      // A check that reached no verdict is not tried again by computing anew.
      const permanent = finished.permanent || stored || finished.checks.some((check) => check.outcome === "errored");
      const { retryAfterMs } = finished;
      return { kind: "threw", permanent, random, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    }
  }
}

function stateOf(finished: FinishedReport): Schema["attempts"]["state"] {
  return finished.outcome;
}

function errorOf(finished: FinishedReport): StepError | undefined {
  return finished.error ?? finished.checks.find((check) => check.error !== undefined)?.error;
}

/** The worker died after the value was durable: the checks that have no result become steps of the same run. */
function recheck(drive: DriveState, cycle: Cycle, attempt: Attempt): void {
  const { run, step } = attempt;
  const node = drive.world.graph().asset(step.spec.asset);
  if (node === undefined) return;
  const missing = node.checks.filter((c) => c.location === attempt.location && !attempt.checked.has(c.name));
  addChecks(drive, cycle, run, node, step.spec.partition, attempt.versionId, missing);
}

/** Adds steps to a running run that check a version which exists. */
export function addChecks(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  node: AssetNode,
  partition: string,
  versionId: string,
  checks: Parameters<typeof planMissingChecks>[3],
): void {
  for (const planned of planMissingChecks(node, partition, versionId, checks, run.steps.length)) {
    const { index, kind, asset, location, after, checks: names } = planned;
    cycle.flush.newSteps.push(stepRow(run.id, planned));
    const spec = { index, kind, asset, partition, location, after, edges: [], checks: names, versionId };
    const added = { spec, state: newStep, outstanding: 0 };
    addStep(run, added);
    drive.dirty.set(added, run);
  }
}
