import type { AssetKey } from "@headgate/model";
import { definitionsGate } from "../../storage/bump-gate.ts";
import type { FlushResult } from "../../storage/drive-flush.ts";
import { pinInputs } from "./adopt.ts";
import type { Attempt } from "./attempt.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import type { Lane } from "./lane.ts";
import { sendCommands } from "./send-commands.ts";

/** What a committed flush asks of the loop. */
export interface AfterCommit {
  /** The definitions have moved on: nothing is leased before the graph has, too. */
  readonly graphIsOld: boolean;
}

/** After the commit: memory becomes what the database made of our words, and what was written is sent. */
export function actOnCommit(drive: DriveState, cycle: Cycle, result: FlushResult): AfterCommit {
  const stale = new Set(result.stale as AssetKey[]);
  remember(drive, cycle, result, stale);
  const graphIsOld = stale.delete(definitionsGate as AssetKey);
  for (const asset of stale) {
    drive.memory.forget(asset);
    drive.touch(asset);
  }
  actOnLeases(drive, cycle, { granted: new Set(result.granted), full: new Set(result.full) }, stale, graphIsOld);
  return { graphIsOld };
}

/** Brings memory to what was committed. An entry that was read anew meanwhile may lack it: it is read once more. */
function remember(drive: DriveState, cycle: Cycle, result: FlushResult, stale: Set<AssetKey>): void {
  const { memory } = drive;
  for (const [asset, entry] of cycle.written) {
    if (entry === undefined || memory.entryOf(asset) !== entry) stale.add(asset);
  }
  for (const { asset, version, event } of cycle.versions) {
    memory.setSeq(asset, version.partition, version.id, result.base + event);
  }
  for (const asset of cycle.written.keys()) {
    const epoch = result.epochs[asset];
    if (epoch !== undefined && !stale.has(asset)) memory.setEpoch(asset, epoch);
  }
}

function actOnLeases(
  drive: DriveState,
  cycle: Cycle,
  { granted, full }: { readonly granted: ReadonlySet<string>; readonly full: ReadonlySet<string> },
  stale: ReadonlySet<AssetKey>,
  graphIsOld: boolean,
): void {
  for (const { attempt, pins } of cycle.leases) {
    if (!granted.has(attempt.id)) for (const pin of pins) attempt.run.pins.delete(pin);
  }
  for (const { attempt, entry } of cycle.leases) {
    const { run, step, pool } = attempt;
    const fills = drive.pools.takeFilling(step);
    if (granted.has(attempt.id)) {
      if (fills && pool !== undefined) drive.callNext(pool, true);
      attempt.committed = true;
      drive.slots.leased(run);
      pinInputs(run, attempt.inputs); // Where it shared a pin with a lease that was refused.
      const lane = drive.lane(attempt.location);
      if (lane.instanceId === attempt.instanceId) sendOnce(lane, attempt);
      if (lane.session === undefined) attempt.lostAtMs ??= drive.world.monotonic();
      continue;
    }
    drive.attempts.remove(attempt);
    step.state = { ...step.state, phase: "waiting", attempts: step.state.attempts - 1 };
    // What is computed together is refused together, and each of its steps wakes all.
    if (graphIsOld) drive.sleep(run, step, [step.spec.asset]);
    else if (entry.gateAssets.some((asset) => stale.has(asset as AssetKey))) {
      drive.dirty.set(step, run);
    } else if (pool !== undefined && full.has(attempt.id)) {
      // What is computed with it is looked at together with it.
      if ((attempt.computation?.id ?? attempt.id) === attempt.id) drive.pools.join(pool, run, step);
    } else {
      // Another daemon computes this partition, or checks this version: look again when it has ended.
      drive.sleep(run, step, [step.spec.asset]);
    }
  }
}

/** The command of an attempt whose row is committed; of a computation once, when the last of its rows is seen to be. */
function sendOnce(lane: Lane, attempt: Attempt): void {
  if (lane.session === undefined || attempt.command === undefined) return;
  const attempts = attempt.computation === undefined ? [attempt] : [...attempt.computation.attempts];
  if (attempts.at(-1) === attempt) sendCommands(lane.session, attempts);
}

/** What was taken in is stored: locations may forget it. */
export function acknowledge(drive: DriveState, cycle: Cycle): void {
  const byLocation = new Map<string, { attemptId: string; sequence: number }[]>();
  for (const { id, location, sequence, instanceId } of cycle.acknowledged) {
    if (drive.lane(location).instanceId !== instanceId) continue;
    const list = byLocation.get(location) ?? [];
    list.push({ attemptId: id, sequence });
    byLocation.set(location, list);
  }
  for (const [location, acknowledgements] of byLocation) {
    drive.lane(location).session?.send({ acknowledgements });
  }
}
