import type { Run, RunStep } from "../../domain/run-state.ts";

/**
 * Which runs of a drive give their slot back, and which ask for one again. A run is idle while nothing of it is in
 * flight, or waits for a worker that will come free: its gate is pending, its location is down, its pool is full, or it
 * is to be tried again later. It costs a claim to come back, so it has to be idle in two looks.
 */
export class RunSlots {
  readonly #asking = new Map<Run, Set<RunStep>>();
  #idle: ReadonlySet<Run> = new Set();
  /** Idle, and not yet known to the queue as such. */
  readonly #releasing = new Set<Run>();
  /** Came back, and have leased nothing since. */
  readonly #back = new Set<Run>();
  #asked = false;

  /** A step of a run without a slot could be leased: it is looked at again once the run has one. */
  ask(run: Run, step: RunStep): void {
    const steps = this.#asking.get(run) ?? new Set();
    this.#asking.set(run, steps.add(step));
    this.#asked = true;
  }

  /** True if a run has begun to ask since the last call. */
  takeAsked(): boolean {
    const asked = this.#asked;
    this.#asked = false;
    return asked;
  }

  get asking(): readonly Run[] {
    return [...this.#asking.keys()];
  }

  /** Gives a run its slot; returns the steps that waited for it. */
  granted(run: Run): Iterable<RunStep> {
    const steps = this.#asking.get(run) ?? [];
    this.#asking.delete(run);
    run.holdsSlot = true;
    this.#back.add(run);
    return steps;
  }

  /** True for a run that came back for a slot of a pool: it keeps its own until it has that one, or never would. */
  isBack(run: Run): boolean {
    return this.#back.has(run);
  }

  leased(run: Run): void {
    this.#back.delete(run);
  }

  /** Looks which of these runs are idle: those that are not busy. From the second look on nothing of theirs is leased. */
  look(runs: ReadonlyMap<string, Run>, busy: ReadonlySet<Run>): void {
    for (const run of this.#asking.keys()) if (!runs.has(run.id)) this.#asking.delete(run);
    for (const run of this.#back) if (!runs.has(run.id)) this.#back.delete(run);
    const idle = [...runs.values()].filter((run) => run.holdsSlot && !run.canceling && !busy.has(run));
    for (const run of idle) {
      if (!this.#idle.has(run)) continue;
      run.holdsSlot = false;
      this.#releasing.add(run);
    }
    this.#idle = new Set(idle);
  }

  /** Runs whose slots are to be given back to the queue. */
  get releasing(): readonly Run[] {
    return [...this.#releasing];
  }

  released(runs: readonly Run[]): void {
    for (const run of runs) this.#releasing.delete(run);
  }

  clear(): void {
    this.#asking.clear();
    this.#back.clear();
    this.#releasing.clear();
    this.#idle = new Set();
  }
}
