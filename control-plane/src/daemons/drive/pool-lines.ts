import type { Run, RunStep } from "../../domain/run-state.ts";
import type { RunAndStep } from "./lane.ts";

/** Whose turn it is before another's: by priority, then age, then the order of the plan. */
function inTurn(a: RunAndStep, b: RunAndStep): number {
  const [x, y] = [a.run.place, b.run.place];
  return y.priority - x.priority || x.createdAtMs - y.createdAtMs || a.step.spec.index - b.step.spec.index;
}

/**
 * The steps that wait for a slot of a pool. The database alone knows whether one is free: a step asks by its lease, and
 * who is refused stands in line. Where there is a line, only who is called asks.
 */
export class PoolLines {
  readonly #lines = new Map<string, Map<RunStep, Run>>();
  /** Called, and not yet looked at; `fills`: if it gets a slot there may be more. */
  readonly #called = new Map<RunStep, { readonly pool: string; readonly fills: boolean }>();
  readonly #filling = new Set<RunStep>();

  join(pool: string, run: Run, step: RunStep): void {
    const line = this.#lines.get(pool) ?? new Map<RunStep, Run>();
    this.#lines.set(pool, line.set(step, run));
  }

  /** False: others are before it, and it stands in line now. */
  mayAsk(pool: string, run: Run, step: RunStep): boolean {
    if (this.#called.has(step) || (this.#lines.get(pool)?.size ?? 0) === 0) return true;
    this.join(pool, run, step);
    return false;
  }

  /** The next in line, to be looked at; undefined: there is none. */
  call(pool: string, fills: boolean): RunAndStep | undefined {
    const line = this.#lines.get(pool);
    let next: RunAndStep | undefined;
    for (const [step, run] of line ?? []) {
      if (step.state.phase !== "waiting") line?.delete(step);
      else if (next === undefined || inTurn({ run, step }, next) < 0) next = { run, step };
    }
    if (next === undefined) return undefined;
    line?.delete(next.step);
    this.#called.set(next.step, { pool, fills });
    return next;
  }

  /** Once a step was looked at: the pool whose next is to be called, since this one does not ask after all. */
  looked(step: RunStep): { readonly pool: string; readonly fills: boolean } | undefined {
    const called = this.#called.get(step);
    if (called === undefined) return undefined;
    this.#called.delete(step);
    if (step.state.phase !== "leased") return called;
    if (called.fills) this.#filling.add(step);
    return undefined;
  }

  /** True once for a step that was called to see whether there is more than one slot. */
  takeFilling(step: RunStep): boolean {
    return this.#filling.delete(step);
  }

  get pools(): readonly string[] {
    return [...this.#lines].filter(([, line]) => line.size > 0).map(([pool]) => pool);
  }

  /** The runs that have a step in line. */
  *runs(): Iterable<Run> {
    for (const line of this.#lines.values()) yield* line.values();
  }

  /** Empties the lines: what pool a step asks for may be another now. */
  takeAll(): RunAndStep[] {
    const all = [...this.#lines.values()].flatMap((line) => [...line].map(([step, run]) => ({ run, step })));
    this.clear();
    return all;
  }

  clear(): void {
    this.#lines.clear();
    this.#called.clear();
    this.#filling.clear();
  }
}
