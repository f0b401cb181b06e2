import type { CommandInput, StepCommand, VersionReference } from "../../domain/attempt-report.ts";
import { checkStepTimeoutMs } from "../../domain/check-timeout.ts";
import type { DependencyMode } from "../../domain/definitions.ts";
import type { EdgeVerdict, VersionView } from "../../domain/gate.ts";
import { pinKey } from "../../domain/gate.ts";
import type { AssetNode, Edge } from "../../domain/graph.ts";
import { checksWithAsset } from "../../domain/check-steps.ts";
import type { Run, RunStep } from "../../domain/run-state.ts";
import { definitionsGate } from "../../storage/bump-gate.ts";
import type { InputRow } from "../../storage/schema.ts";
import { type Attempt, newAttempt } from "./attempt.ts";
import { Computation } from "./computation.ts";
import type { Cycle } from "./cycle.ts";
import type { DriveState } from "./drive-state.ts";

type OpenEdge = Extract<EdgeVerdict, { kind: "open" }>;

/** Leases one flush asks for, at most. */
export const leasesPerFlush = 500;

/** Of an attempt whose asset names none: nothing computes for ever. */
const timeoutDefaultMs = 86_400_000;

/** The location gives an attempt up earlier than its driver does, so that two never compute at once. */
const instanceLeaseShare = 0.75;

/** A step whose gate is open, with what it will read. */
export interface OpenStep {
  readonly step: RunStep;
  readonly node: AssetNode;
  readonly open: readonly OpenEdge[];
  readonly partitionsOf: (edge: Edge) => readonly string[];
}

/**
 * Asks for the lease of a step whose gate is open, or queues it for a credit. Several are computed by one call: they are
 * leased all or none, for one credit.
 */
export function leaseMaterialization(drive: DriveState, cycle: Cycle, run: Run, parts: readonly OpenStep[]): void {
  const pool = parts[0]?.node.definition.pool;
  if (!mayLease(drive, cycle, run, parts, { pool })) return;
  const readings = parts.map((part) => readingOf(run, part));
  const gateAssets = [definitionsGate, ...new Set(readings.flatMap(({ inputs }) => inputs.map(({ asset }) => asset)))];
  const computationId = drive.world.newId();
  const isWhole = parts.some(({ node }) => node.definition.multi?.canSubset === false);
  const computation = parts.length === 1 ? undefined : new Computation<Attempt>(computationId, parts.length, isWhole);
  for (const [n, { step, node }] of parts.entries()) {
    const reading = readings[n];
    if (reading === undefined) continue;
    const config = run.config[step.spec.asset];
    const versionId = drive.world.newId();
    const work: StepCommand["work"] = {
      kind: "materialize",
      versionId,
      inputs: reading.commandInputs,
      checks: checksWithAsset(node),
      ...(config === undefined ? {} : { config }),
    };
    const { inputs, pins } = reading;
    const id = n === 0 ? computationId : drive.world.newId();
    lease(drive, cycle, run, { id, step, node, versionId, inputs, work, pins, gateAssets, computation, pool });
  }
}

interface Reading {
  readonly inputs: InputRow[];
  readonly commandInputs: CommandInput[];
  /** Versions that the run reads for the first time: it reads the same again. */
  readonly pins: string[];
}

function readingOf(run: Run, { node, open, partitionsOf }: OpenStep): Reading {
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
  return { inputs, commandInputs, pins };
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

export function leaseChecks(drive: DriveState, cycle: Cycle, run: Run, step: RunStep, version: VersionView): void {
  if (!mayLease(drive, cycle, run, [{ step }], { versionId: version.id })) return;
  const work: StepCommand["work"] = { kind: "checks", version: reference(version), checks: step.spec.checks };
  const node = drive.world.graph().asset(step.spec.asset);
  const gateAssets = [definitionsGate];
  const none = { inputs: [], pins: [], computation: undefined, pool: undefined };
  const about = { ...none, versionId: version.id, work, gateAssets };
  lease(drive, cycle, run, { id: drive.world.newId(), step, node, ...about });
}

export function reference(version: VersionView): VersionReference {
  const { id, partition, value, dataVersion, metadata } = version;
  return { versionId: id, partition, value, dataVersion, metadata };
}

/** False when it has to wait: for its location, a credit, a slot, or the attempt that is in flight for its partition. */
function mayLease(
  drive: DriveState,
  cycle: Cycle,
  run: Run,
  parts: readonly Pick<OpenStep, "step">[],
  { versionId = "", pool }: { readonly versionId?: string; readonly pool?: string | undefined },
): boolean {
  const [lead] = parts;
  if (lead === undefined) return false;
  if (parts.some(({ step }) => drive.attempts.inTheWayOf(step, versionId) !== undefined)) {
    drive.sleep(
      run,
      lead.step,
      parts.map(({ step }) => step.spec.asset),
    );
    return false;
  }
  const lane = drive.lane(lead.step.spec.location);
  if (!run.holdsSlot && lane.session !== undefined) {
    drive.slots.ask(run, lead.step);
    return false;
  }
  if (cycle.flush.leases.length + parts.length > leasesPerFlush || drive.freeCredits(lane) <= 0) {
    lane.ready.push({ run, step: lead.step });
    return false;
  }
  return pool === undefined || drive.pools.mayAsk(pool, run, lead.step);
}

interface Leasing {
  readonly id: string;
  readonly step: RunStep;
  readonly node: AssetNode | undefined;
  readonly versionId: string;
  readonly inputs: InputRow[];
  readonly work: StepCommand["work"];
  readonly pins: readonly string[];
  readonly gateAssets: readonly string[];
  readonly computation: Computation<Attempt> | undefined;
  readonly pool: string | undefined;
}

function lease(drive: DriveState, cycle: Cycle, run: Run, leasing: Leasing): void {
  const { id, step, node, versionId, inputs, work, pins, gateAssets, computation, pool } = leasing;
  const { spec } = step;
  const lane = drive.lane(spec.location);
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
    computation,
    pool,
    command: command(run, step, node, id, number, leaseMs, work),
    leaseMs,
    committed: false,
    sequence: 0,
    started: false,
    computed: false,
    sinceMs: drive.world.monotonic(),
    lostAtMs: undefined,
  });
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
    ...(computation === undefined ? {} : { computation: computation.id, isWhole: computation.isWhole }),
    ...(pool === undefined ? {} : { pool, priority: run.place.priority, createdAtMs: run.place.createdAtMs }),
  };
  cycle.flush.leases.push(entry);
  if (pool !== undefined && !cycle.flush.pools.includes(pool)) cycle.flush.pools.push(pool);
  cycle.flush.leaseEvents.push({
    leaseId: id,
    kind: "step_leased",
    runId: run.id,
    stepIndex: spec.index,
    assetKey: spec.asset,
    partitionKey: spec.partition,
    location: spec.location,
    payload: {
      attempt: id,
      number,
      version: versionId,
      ...(computation === undefined ? {} : { computation: computation.id }),
    },
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
    timeoutMs:
      work.kind === "checks"
        ? checkStepTimeoutMs(node, step.spec.location, work.checks)
        : node?.definition.timeoutMs || timeoutDefaultMs,
    leaseMs: Math.round(leaseMs * instanceLeaseShare),
    tags: run.tags,
    work,
  };
}
