import type { AssetKey } from "@headgate/model";
import type { DependencyMode } from "./definitions.ts";
import { type Reason, distinctReasons } from "./reason.ts";
import { type StepPhase, type StepState, hasEnded } from "./step-state.ts";

/*
 * A run, as its driver holds it in memory: its steps, what each waits for, and what became of it.
 *
 * queued     Created with its steps; no daemon drives it yet.
 * started    A daemon drives it. Left for canceling by a request, and for an end when its last step has ended. While
 *            nothing of it can go on it gives its slot back, and asks the queue for one again.
 * canceling  A person asked for it: what waits is canceled, what computes is told to stop. Left for an end like started.
 *
 * succeeded, failed, blocked, canceled: ends, a fold over the steps (`outcomeOf`).
 */

export type RunPhase = "queued" | "started" | "canceling" | "succeeded" | "failed" | "blocked" | "canceled";

/** An edge of a step, as resolved at the run's creation. */
export interface StepEdge {
  readonly name: string;
  readonly asset: AssetKey;
  readonly mode: DependencyMode;
  /** 0: every one. */
  readonly atLeast: number;
  /** Mapped upstream partition keys, in order. */
  readonly partitions: readonly string[];
}

/** What never changes about a step. */
export interface StepSpec {
  readonly index: number;
  readonly kind: "materialize" | "checks";
  readonly asset: AssetKey;
  readonly partition: string;
  readonly location: string;
  readonly after: readonly number[];
  readonly edges: readonly StepEdge[];
  readonly checks: readonly string[];
  /** Of kind checks: the version to check; absent: the one that the step in `after` makes. */
  readonly versionId?: string;
  /** Index of the first step that is computed together with this one; absent: it is computed alone. */
  readonly computation?: number;
}

export interface RunStep {
  readonly spec: StepSpec;
  state: StepState;
  /** The version that it made. */
  made?: string;
  /** Why it ended blocked. */
  reasons?: readonly Reason[];
  /** Steps in `spec.after` that have not ended. */
  outstanding: number;
}

/** What decides when a run's turn is. */
export interface PlaceInQueue {
  readonly team: string;
  readonly priority: number;
  readonly createdAtMs: number;
}

export interface Run {
  readonly id: string;
  /** Grows at every takeover. */
  readonly epoch: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
  /** Closed gates are waited for instead of ending the step. */
  readonly whenOpen: boolean;
  readonly place: PlaceInQueue;
  /** Without it nothing of the run is leased. It is given back while nothing of it can go on, and asked for again. */
  holdsSlot: boolean;
  canceling: boolean;
  readonly steps: RunStep[];
  /** The steps that are computed together, by the index of the first of them. */
  readonly computations: Map<number, RunStep[]>;
  /** Step index to the steps that wait for it. */
  readonly dependents: number[][];
  /** Steps that have not ended. */
  open: number;
  /** A version that it made or checked is closed. */
  closedVersion: boolean;
  /** Versions read so far, by pinKey: the run reads the same again. */
  readonly pins: Map<string, string>;
}

export function newRun(
  id: string,
  epoch: number,
  about: Pick<Run, "tags" | "config" | "whenOpen" | "place" | "holdsSlot">,
  steps: readonly RunStep[],
): Run {
  const run: Run = {
    id,
    epoch,
    ...about,
    canceling: false,
    steps: [],
    computations: new Map(),
    dependents: [],
    open: 0,
    closedVersion: false,
    pins: new Map(),
  };
  for (const step of steps) addStep(run, step);
  return run;
}

/** Adds a step, at creation or while the run goes on (a check that turned out to be missing). */
export function addStep(run: Run, step: RunStep): void {
  run.steps.push(step);
  run.dependents.push([]);
  step.outstanding = 0;
  const { computation } = step.spec;
  if (computation !== undefined) {
    const together = run.computations.get(computation) ?? [];
    together.push(step);
    run.computations.set(computation, together);
  }
  for (const index of step.spec.after) {
    run.dependents[index]?.push(step.spec.index);
    const before = run.steps[index];
    if (before !== undefined && !hasEnded(before.state.phase)) step.outstanding++;
  }
  if (!hasEnded(step.state.phase)) run.open++;
}

/** Records that a step has ended; returns the steps that nothing in the run keeps waiting any more. */
export function endStep(run: Run, step: RunStep): RunStep[] {
  run.open--;
  const ready: RunStep[] = [];
  for (const index of run.dependents[step.spec.index] ?? []) {
    const dependent = run.steps[index];
    if (dependent === undefined) continue;
    dependent.outstanding--;
    if (dependent.outstanding === 0 && !hasEnded(dependent.state.phase)) ready.push(dependent);
  }
  return ready;
}

export type Inherited =
  | { readonly kind: "goesOn" }
  | { readonly kind: "skipped" }
  | { readonly kind: "blocked"; readonly reasons: readonly Reason[] };

/**
 * What a step inherits from the steps before it once they have all ended. An edge that needs every partition falls with
 * its upstream step; `lastValidated`, and an edge that is content with some, are left to the gate.
 */
export function inheritedFrom(run: Run, step: RunStep): Inherited {
  const reasons: Reason[] = [];
  let skipped = false;
  for (const index of step.spec.after) {
    const before = run.steps[index];
    if (before === undefined || before.state.phase === "succeeded") continue;
    if (step.spec.kind === "checks") {
      skipped = true;
      continue;
    }
    if (before.spec.kind === "checks") continue; // The gate sees its results, or that they are missing.
    const { asset, partition } = before.spec;
    const edges = step.spec.edges.filter((e) => e.asset === asset && e.partitions.includes(partition));
    if (edges.every((edge) => edge.mode === "lastValidated" || edge.atLeast > 0)) continue;
    // It failed after its value was stored, in a check that reached no verdict: the gate knows whether that matters.
    if (before.state.phase === "failed" && before.made !== undefined) continue;
    if (before.state.phase === "blocked") reasons.push(...(before.reasons ?? []));
    else skipped = true;
  }
  if (skipped) return { kind: "skipped" };
  return reasons.length > 0 ? { kind: "blocked", reasons: distinctReasons(reasons) } : { kind: "goesOn" };
}

/** The end of a run: failed before canceled before blocked (also when a version it made or checked is closed). */
export function outcomeOf(
  phases: Iterable<StepPhase>,
  closedVersion: boolean,
): "succeeded" | "failed" | "blocked" | "canceled" {
  let canceled = false;
  let blocked = closedVersion;
  for (const phase of phases) {
    if (phase === "failed") return "failed";
    if (phase === "canceled") canceled = true;
    if (phase === "blocked") blocked = true;
  }
  if (canceled) return "canceled";
  return blocked ? "blocked" : "succeeded";
}
