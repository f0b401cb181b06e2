import type { AssetKey } from "@headgate/model";
import { type GateVerdict, judgeGate } from "../../domain/gate.ts";
import type { AssetNode } from "../../domain/graph.ts";
import type { Run } from "../../domain/run-state.ts";
import { type ClosedRoots, closedRoots } from "./closed-roots.ts";
import type { Cycle } from "./cycle.ts";
import type { DefinedStep } from "./defined-steps.ts";
import type { DriveState } from "./drive-state.ts";
import { block } from "./end-unleased.ts";
import { type OpenStep, leaseMaterialization } from "./lease.ts";
import { waitForChecks } from "./wait-for-checks.ts";

/**
 * Partitions of one asset that the same call may compute. Each has its own gate: what is closed is left out, and what
 * is open goes on without it, once no check is waited for that could still open more of them.
 */
export function evaluatePartitions(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  parts: readonly DefinedStep[],
  node: AssetNode,
  nowMs: number,
): readonly AssetKey[] {
  const pins = drive.pinsOf(run, parts);
  const open: OpenStep[] = [];
  const waiting: { readonly part: DefinedStep; readonly verdict: Extract<GateVerdict, { kind: "wait" }> }[] = [];
  const closed: { readonly part: DefinedStep; readonly roots: Extract<ClosedRoots, { kind: "roots" }> }[] = [];
  for (const part of parts) {
    const verdict = judgeGate(node.upstream, part.partitionsOf, drive.memory, pins, nowMs);
    if (verdict.kind === "unknown") return verdict.assets;
    if (verdict.kind === "open") open.push({ ...part, open: verdict.edges });
    if (verdict.kind === "wait") waiting.push({ part, verdict });
    if (verdict.kind !== "closed") continue;
    const roots = closedRoots(drive, [part], verdict.reasons, nowMs);
    if (roots.kind === "unknown") return roots.assets;
    closed.push({ part, roots });
  }
  const unconfirmed = closed.filter(({ part }) => !drive.confirmed.has(part.step));
  for (const { part, roots } of unconfirmed) drive.unconfirmed.set(part.step, { run, assets: roots.assets });
  if (unconfirmed.length > 0) return [];
  for (const { step } of parts) drive.confirmed.delete(step);
  for (const { part, roots } of closed) {
    if (!run.whenOpen) block(drive, cycle, run, part.step, roots.reasons);
    else {
      drive.stopWaiting(part.step); // What comes next may be another version.
      drive.sleep(run, part.step, roots.assets);
    }
  }
  for (const { part, verdict } of waiting) {
    waitForChecks(drive, cycle, run, [part], part, verdict.pending, verdict.reasons);
  }
  if (waiting.length > 0 || open.length === 0) return [];
  for (const { step } of open) drive.stopWaiting(step);
  leasePartitions(drive, cycle, run, open, node);
  return [];
}

/** What is in the way of one partition is not in the way of the others. The definition may take fewer at a time by now. */
function leasePartitions(drive: DriveState, cycle: Cycle, run: Run, open: readonly OpenStep[], node: AssetNode): void {
  const free = open.filter(({ step }) => drive.attempts.inTheWayOf(step, "") === undefined);
  for (const part of open) if (!free.includes(part)) drive.sleep(run, part.step, [node.key]);
  const partitionsMax = node.definition.batch?.partitionsMax ?? 1;
  // The rest is looked at again when one of these has ended.
  leaseMaterialization(drive, cycle, run, free.slice(0, partitionsMax));
}
