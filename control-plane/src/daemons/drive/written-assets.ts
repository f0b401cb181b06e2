import type { Attempt } from "./attempt.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";

/** This flush may close the asset's gate: its epoch moves with it. */
export function bump(drive: DriveState, cycle: Cycle, attempt: Attempt): void {
  const { asset } = attempt.step.spec;
  if (!cycle.flush.bumps.includes(asset)) cycle.flush.bumps.push(asset);
  const epoch = drive.memory.epoch(asset);
  if (epoch !== undefined) cycle.flush.gates[asset] ??= epoch;
}

/** Memory is changed ahead of the commit. What is read again meanwhile does not have the change. */
export function write(drive: DriveState, cycle: Cycle, attempt: Attempt): void {
  const { asset } = attempt.step.spec;
  if (!cycle.written.has(asset)) cycle.written.set(asset, drive.memory.entryOf(asset));
}
