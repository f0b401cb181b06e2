import type pg from "pg";
import type { Graph } from "../domain/graph.ts";
import { DatabaseUnavailableError } from "../storage/database-unavailable.ts";
import { readSchedules } from "../storage/ticks.ts";
import { DueHeap } from "./due-heap.ts";
import { type Fired, type FiredTicks, fireTicks } from "./fire-ticks.ts";

export interface SchedulesOptions {
  readonly pool: pg.Pool;
  readonly graph: () => Graph;
  /** The graph is older than what is stored. */
  readonly graphIsOld: () => void;
  readonly now: () => number;
  /** Calls back once after so long; returns what takes it back. Default: a timer of the runtime. */
  readonly alarm?: (callback: () => void, afterMs: number) => () => void;
  readonly newId: () => string;
  /** Ticks were written, and so many runs created. */
  readonly fired: (ticks: number, runs: number) => void;
  readonly failed: (error: unknown) => void;
}

/** Schedules of one transaction. */
const batchMax = 500;
/**
 * A timer counts elapsed time and cannot wait for months, while clocks are set and machines sleep: the clock is looked at
 * again after this long at the latest. A look costs one comparison.
 */
const sleepMsMax = 10_000;
/** After which a schedule that somebody else had locked is looked at again. */
const busyMs = 1_000;
/** Behind the hints that a schedule was defined, started or stopped. */
const reloadEveryMs = 60_000;
const retryMsMin = 500;
const retryMsMax = 30_000;

/**
 * The loop of schedules: sleeps until the first is due, and fires all that are due together, a batch a transaction. The
 * database is the arbiter: memory only says when to look.
 */
export class Schedules {
  readonly #options: SchedulesOptions & { readonly alarm: NonNullable<SchedulesOptions["alarm"]> };
  readonly #due = new DueHeap();
  #loadedMs = -Infinity;
  #stale = true;
  #retryMs = retryMsMin;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #disarm: () => void = () => undefined;

  constructor(options: SchedulesOptions) {
    this.#options = { alarm: runtimeAlarm, ...options };
  }

  /** Schedules were defined, started or stopped. */
  changed(): void {
    this.#stale = true;
    this.wake();
  }

  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      // Somebody called between the last look and here.
      if (this.#again) this.wake();
    });
  }

  /** Resolves once everything that is due now is fired. */
  async settled(): Promise<void> {
    this.wake();
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#disarm();
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#disarm();
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#fireAll();
        this.#retryMs = retryMsMin;
      } catch (error) {
        this.#options.failed(error);
        this.#stale = true;
        this.#again = false;
        this.#sleep(this.#retryMs);
        this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
        return;
      }
    }
    if (!this.#stopped) this.#sleep(this.#due.next() - this.#options.now());
  }

  #sleep(forMs: number): void {
    this.#disarm = this.#options.alarm(() => this.wake(), Math.min(Math.max(forMs, 0), sleepMsMax));
  }

  async #fireAll(): Promise<void> {
    const { now } = this.#options;
    if (this.#stale || Math.abs(now() - this.#loadedMs) >= reloadEveryMs) await this.#load();
    for (let names = this.#due.take(now(), batchMax); names.length > 0; names = this.#due.take(now(), batchMax)) {
      await this.#fire(names);
      if (this.#stopped) return;
    }
  }

  async #load(): Promise<void> {
    const { pool, graph, now } = this.#options;
    this.#stale = false;
    const states = await readSchedules(pool);
    const { schedules } = graph();
    this.#due.clear();
    for (const { name, isOn, watermarkMs } of states) {
      const node = schedules.get(name);
      if (node === undefined || !(isOn ?? !node.definition.startsOff)) continue;
      this.#due.set(name, node.times.after(watermarkMs));
    }
    this.#loadedMs = now();
  }

  /** One that makes its transaction fail is found by halving, and waits alone. */
  async #fire(names: readonly string[]): Promise<void> {
    const { pool, graph, newId, now, failed, fired } = this.#options;
    let result: FiredTicks;
    try {
      result = await fireTicks(pool, names, { graph: graph(), nowMs: now(), newId, failed });
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) throw error;
      failed(error);
      if (names.length === 1) {
        this.#due.set(names[0] ?? "", now() + retryMsMax);
        return;
      }
      const half = names.length >> 1;
      await this.#fire(names.slice(0, half));
      await this.#fire(names.slice(half));
      return;
    }
    for (const [name, outcome] of result.fired) this.#due.set(name, this.#nextOf(outcome));
    if (result.ticks > 0) fired(result.ticks, result.runs);
  }

  #nextOf(outcome: Fired): number {
    const { now, graphIsOld } = this.#options;
    switch (outcome.kind) {
      case "done":
        return outcome.nextMs;
      case "more":
        return now();
      case "busy":
        return now() + busyMs;
      case "stale":
        graphIsOld();
        return now() + busyMs;
    }
  }
}

function runtimeAlarm(callback: () => void, afterMs: number): () => void {
  const timer = setTimeout(callback, afterMs);
  return () => clearTimeout(timer);
}
