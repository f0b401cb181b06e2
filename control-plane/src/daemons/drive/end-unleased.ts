import type { Reason } from "../../domain/reason.ts";
import type { Run, RunStep } from "../../domain/run-state.ts";
import { hasEnded } from "../../domain/step-state.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";

/** Ends a step that never got an attempt. */
export function endUnleased(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  step: RunStep,
  kind: "skipped" | "canceled",
): void {
  drive.transition(cycle, run, step, { kind });
  if (!hasEnded(step.state.phase)) return;
  cycle.stepEvent(run, step, `step_${kind}`);
  drive.ended(cycle, run, step);
}

/** Fails one. */
export function failUnleased(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  step: RunStep,
  error: { code: string; message: string; hint: string },
): void {
  // Only a step in flight can throw, so it passes through a lease that is never written.
  step.state = { ...step.state, phase: "leased" };
  drive.transition(cycle, run, step, { kind: "threw", permanent: true, random: 0 }, { error });
  cycle.stepEvent(run, step, "step_failed", { error: { code: error.code, message: error.message } });
  drive.ended(cycle, run, step);
}

/** Ends one whose gate is closed. */
export function block(drive: DriveState, cycle: Cycle, run: Run, step: RunStep, reasons: readonly Reason[]): void {
  drive.transition(cycle, run, step, { kind: "blocked" }, { reasons });
  const event = cycle.stepEvent(run, step, "step_blocked", { reasons });
  const { asset, partition, index } = step.spec;
  cycle.flush.decisions.push({
    id: drive.world.newId(),
    assetKey: asset,
    partitionKey: partition,
    runId: run.id,
    stepIndex: index,
    source: "run",
    reasons,
    event,
  });
  drive.ended(cycle, run, step);
}
