import type { AssetKey } from "@headgate/model";
import type { Pins } from "../../domain/gate.ts";
import type { Graph } from "../../domain/graph.ts";
import type { Reason } from "../../domain/reason.ts";
import type { QueueRules } from "../../domain/run-queue.ts";
import { type Run, type RunStep, endStep, outcomeOf } from "../../domain/run-state.ts";
import { type StepEvent, step as stepTransition } from "../../domain/step-state.ts";
import type { RetryPolicy } from "../../domain/definitions.ts";
import type { GateMemory } from "../gate-memory.ts";
import { type Attempt, Attempts } from "./attempt.ts";
import { type Computation, isLead } from "./computation.ts";
import type { Cycle } from "./cycle.ts";
import { Lane } from "./lane.ts";
import { PoolLines } from "./pool-lines.ts";
import { RunSlots } from "./run-slots.ts";

/** What the drive is given from outside. */
export interface DriveWorld {
  graph(): Graph;
  /** The gate epoch of the definitions that `graph` shows. */
  graphEpoch(): number;
  /** What the queue is ruled by now. */
  queueRules(): QueueRules;
  /** The team of a location, as the workspace says; undefined: not known. */
  teamOf(location: string): string | undefined;
  /** Unix milliseconds. */
  now(): number;
  /** Milliseconds that never go back. */
  monotonic(): number;
  newId(): string;
  /** In [0, 1). */
  random(): number;
}

/** All that the drive holds in memory; dropped as a whole when a flush fails, and read again. */
export class DriveState {
  readonly world: DriveWorld;
  readonly memory: GateMemory;
  /** Grows when memory is dropped: what was under way for the old one is ignored. */
  generation = 0;
  readonly runs = new Map<string, Run>();
  readonly attempts = new Attempts();
  readonly lanes = new Map<string, Lane>();
  readonly slots = new RunSlots();
  readonly pools = new PoolLines();
  /** Steps to look at in the next cycle. */
  readonly dirty = new Map<RunStep, Run>();
  /** Steps that sleep until something is recorded of an asset. */
  readonly #sleepers = new Map<AssetKey, Map<RunStep, Run>>();
  /** Steps whose gate is closed by memory, which may be old: with the assets that tell. */
  readonly unconfirmed = new Map<
    RunStep,
    /** `graph`: it is the definitions that may be old. */
    { readonly run: Run; readonly assets: readonly AssetKey[]; readonly graph?: boolean }
  >();
  /** Of them, those whose assets were compared with the database since. */
  readonly confirmed = new Set<RunStep>();
  /** Of them, those for which the definitions were read again since. */
  readonly lookedAgain = new Set<RunStep>();
  /** Computations that hold reports which need not wait any more. */
  readonly fallen = new Set<Computation<Attempt>>();
  /** Since when a step waits for pending checks, on the monotonic clock. */
  readonly waitingSince = new Map<RunStep, number>();
  /** The versions that a step waits for, by pinKey: newer ones that are pending do not keep it waiting longer. */
  readonly waitingFor = new Map<RunStep, Map<string, string>>();

  constructor(world: DriveWorld, memory: GateMemory) {
    this.world = world;
    this.memory = memory;
  }

  lane(location: string): Lane {
    let lane = this.lanes.get(location);
    if (lane === undefined) this.lanes.set(location, (lane = new Lane(location)));
    return lane;
  }

  /** Steps that the location could take now. */
  freeCredits(lane: Lane): number {
    if (lane.session === undefined) return 0;
    let used = 0;
    // What one call computes takes one worker.
    for (const attempt of this.attempts.at(lane.location)) {
      if (attempt.instanceId === lane.instanceId && isLead(attempt)) used++;
    }
    return lane.credits - used;
  }

  /** Runs of which something is in flight, is looked at, or waits for no more than a worker. */
  busyRuns(): ReadonlySet<Run> {
    const busy = new Set<Run>(this.dirty.values());
    for (const { run } of this.attempts.all()) busy.add(run);
    for (const { run } of this.unconfirmed.values()) busy.add(run);
    for (const { session, ready } of this.lanes.values()) {
      if (session !== undefined) for (const { run } of ready) busy.add(run);
    }
    for (const run of this.pools.runs()) if (this.slots.isBack(run)) busy.add(run);
    return busy;
  }

