import { type PendingVersion, type VersionView, pinKey } from "../../domain/gate.ts";
import type { Reason } from "../../domain/reason.ts";
import type { Run } from "../../domain/run-state.ts";
import type { Cycle } from "./cycle.ts";
import type { DefinedStep } from "./defined-steps.ts";
import type { DriveState } from "./drive-state.ts";
import { block } from "./end-unleased.ts";
import { addChecks } from "./settle.ts";

/** Sleeps until the pending checks have results; runs those that nobody is running. */
export function waitForChecks(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  parts: readonly DefinedStep[],
  { step, node }: DefinedStep,
  pending: readonly PendingVersion[],
  reasons: readonly Reason[],
): void {
  const nowMs = drive.world.monotonic();
  const since = drive.waitingSince.get(step) ?? nowMs;
  drive.waitingSince.set(step, since);
  if (nowMs - since >= node.definition.gateTimeoutMs) {
    const late = reasons.map((r): Reason => (r.kind === "pending" ? { ...r, kind: "checkNotRun" } : r));
    for (const part of parts) block(drive, cycle, run, part.step, late);
    return;
  }
  const waitingFor = drive.waitingFor.get(step) ?? new Map<string, string>();
  drive.waitingFor.set(step, waitingFor);
  for (const { asset, version, missing, pinned } of pending) {
    if (pinned) waitingFor.set(pinKey(asset, version.partition), version.id);
    const upstream = drive.world.graph().asset(asset);
    if (upstream === undefined) continue;
    const unrequested = missing.filter((check) => !isBeingChecked(drive, run, version, check.location));
    addChecks(drive, cycle, run, upstream, version.partition, version.id, unrequested);
  }
  drive.sleep(
    run,
    step,
    pending.map((p) => p.asset),
  );
}

/** True if an attempt in flight, or a step of this run that is still to come, brings these checks' results. */
function isBeingChecked(drive: DriveState, run: Run, version: VersionView, location: string): boolean {
  for (const attempt of drive.attempts.at(location)) if (attempt.versionId === version.id) return true;
  return run.steps.some((other) => {
    if (other.spec.kind !== "checks" || other.spec.location !== location) return false;
    const before = other.spec.after[0];
    const checked = other.spec.versionId ?? (before === undefined ? undefined : run.steps[before]?.made);
    // A step that has ended without a result is not repeated: what is pending then stays so until the gate times out.
    return checked === version.id;
  });
}
