import type { AssetKey } from "@headgate/model";
import type { GateVerdict, PendingVersion, VersionView } from "../../domain/gate.ts";
import { judgeGate, pinKey } from "../../domain/gate.ts";
import type { AssetNode, Edge } from "../../domain/graph.ts";
import type { Reason } from "../../domain/reason.ts";
import { ancestors, mappedPartitions, rootReasons } from "../../domain/root-reasons.ts";
import { type Run, type RunStep, inheritedFrom } from "../../domain/run-state.ts";
import { hasEnded } from "../../domain/step-state.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";
import { type OpenStep, leaseChecks, leaseMaterialization } from "./lease.ts";
import { addChecks } from "./settle.ts";

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

/** A step of which everything is known that does not depend on its gate. */
interface DefinedStep {
  readonly step: RunStep;
  readonly node: AssetNode;
  readonly partitionsOf: (edge: Edge) => readonly string[];
}

function evaluateMaterialization(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  ready: readonly RunStep[],
): readonly AssetKey[] {
  const nowMs = drive.world.now();
  const parts = definedSteps(drive, cycle, run, ready, nowMs);
  const [lead] = parts;
  if (lead === undefined) return [];
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
      const roots = rootReasons(drive.world.graph(), verdict.reasons, drive.memory, nowMs);
      // All at once: level by level, a deep graph would be read once a level.
      if (roots.kind === "unknown") return ancestors(parts.map(({ node }) => node)).map((upstream) => upstream.key);
      const assets = [...verdict.reasons, ...roots.reasons].map((reason) => reason.asset);
      for (const { node } of parts) assets.push(...node.upstream.map((edge) => edge.upstream.key));
      if (!drive.confirmed.delete(lead.step)) {
        // A lease on old memory is refused by the database. A refusal is not, so it is made on what is so now.
        drive.unconfirmed.set(lead.step, { run, assets });
      } else if (run.whenOpen) {
        drive.stopWaiting(lead.step); // What comes next may be another version.
        drive.sleep(run, lead.step, assets);
      } else {
        for (const { step } of parts) block(drive, cycle, run, step, roots.reasons);
      }
      return [];
    }
  }
}

/** Fails the steps whose definition is gone, and all of what can only be computed as a whole and is not whole. */
function definedSteps(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  ready: readonly RunStep[],
  nowMs: number,
): DefinedStep[] {
  const parts: DefinedStep[] = [];
  const gone: { readonly step: RunStep; readonly node: AssetNode | undefined }[] = [];
  const moved: { readonly step: RunStep; readonly location: string }[] = [];
  for (const step of ready) {
    const { spec } = step;
    const node = drive.world.graph().asset(spec.asset);
    const ordinal = node?.space.ordinalOf(spec.partition);
    if (node === undefined || node.retired || node.definition.external !== undefined || ordinal === undefined) {
      gone.push({ step, node });
      continue;
    }
    if (node.location !== spec.location) {
      moved.push({ step, location: node.location });
      continue;
    }
    const partitionsOf = (edge: Edge): readonly string[] => {
      const planned = spec.edges.find((e) => e.name === edge.dependency.name && e.asset === edge.upstream.key);
      return planned?.partitions ?? mappedPartitions(edge, ordinal, nowMs);
    };
    parts.push({ step, node, partitionsOf });
  }
  const [lead] = ready;
  const lookedAgain = lead !== undefined && drive.lookedAgain.delete(lead);
  if (lead !== undefined && gone.length > 0 && !lookedAgain) {
    // Whoever planned it may know definitions, and partitions, that this process has not heard of yet.
    drive.unconfirmed.set(lead, { run, assets: [], graph: true });
    return [];
  }
  for (const { step, node } of gone) {
    failUnleased(drive, cycle, run, step, goneError(step.spec.asset, step.spec.partition, step.spec.location, node));
  }
  for (const { step, location } of moved) {
    failUnleased(drive, cycle, run, step, movedError(step.spec.asset, step.spec.location, location, run.id));
  }
  const { computation } = lead?.spec ?? {};
  if (computation === undefined || parts.length === run.computations.get(computation)?.length) return parts;
  if (parts.every(({ node }) => node.definition.multi?.canSubset !== false)) return parts;
  for (const { step } of parts) failUnleased(drive, cycle, run, step, setError(step.spec.asset));
  return [];
}

function setError(asset: string) {
  return {
    code: "step.set_incomplete",
    message: `${asset} is computed by one call together with others, of which one has ended and is not tried again.`,
    hint: "See what became of them, and launch all again.",
  };
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
