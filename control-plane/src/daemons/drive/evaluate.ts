import type { AssetKey } from "@headgate/model";
import type { PendingVersion, VersionView } from "../../domain/gate.ts";
import { judgeGate, pinKey } from "../../domain/gate.ts";
import type { AssetNode, Edge } from "../../domain/graph.ts";
import type { Reason } from "../../domain/reason.ts";
import { ancestors, mappedPartitions, rootReasons } from "../../domain/root-reasons.ts";
import { type Run, type RunStep, inheritedFrom } from "../../domain/run-state.ts";
import { hasEnded } from "../../domain/step-state.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import { leaseChecks, leaseMaterialization } from "./lease.ts";
import { addChecks } from "./settle.ts";

/**
 * Looks at one step that may be able to go on: leases it, puts it to sleep, or ends it as skipped, blocked or canceled.
 * Returns the assets that must be loaded before it can be judged; it is to be looked at again then.
 */
export function evaluate(drive: DriveState, cycle: Cycle, run: Run, step: RunStep): readonly AssetKey[] {
  if (step.state.phase !== "waiting" || step.outstanding > 0) return [];
  if (run.canceling) {
    endUnleased(drive, cycle, run, step, "canceled");
    return [];
  }
  const inherited = inheritedFrom(run, step);
  switch (inherited.kind) {
    case "skipped":
      endUnleased(drive, cycle, run, step, "skipped");
      return [];
    case "blocked":
      block(drive, cycle, run, step, inherited.reasons);
      return [];
    case "goesOn":
      return step.spec.kind === "checks"
        ? evaluateChecks(drive, cycle, run, step)
        : evaluateMaterialization(drive, cycle, run, step);
  }
}

function evaluateMaterialization(drive: DriveState, cycle: Cycle, run: Run, step: RunStep): readonly AssetKey[] {
  const { spec } = step;
  const node = drive.world.graph().asset(spec.asset);
  const ordinal = node?.space.ordinalOf(spec.partition);
  const lookedAgain = drive.lookedAgain.delete(step);
  if (node === undefined || node.retired || node.definition.external !== undefined || ordinal === undefined) {
    if (!lookedAgain) {
      // Whoever planned it may know definitions, and partitions, that this process has not heard of yet.
      drive.unconfirmed.set(step, { run, assets: [], graph: true });
      return [];
    }
    failUnleased(drive, cycle, run, step, goneError(spec.asset, spec.partition, spec.location, node));
    return [];
  }
  if (node.location !== spec.location) {
    failUnleased(drive, cycle, run, step, movedError(spec.asset, spec.location, node.location, run.id));
    return [];
  }
  const nowMs = drive.world.now();
  const partitionsOf = (edge: Edge): readonly string[] => {
    const planned = spec.edges.find((e) => e.name === edge.dependency.name && e.asset === edge.upstream.key);
    return planned?.partitions ?? mappedPartitions(edge, ordinal, nowMs);
  };
  const verdict = judgeGate(node.upstream, partitionsOf, drive.memory, drive.pinsOf(run, step), nowMs);
  switch (verdict.kind) {
    case "unknown":
      return verdict.assets;
    case "open":
      drive.stopWaiting(step);
      leaseMaterialization(drive, cycle, run, step, node, verdict.edges, partitionsOf);
      return [];
    case "wait":
      waitForChecks(drive, cycle, run, step, node, verdict.pending, verdict.reasons);
      return [];
    case "closed": {
      const roots = rootReasons(drive.world.graph(), verdict.reasons, drive.memory, nowMs);
      // All at once: level by level, a deep graph would be read once a level.
      if (roots.kind === "unknown") return ancestors([node]).map((upstream) => upstream.key);
      const assets = [...verdict.reasons, ...roots.reasons].map((reason) => reason.asset);
      assets.push(...node.upstream.map((edge) => edge.upstream.key));
      if (!drive.confirmed.delete(step)) {
        // A lease on old memory is refused by the database. A refusal is not, so it is made on what is so now.
        drive.unconfirmed.set(step, { run, assets });
      } else if (run.whenOpen) {
        drive.stopWaiting(step); // What comes next may be another version.
        drive.sleep(run, step, assets);
      } else {
        block(drive, cycle, run, step, roots.reasons);
      }
      return [];
    }
  }
}

function goneError(asset: string, partition: string, location: string, node: AssetNode | undefined) {
  if (node?.definition.external !== undefined) {
    return {
      code: "step.definition_gone",
      message: `${asset} is external by now: it is reported, and not made by a step.`,
      hint: `headgate asset show ${asset} says more.`,
    };
  }
  const what = node === undefined || node.retired ? `${asset}` : `partition ${partition} of ${asset}`;
  return {
    code: "step.definition_gone",
    message: `${what} is no longer defined by ${location}.`,
    hint: `headgate location show ${location} lists what it defines and what is wrong with it.`,
  };
}

/** Transferred after the run was planned. A step stays with its location; the next run goes to the new one. */
function movedError(asset: string, from: string, to: string, runId: string) {
  return {
    code: "step.definition_gone",
    message: `${asset} was transferred from location ${from} to ${to} after this run was planned.`,
    hint: `headgate run retry ${runId} --from-failure launches it in ${to}.`,
  };
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

/** Sleeps until the pending checks have results; runs those that nobody is running. */
function waitForChecks(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  step: RunStep,
  node: AssetNode,
  pending: readonly PendingVersion[],
  reasons: readonly Reason[],
): void {
  const nowMs = drive.world.monotonic();
  const since = drive.waitingSince.get(step) ?? nowMs;
  drive.waitingSince.set(step, since);
  if (nowMs - since >= node.definition.gateTimeoutMs) {
    const late = reasons.map((r): Reason => (r.kind === "pending" ? { ...r, kind: "checkNotRun" } : r));
    block(drive, cycle, run, step, late);
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

function failUnleased(
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

function block(drive: DriveState, cycle: Cycle, run: Run, step: RunStep, reasons: readonly Reason[]): void {
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
