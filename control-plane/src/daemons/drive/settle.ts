import type {
  AttemptReport,
  CheckReport,
  ComputedReport,
  FinishedReport,
  StepError,
} from "../../domain/attempt-report.ts";
import { type ResultView, type VersionView, judge } from "../../domain/gate.ts";
import { type AssetNode, requiredChecks } from "../../domain/graph.ts";
import { planMissingChecks } from "../../domain/plan.ts";
import { type Run, addStep } from "../../domain/run-state.ts";
import { type StepEvent, hasEnded, newStep } from "../../domain/step-state.ts";
import { stepRow } from "../../storage/create-run.ts";
import type { Schema } from "../../storage/schema.ts";
import type { Attempt } from "./attempt.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import { recordLog } from "./record-log.ts";
import { ownChecks } from "./lease.ts";

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

function teamOf(drive: DriveState, attempt: Attempt): string {
  return drive.world.teamOf(attempt.location) ?? "";
}

function recordVersion(
  drive: DriveState,
  cycle: Cycle,
  attempt: Attempt,
  computed: ComputedReport,
  event: number,
): void {
  if (attempt.computed) return;
  attempt.computed = true;
  const { run, step, inputs } = attempt;
  const { asset, partition } = step.spec;
  const waivers = [...new Set(inputs.flatMap((input) => input.versions.flatMap((version) => version.waivers)))];
  cycle.flush.versions.push({
    id: attempt.versionId,
    assetKey: asset,
    partitionKey: partition,
    event,
    runId: run.id,
    attemptId: attempt.id,
    location: attempt.location,
    codeVersion: computed.codeVersion,
    dataVersion: computed.dataVersion,
    value: computed.value,
    metadata: [...computed.metadata],
    inputs,
    waivers,
  });
  const version: VersionView = {
    id: attempt.versionId,
    seq: Number.MAX_SAFE_INTEGER,
    partition,
    runId: run.id,
    createdAtMs: drive.world.now(),
    dataVersion: computed.dataVersion,
    codeVersion: computed.codeVersion,
    value: computed.value,
    metadata: computed.metadata,
    waivers,
    results: [],
    liveWaivers: [],
  };
  bump(drive, cycle, attempt);
  write(drive, cycle, attempt);
  drive.memory.addVersion(asset, version);
  cycle.versions.push({ asset, version, event });
}

function recordResults(
  drive: DriveState,
  cycle: Cycle,
  attempt: Attempt,
  checks: readonly CheckReport[],
  event: number,
): void {
  const { run, step, versionId } = attempt;
  const { asset, partition } = step.spec;
  const results: ResultView[] = [];
  for (const check of checks) {
    if (attempt.checked.has(check.name)) continue;
    attempt.checked.add(check.name);
    const id = drive.world.newId();
    const team = teamOf(drive, attempt);
    const { name, checkVersion, outcome, description, metadata } = check;
    cycle.flush.results.push({
      id,
      versionId,
      assetKey: asset,
      partitionKey: partition,
      team,
      name,
      checkVersion,
      outcome,
      description,
      metadata: [...metadata],
      error: check.error ?? null,
      runId: run.id,
      attemptId: attempt.id,
      event,
    });
    results.push({ id, team, name, checkVersion, outcome, description, metadata, runId: run.id, seq: event });
  }
  if (results.length === 0) return;
  if (results.some((result) => result.outcome === "failed" || result.outcome === "errored"))
    bump(drive, cycle, attempt);
  write(drive, cycle, attempt);
  const version = drive.memory.addResults(asset, partition, versionId, results);
  noteGate(drive, cycle, attempt, results, version);
  drive.touch(asset);
}

/** A check that was lost with its attempt, and is not tried again, has errored: who reads the version need not wait. */
function recordErrored(
  drive: DriveState,
  cycle: Cycle,
  attempt: Attempt,
  error: StepError | undefined,
  event: number,
): void {
  const { kind, asset, checks } = attempt.step.spec;
  const node = drive.world.graph().asset(asset);
  if (node === undefined || (kind === "materialize" && !attempt.computed)) return;
  const names = kind === "checks" ? checks : [...ownChecks(node), ...verdictsOf(drive, attempt)];
  recordLost(drive, cycle, attempt, names, error, event);
}

/** The checks that compute reports, with the version that it makes. */
function verdictsOf(drive: DriveState, { step }: Attempt): string[] {
  if (step.spec.kind !== "materialize") return [];
  const checks = drive.world.graph().asset(step.spec.asset)?.checks ?? [];
  return checks.flatMap(({ name, definition }) => (definition.reportedBy === "compute" ? [name] : []));
}

const notReported: StepError = {
  code: "check.not_reported",
  message: "Compute ended without a verdict of this check.",
  hint: "Materialize it again, with code that reports it.",
};

function recordLost(
  drive: DriveState,
  cycle: Cycle,
  attempt: Attempt,
  names: readonly string[],
  error: StepError | undefined,
  event: number,
): void {
  if (names.length === 0) return;
  const checks = drive.world.graph().asset(attempt.step.spec.asset)?.checks ?? [];
  const lost = checks.filter((c) => c.location === attempt.location && names.includes(c.name));
  const results = lost.map(({ name, definition }): CheckReport => {
    const description = error?.message ?? "";
    const about = { name, checkVersion: definition.version, outcome: "errored", description, metadata: [] } as const;
    return error === undefined ? about : { ...about, error };
  });
  recordResults(drive, cycle, attempt, results, event);
}

/** A gate that shut is an event of its own, and so is one that a re-check opened. */
function noteGate(
  drive: DriveState,
  cycle: Cycle,
  attempt: Attempt,
  results: readonly ResultView[],
  version: VersionView | undefined,
): void {
  const { run, step } = attempt;
  const node = drive.world.graph().asset(step.spec.asset);
  if (node === undefined) return;
  const required = requiredChecks(node, node.team);
  const judged = version ?? { ...unknownVersion(attempt), results };
  const { open, state, reasons } = judge(node.key, judged, required, drive.world.now());
  if (open) {
    if (step.spec.kind === "checks")
      cycle.stepEvent(run, step, "gate_opened", { version: attempt.versionId, cause: "check" });
    return;
  }
  if (state === "pending") return;
  run.closedVersion = true;
  if (attempt.gateClosed) return;
  attempt.gateClosed = true;
  const shut = reasons.filter((reason) => reason.kind !== "pending");
  cycle.stepEvent(run, step, "gate_closed", { version: attempt.versionId, state, reasons: shut });
}

function unknownVersion(attempt: Attempt): VersionView {
  return {
    id: attempt.versionId,
    seq: 0,
    partition: attempt.step.spec.partition,
    runId: attempt.run.id,
    createdAtMs: 0,
    dataVersion: "",
    codeVersion: "",
    value: null,
    metadata: [],
    waivers: [],
    results: [],
    liveWaivers: [],
  };
}

/** This flush may close the asset's gate: its epoch moves with it. */
function bump(drive: DriveState, cycle: Cycle, attempt: Attempt): void {
  const { asset } = attempt.step.spec;
  if (!cycle.flush.bumps.includes(asset)) cycle.flush.bumps.push(asset);
  const epoch = drive.memory.epoch(asset);
  if (epoch !== undefined) cycle.flush.gates[asset] ??= epoch;
}

/** Memory is changed ahead of the commit. What is read again meanwhile does not have the change. */
function write(drive: DriveState, cycle: Cycle, attempt: Attempt): void {
  const { asset } = attempt.step.spec;
  if (!cycle.written.has(asset)) cycle.written.set(asset, drive.memory.entryOf(asset));
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
