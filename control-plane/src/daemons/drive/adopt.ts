import { type AssetKey, parsePartitions, rangeSet } from "@headgate/model";
import { checksWithAsset } from "../../domain/check-steps.ts";
import { type GateView, type VersionView, pinKey } from "../../domain/gate.ts";
import type { StepCommand, VersionReference } from "../../domain/attempt-report.ts";
import type { Reason } from "../../domain/reason.ts";
import { type Run, type RunStep, type StepEdge, newRun } from "../../domain/run-state.ts";
import { inFlight } from "../../domain/step-state.ts";
import type { ClaimedRun, StoredAttempt, StoredStep } from "../../storage/claim-runs.ts";
import type { EdgeRow, InputRow } from "../../storage/schema.ts";
import { type Attempt, newAttempt } from "./attempt.ts";
import { Computation } from "./computation.ts";
import type { DriveState } from "./drive-state.ts";
import { command, passesNothing, reference } from "./lease.ts";

/** Builds a run in memory from its rows: a new one, or one that another driver has left in the middle. */
export function adoptRun(
  drive: DriveState,
  claimed: ClaimedRun,
  steps: readonly StoredStep[],
  attempts: readonly StoredAttempt[],
  read: readonly { inputs: InputRow[] }[],
  closedVersion: boolean,
): Run {
  const graph = drive.world.graph();
  const runSteps = steps.map((row): RunStep => {
    const { thrown, crashed, attempts: tried } = row;
    const attempted = attempts.some((attempt) => attempt.step_index === row.index);
    // A retry that was waiting for its time goes at once; a step whose lease was not granted waits again.
    const phase = row.state === "retrying" || (inFlight(row.state) && !attempted) ? "waiting" : row.state;
    const step: RunStep = {
      spec: {
        index: row.index,
        kind: row.kind,
        asset: row.asset_key,
        partition: row.partition_key,
        location: row.location,
        after: row.after,
        edges: row.edges.map((edge) => stepEdge(drive, edge)),
        checks: row.checks,
        ...(row.kind === "checks" && row.version_id !== null ? { versionId: row.version_id } : {}),
        ...(row.computation === null ? {} : { computation: row.computation }),
      },
      state: { phase, attempts: tried, thrown, crashed },
      outstanding: 0,
    };
    if (row.kind === "materialize" && row.version_id !== null) step.made = row.version_id;
    if (row.reasons !== null) step.reasons = row.reasons as Reason[];
    return step;
  });
  const { id, epoch, tags, config, whenOpen, team, priority, createdAtMs, slot } = claimed;
  const place = { team, priority, createdAtMs };
  const run = newRun(id, epoch, { tags, config, whenOpen, place, holdsSlot: slot === "held" }, runSteps);
  run.closedVersion = closedVersion;
  for (const { inputs } of read) pinInputs(run, inputs);
  const computations = new Map<string, Computation<Attempt>>();
  for (const row of attempts) {
    const step = run.steps[row.step_index];
    if (step === undefined) continue;
    const attempt = newAttempt({
      id: row.id,
      run,
      step,
      number: row.number,
      location: row.location,
      instanceId: row.instance_id,
      versionId: row.version_id,
      inputs: row.inputs,
      computation: computationOf(row, computations),
      pool: row.pool ?? undefined,
      command: undefined,
      leaseMs: graph.asset(row.asset_key)?.definition.attemptLeaseMs ?? 60_000,
      committed: true,
      sequence: row.sequence,
      started: row.state === "started",
      computed: row.computed,
      sinceMs: drive.world.monotonic(),
      lostAtMs: drive.world.monotonic(),
    });
    for (const name of row.checked) attempt.checked.add(name);
    drive.attempts.add(attempt);
  }
  for (const computation of computations.values()) computation.adopted();
  drive.runs.set(run.id, run);
  for (const step of run.steps) drive.dirty.set(step, run);
  return run;
}

function computationOf(
  row: StoredAttempt,
  computations: Map<string, Computation<Attempt>>,
): Computation<Attempt> | undefined {
  if (row.computation === null) return undefined;
  const known = computations.get(row.computation);
  if (known !== undefined) return known;
  const computation = new Computation<Attempt>(row.computation, row.leased_together, row.is_whole);
  computations.set(row.computation, computation);
  return computation;
}

/** What a run has read once it reads again. */
export function pinInputs(run: Run, inputs: readonly InputRow[]): void {
  for (const { asset, versions } of inputs) {
    for (const { partition, id } of versions) run.pins.set(pinKey(asset as AssetKey, partition), id);
  }
}

function stepEdge(drive: DriveState, row: EdgeRow): StepEdge {
  const { name, mode, atLeast } = row;
  const asset = row.asset as AssetKey;
  const space = drive.world.graph().asset(asset)?.space;
  let partitions: readonly string[] = [""];
  if (space?.definition !== undefined) {
    const parsed = row.partitions === "" ? undefined : parsePartitions(space, row.partitions, Number.MAX_SAFE_INTEGER);
    // A definition that has lost these partitions has no version of them either: the gate says so by their keys.
    partitions =
      parsed?.ok === true ? [...rangeSet.ordinals(parsed.set)].map((n) => space.keyAt(n)) : row.partitions.split(",");
    if (row.partitions === "") partitions = [];
  }
  return { name, asset, mode, atLeast, partitions };
}

/** The assets whose versions a run's steps read or make: loaded before its first evaluation. */
export function assetsOf(drive: DriveState, run: Run): AssetKey[] {
  const assets = new Set<AssetKey>();
  const graph = drive.world.graph();
  for (const { spec } of run.steps) {
    assets.add(spec.asset);
    for (const edge of graph.asset(spec.asset)?.upstream ?? []) assets.add(edge.upstream.key);
  }
  return [...assets];
}

/** The command of an adopted attempt, made anew from what it pinned; undefined: one of its inputs is gone. */
export function rebuildCommand(drive: DriveState, attempt: Attempt, view: GateView): StepCommand | undefined {
  const { run, step, versionId } = attempt;
  const node = drive.world.graph().asset(step.spec.asset);
  const find = (asset: string, partition: string, id: string): VersionReference | undefined => {
    const version: VersionView | undefined = view.versions(asset as AssetKey, partition)?.find((v) => v.id === id);
    return version === undefined ? undefined : reference(version);
  };
  let work: StepCommand["work"];
  if (step.spec.kind === "checks") {
    const version = find(step.spec.asset, step.spec.partition, versionId);
    if (version === undefined) return undefined;
    work = { kind: "checks", version, checks: step.spec.checks };
  } else {
    if (node === undefined) return undefined;
    const inputs = [];
    for (const { name, asset, mode, single, versions, leftOut } of attempt.inputs) {
      const upstream = drive.world.graph().asset(asset);
      if (passesNothing(upstream, mode, single, versions.length)) continue;
      const references = versions.map((v) => find(asset, v.partition, v.id));
      if (references.some((r) => r === undefined)) return undefined;
      inputs.push({ name, asset, mode, single, leftOut, versions: references as VersionReference[] });
    }
    const config = run.config[step.spec.asset];
    const checks = checksWithAsset(node);
    work = { kind: "materialize", versionId, inputs, checks, ...(config === undefined ? {} : { config }) };
  }
  return command(run, step, node, attempt.id, attempt.number, attempt.leaseMs, work);
}
