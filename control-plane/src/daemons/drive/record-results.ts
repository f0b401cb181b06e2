import type { CheckReport, StepError } from "../../domain/attempt-report.ts";
import { checksWithAsset } from "../../domain/check-steps.ts";
import { type ResultView, type VersionView, judge } from "../../domain/gate.ts";
import { requiredChecks } from "../../domain/graph.ts";
import type { Attempt } from "./attempt.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import { bump, write } from "./written-assets.ts";

/** The team whose checks an attempt runs. */
export function teamOf(drive: DriveState, attempt: Attempt): string {
  return drive.world.teamOf(attempt.location) ?? "";
}

/** Records what checks found of an attempt's version, each once. */
export function recordResults(
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
export function recordErrored(
  drive: DriveState,
  cycle: Cycle,
  attempt: Attempt,
  error: StepError | undefined,
  event: number,
): void {
  const { kind, asset, checks } = attempt.step.spec;
  const node = drive.world.graph().asset(asset);
  if (node === undefined || (kind === "materialize" && !attempt.computed)) return;
  const names = kind === "checks" ? checks : [...checksWithAsset(node), ...verdictsOf(drive, attempt)];
  recordLost(drive, cycle, attempt, names, error, event);
}

/** The checks that compute reports, with the version that it makes. */
export function verdictsOf(drive: DriveState, { step }: Attempt): string[] {
  if (step.spec.kind !== "materialize") return [];
  const checks = drive.world.graph().asset(step.spec.asset)?.checks ?? [];
  return checks.flatMap(({ name, definition }) => (definition.reportedBy === "compute" ? [name] : []));
}

export const notReported: StepError = {
  code: "check.not_reported",
  message: "Compute ended without a verdict of this check.",
  hint: "Materialize it again, with code that reports it.",
};

/** Records these checks, as far as they have no result, as errored. */
export function recordLost(
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