  /** A slot of the pool may be free: the next in line is looked at. `fills`: there may be more than one. */
  callNext(pool: string, fills = false): void {
    const next = this.pools.call(pool, fills);
    if (next !== undefined) this.dirty.set(next.step, next.run);
  }

  sleep(run: Run, step: RunStep, assets: Iterable<AssetKey>): void {
    for (const asset of assets) {
      const sleepers = this.#sleepers.get(asset) ?? new Map<RunStep, Run>();
      this.#sleepers.set(asset, sleepers.set(step, run));
    }
  }

  /** Wakes whoever sleeps on this asset. */
  touch(asset: AssetKey): void {
    const sleepers = this.#sleepers.get(asset);
    if (sleepers === undefined) return;
    this.#sleepers.delete(asset);
    for (const [step, run] of sleepers) this.dirty.set(step, run);
  }

  /** Wakes everybody: the definitions have changed, or some time has passed. */
  touchAll(): void {
    for (const asset of [...this.#sleepers.keys()]) this.touch(asset);
  }

  retryPolicy(asset: AssetKey): RetryPolicy {
    return this.world.graph().asset(asset)?.definition.retry ?? noRetry;
  }

  /** Moves a step; what follows from an end (dependents, the run's own end) is done here, once. */
  transition(
    cycle: Cycle,
    run: Run,
    step: RunStep,
    event: StepEvent,
    more: { reasons?: readonly Reason[]; versionId?: string; error?: object } = {},
  ): void {
    const { state, effects } = stepTransition(step.state, event, this.retryPolicy(step.spec.asset));
    if (state === step.state) return;
    step.state = state;
    if (more.reasons !== undefined) step.reasons = more.reasons;
    if (more.versionId !== undefined) step.made = more.versionId;
    cycle.step(run, step, more);
    for (const effect of effects) cycle.retries.push({ run, step, delayMs: effect.delayMs });
  }

  /** To be called once for each step that has ended, after its event was added. */
  ended(cycle: Cycle, run: Run, step: RunStep): void {
    this.stopWaiting(step);
    for (const ready of endStep(run, step)) this.dirty.set(ready, run);
    const { computation } = step.spec;
    // What is computed with it may have waited for its end.
    for (const sibling of computation === undefined ? [] : (run.computations.get(computation) ?? [])) {
      if (sibling.state.phase === "waiting") this.dirty.set(sibling, run);
    }
    if (run.open === 0) this.endRun(cycle, run);
  }

  stopWaiting(step: RunStep): void {
    this.waitingSince.delete(step);
    this.waitingFor.delete(step);
  }

  /** What the run has read, and what one of these steps has begun to wait for. */
  pinsOf(run: Run, parts: readonly { readonly step: RunStep }[]): Pins {
    const waiting = parts.flatMap(({ step }) => [...(this.waitingFor.get(step) ?? [])]);
    return waiting.length === 0 ? run.pins : new Map([...waiting, ...run.pins]);
  }

  /** Ends a run without a step that has not. */
  endRun(cycle: Cycle, run: Run): void {
    const outcome = outcomeOf(
      run.steps.map((s) => s.state.phase),
      run.closedVersion,
    );
    cycle.flush.events.push({ kind: `run_${outcome}`, runId: run.id });
    cycle.flush.runs.push({ id: run.id, state: outcome, ended: true });
    cycle.endedRuns.push(run);
  }

  /** Drops everything: it is read again, as after a restart. */
  clear(): void {
    this.generation++;
    this.runs.clear();
    this.attempts.clear();
    this.slots.clear();
    this.pools.clear();
    this.dirty.clear();
    this.#sleepers.clear();
    this.waitingSince.clear();
    this.waitingFor.clear();
    this.unconfirmed.clear();
    this.confirmed.clear();
    this.lookedAgain.clear();
    this.fallen.clear();
    this.memory.clear();
    for (const lane of this.lanes.values()) {
      lane.ready.length = 0;
      lane.forgetReports();
    }
  }
}

const noRetry: RetryPolicy = { maxRetries: 0, delayMs: 0, backoff: "constant", jitter: 0, maxCrashes: 2 };
