import type { AssetKey } from "@headgate/model";
import { type GateVerdict, judgeGate } from "../../domain/gate.ts";
import { type Run, type RunStep, inheritedFrom } from "../../domain/run-state.ts";
import { hasEnded } from "../../domain/step-state.ts";
import { closedRoots } from "./closed-roots.ts";
import type { Cycle } from "./cycle.ts";
import { type DefinedStep, definedSteps } from "./defined-steps.ts";
import type { DriveState } from "./drive-state.ts";
import { block, endUnleased, failUnleased } from "./end-unleased.ts";
import { evaluatePartitions } from "./evaluate-partitions.ts";
import { type OpenStep, leaseChecks, leaseMaterialization } from "./lease.ts";
import { waitForChecks } from "./wait-for-checks.ts";

/**
 * Looks at one step that may be able to go on, together with those that the same call computes: leases it, puts it to
 * sleep, or ends it as skipped, blocked or canceled. Returns the assets that must be loaded before it can be judged; it
 * is to be looked at again then.
 */
export function evaluate(drive: DriveState, cycle: Cycle, run: Run, step: RunStep): readonly AssetKey[] {
  if (step.state.phase !== "waiting" || step.outstanding > 0) return [];
  if (run.canceling) {
    endUnleased(drive, cycle, run, step, "canceled");
    return [];
  }
  const ready: RunStep[] = [];
  for (const together of computedNow(drive, run, step)) {
    const inherited = inheritedFrom(run, together);
    if (inherited.kind === "goesOn") ready.push(together);
    else if (inherited.kind === "skipped") endUnleased(drive, cycle, run, together, "skipped");
    else block(drive, cycle, run, together, inherited.reasons);
  }
  const [first] = ready;
  if (first === undefined) return [];
  return first.spec.kind === "checks"
    ? evaluateChecks(drive, cycle, run, first)
    : evaluateMaterialization(drive, cycle, run, ready);
}

/** The steps that one call would compute with this one; none while one of them is in flight, or is not ready yet. */
function computedNow(drive: DriveState, run: Run, step: RunStep): readonly RunStep[] {
  const { computation } = step.spec;
  if (computation === undefined) return [step];
  const open = (run.computations.get(computation) ?? []).filter(({ state }) => !hasEnded(state.phase));
  // Whichever of them is the last to be ready looks at all.
  if (open.some(({ state, outstanding }) => state.phase !== "waiting" || outstanding > 0)) return [];
  for (const together of open) drive.dirty.delete(together);
  return open;
}

function evaluateMaterialization(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  ready: readonly RunStep[],
): readonly AssetKey[] {
  const nowMs = drive.world.now();
  const parts = definedSteps(drive, cycle, run, ready, nowMs);
  const [lead, other] = parts;
  if (lead === undefined) return [];
  if (other?.node === lead.node) return evaluatePartitions(drive, cycle, run, parts, lead.node, nowMs);
  const verdict = judgeTogether(drive, run, parts, nowMs);
  switch (verdict.kind) {
    case "unknown":
      return verdict.assets;
    case "open":
      for (const { step } of parts) drive.stopWaiting(step);
      leaseMaterialization(drive, cycle, run, verdict.parts);
      return [];
    case "wait":
      waitForChecks(drive, cycle, run, parts, lead, verdict.pending, verdict.reasons);
      return [];
    case "closed": {
      const roots = closedRoots(drive, parts, verdict.reasons, nowMs);
      if (roots.kind === "unknown") return roots.assets;
      if (!drive.confirmed.delete(lead.step)) {
        // A lease on old memory is refused by the database. A refusal is not, so it is made on what is so now.
        drive.unconfirmed.set(lead.step, { run, assets: roots.assets });
      } else if (run.whenOpen) {
        drive.stopWaiting(lead.step); // What comes next may be another version.
        drive.sleep(run, lead.step, roots.assets);
      } else {
        for (const { step } of parts) block(drive, cycle, run, step, roots.reasons);
      }
      return [];
    }
  }
}

type TogetherVerdict =
  Exclude<GateVerdict, { readonly kind: "open" }> | { readonly kind: "open"; readonly parts: readonly OpenStep[] };

/** The verdict over the edges of all steps that one call computes: it reads for all of them at once. */
function judgeTogether(drive: DriveState, run: Run, parts: readonly DefinedStep[], nowMs: number): TogetherVerdict {
  const open: OpenStep[] = [];
  const verdicts: Exclude<GateVerdict, { readonly kind: "open" }>[] = [];
  const pins = drive.pinsOf(run, parts);
  for (const part of parts) {
    const verdict = judgeGate(part.node.upstream, part.partitionsOf, drive.memory, pins, nowMs);
    if (verdict.kind === "open") open.push({ ...part, open: verdict.edges });
    else verdicts.push(verdict);
  }
  for (const kind of ["unknown", "closed", "wait"] as const) {
    // Siblings read the same: what keeps one waiting is told once.
    const found = verdicts.find((verdict) => verdict.kind === kind);
    if (found !== undefined) return found;
  }
  return { kind: "open", parts: open };
}

function evaluateChecks(drive: DriveState, cycle: Cycle, run: Run, step: RunStep): readonly AssetKey[] {
  const { spec } = step;
  const before = spec.after[0];
  const versionId = spec.versionId ?? (before === undefined ? undefined : run.steps[before]?.made);
  if (versionId === undefined) {
    endUnleased(drive, cycle, run, step, "skipped");
    return [];
  }
  const known = drive.memory.versions(spec.asset, spec.partition);
  if (known === undefined) return [spec.asset];
  const version = known.find((v) => v.id === versionId);
  if (version === undefined) {
    failUnleased(drive, cycle, run, step, {
      code: "check.version_unavailable",
      message: `Version ${versionId} of ${spec.asset} was discarded, or is older than those that are still checked.`,
      hint: `headgate asset versions ${spec.asset} lists its versions.`,
    });
    return [];
  }
  leaseChecks(drive, cycle, run, step, version);
  return [];
}
