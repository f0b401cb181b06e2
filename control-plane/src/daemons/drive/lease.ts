import type { CommandInput, StepCommand, VersionReference } from "../../domain/attempt-report.ts";
import type { DependencyMode } from "../../domain/definitions.ts";
import type { EdgeVerdict, VersionView } from "../../domain/gate.ts";
import { pinKey } from "../../domain/gate.ts";
import type { AssetNode, Edge } from "../../domain/graph.ts";
import { checksWithAsset } from "../../domain/plan.ts";
import type { Run, RunStep } from "../../domain/run-state.ts";
import { definitionsGate } from "../../storage/bump-gate.ts";
import type { InputRow } from "../../storage/schema.ts";
import { newAttempt } from "./attempt.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";

type OpenEdge = Extract<EdgeVerdict, { kind: "open" }>;

/** Leases one flush asks for, at most. */
export const leasesPerFlush = 500;

/** Of an attempt whose asset names none: nothing computes for ever. */
const timeoutDefaultMs = 86_400_000;

/** The location gives an attempt up earlier than its driver does, so that two never compute at once. */
const instanceLeaseShare = 0.75;

/** Asks for the lease of a step whose gate is open, or queues it for a credit. */
export function leaseMaterialization(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  step: RunStep,
  node: AssetNode,
  open: readonly OpenEdge[],
  partitionsOf: (edge: Edge) => readonly string[],
): void {
  const versionId = drive.world.newId();
  if (!mayLease(drive, cycle, run, step, versionId)) return;
  const inputs: InputRow[] = [];
  const commandInputs: CommandInput[] = [];
  const pins: string[] = [];
  for (const [index, edge] of node.upstream.entries()) {
    const verdict = open[index];
    if (verdict === undefined) continue;
    const { name, mode } = edge.dependency;
    const asset = edge.upstream.key;
    const single = edge.single && partitionsOf(edge).length <= 1;
    const leftOut = [...verdict.leftOut];
    const versions = verdict.versions.map((p) => ({
      id: p.version.id,
      partition: p.version.partition,
      waivers: [...p.waivers],
    }));
    inputs.push({ name, asset, mode, single, versions, leftOut });
    for (const { version } of verdict.versions) {
      const key = pinKey(asset, version.partition);
      if (run.pins.has(key)) continue;
      run.pins.set(key, version.id);
      pins.push(key);
    }
    if (passesNothing(edge.upstream, mode, single, versions.length)) continue;
    const references = verdict.versions.map((p) => reference(p.version));
    commandInputs.push({ name, asset, mode, versions: references, leftOut, single });
  }
  const config = run.config[step.spec.asset];
  const work: StepCommand["work"] = {
    kind: "materialize",
    versionId,
    inputs: commandInputs,
    checks: ownChecks(node),
    ...(config === undefined ? {} : { config }),
  };
  lease(drive, cycle, run, step, node, versionId, inputs, work, pins);
}

/** True where compute receives nothing: of an order-only edge, and of an asset that has no versions. */
export function passesNothing(
  upstream: AssetNode | undefined,
  mode: DependencyMode,
  single: boolean,
  versions: number,
): boolean {
  return mode === "orderOnly" || (single && versions === 0 && upstream?.definition.external?.unversioned === true);
}

/** The checks that run with the asset: those of its own location. */
export function ownChecks(node: AssetNode): string[] {
  return checksWithAsset(node);
}

export function leaseChecks(drive: DriveState, cycle: Cycle, run: Run, step: RunStep, version: VersionView): void {
  if (!mayLease(drive, cycle, run, step, version.id)) return;
  const work: StepCommand["work"] = { kind: "checks", version: reference(version), checks: step.spec.checks };
  const node = drive.world.graph().asset(step.spec.asset);
  lease(drive, cycle, run, step, node, version.id, [], work, []);
}

export function reference(version: VersionView): VersionReference {
  const { id, partition, value, dataVersion, metadata } = version;
  return { versionId: id, partition, value, dataVersion, metadata };
}

/** False when it has to wait: for a credit, or for the attempt that is in flight for the same partition. */
function mayLease(drive: DriveState, cycle: Cycle, run: Run, step: RunStep, versionId: string): boolean {
  if (drive.attempts.inTheWayOf(step, versionId) !== undefined) {
    drive.sleep(run, step, [step.spec.asset]);
    return false;
  }
  const lane = drive.lane(step.spec.location);
  if (cycle.flush.leases.length >= leasesPerFlush || drive.freeCredits(lane) <= 0) {
    lane.ready.push({ run, step });
    return false;
  }
  return true;
}

function lease(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  step: RunStep,
  node: AssetNode | undefined,
  versionId: string,
  inputs: InputRow[],
  work: StepCommand["work"],
  pins: readonly string[],
): void {
  const { spec } = step;
  const lane = drive.lane(spec.location);
  const id = drive.world.newId();
  const number = step.state.attempts + 1;
  const leaseMs = node?.definition.attemptLeaseMs ?? 60_000;
  step.state = { ...step.state, phase: "leased", attempts: number };
  const attempt = newAttempt({
    id,
    run,
    step,
    number,
    location: spec.location,
    instanceId: lane.instanceId,
    versionId,
    inputs,
    command: command(run, step, node, id, number, leaseMs, work),
    leaseMs,
    committed: false,
    sequence: 0,
    started: false,
    computed: false,
    sinceMs: drive.world.monotonic(),
    lostAtMs: undefined,
  });
  const gateAssets = [definitionsGate, ...new Set(inputs.map((input) => input.asset))];
  cycle.flush.gates[definitionsGate] = drive.world.graphEpoch();
  for (const asset of gateAssets) {
    const epoch = drive.memory.epoch(asset as never);
    if (epoch !== undefined) cycle.flush.gates[asset] ??= epoch;
  }
  const entry = {
    id,
    runId: run.id,
    stepIndex: spec.index,
    number,
    epoch: run.epoch,
    kind: spec.kind,
    assetKey: spec.asset,
    partitionKey: spec.partition,
    location: spec.location,
    instanceId: lane.instanceId,
    versionId,
    inputs,
    gateAssets,
  };
  cycle.flush.leases.push(entry);
  cycle.flush.leaseEvents.push({
    leaseId: id,
    kind: "step_leased",
    runId: run.id,
    stepIndex: spec.index,
    assetKey: spec.asset,
    partitionKey: spec.partition,
    location: spec.location,
    payload: { attempt: id, number, version: versionId },
  });
  cycle.leases.push({ attempt, entry, pins });
  drive.attempts.add(attempt);
}

/** What goes to the location. */
export function command(
  run: Run,
  step: RunStep,
  node: AssetNode | undefined,
  attemptId: string,
  attemptNumber: number,
  leaseMs: number,
  work: StepCommand["work"],
): StepCommand {
  const { asset, partition } = step.spec;
  const ordinal = node?.space.ordinalOf(partition);
  const window = ordinal === undefined ? undefined : node?.space.windowAt(ordinal);
  return {
    attemptId,
    runId: run.id,
    epoch: run.epoch,
    attemptNumber,
    asset,
    partition,
    ...(window === undefined ? {} : { window: { start: window.start, end: window.end } }),
    timeoutMs: node?.definition.timeoutMs || timeoutDefaultMs,
    leaseMs: Math.round(leaseMs * instanceLeaseShare),
    tags: run.tags,
    work,
  };
}
