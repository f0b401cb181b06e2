import type { Evaluation, EvaluationAnswer } from "../domain/evaluation.ts";
import type { SensorNode } from "../domain/graph.ts";
import { LocationError } from "../grpc/location-error.ts";
import { type SensorClaim, type SensorState, claimSensors, readSensors } from "../storage/sensors.ts";
import { DueHeap } from "./due-heap.ts";
import { SensorEvaluator, type SensorEvaluatorOptions } from "./evaluate-sensor.ts";
import { SensorLane } from "./sensor-lane.ts";

/** The code locations, to sensors. */
export interface EvaluatingLocations {
  isConnected(location: string): boolean;
  /** Throws LocationError. */
  evaluate(location: string, evaluation: Evaluation, signal: AbortSignal): Promise<EvaluationAnswer>;
}

export interface SensorsOptions extends Omit<SensorEvaluatorOptions, "evaluate"> {
  readonly daemonId: () => string;
  readonly locations: EvaluatingLocations;
  /** False: they are evaluated only when `settle` is called. Default true. */
  readonly evaluatesWhenDue?: boolean;
}

/** Longer than any evaluation: nobody else evaluates meanwhile, unless this daemon's row is gone. */
const claimGraceMs = 60_000;
/** Behind the hints that a sensor was defined, started, stopped or asked for, and for what other daemons did. */
const reloadEveryMs = 5_000;
const retryMs = 1_000;
/** `settle` gives up on a sensor that asks for more and more. */
const roundsMax = 1_000;

/**
 * The loop of sensors: sleeps until the first is due, and hands it to the lane of its location. Each daemon does so, and
 * the claim in the sensor's row says who evaluates.
 */
export class Sensors {
  readonly #options: SensorsOptions;
  readonly #evaluator: SensorEvaluator;
  readonly #lanes = new Map<string, SensorLane>();
  readonly #due = new DueHeap();
  readonly #stopping = new AbortController();
  #loading: Promise<void> | undefined;
  #isStale = false;
  #loadedMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SensorsOptions) {
    const { locations, ...rest } = options;
    this.#options = options;
    this.#evaluator = new SensorEvaluator({
      ...rest,
      evaluate: (location, evaluation, signal) => locations.evaluate(location, evaluation, signal),
    });
  }

  /** Sensors were defined, started, stopped, or asked for. */
  changed(): void {
    if (this.#stopping.signal.aborted || this.#options.evaluatesWhenDue === false) return;
    this.#isStale = true;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
      // Somebody called between the last look and here.
      if (this.#isStale) this.changed();
    });
  }

  /** Its session has opened. */
  locationOpened(location: string): void {
    this.#lanes.get(location)?.wake();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopping.abort();
    await this.#loading;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
  }

  /**
   * Evaluates each sensor that is on, due or not, until it asks for nothing more; one whose location is out of reach, or
   * that fails, is left. Returns how many runs were created.
   */
  async settle(): Promise<number> {
    const { pool, graph, failed } = this.#options;
    const { signal } = this.#stopping;
    let names = (await readSensors(pool)).filter((state) => this.#isOn(state)).map(({ name }) => name);
    let runs = 0;
    for (let round = 0; names.length > 0 && round < roundsMax; round++) {
      const claims = await this.#claim(names, true);
      const going = await Promise.all(
        claims.map(async (claim) => {
          try {
            const recorded = await this.#evaluator.run(claim, signal);
            if (recorded.kind === "lost" || recorded.runs === 0) return undefined;
            runs += recorded.runs;
            return claim.name;
          } catch (error) {
            if (!(error instanceof LocationError)) failed(error);
            return undefined;
          }
        }),
      );
      names = going.filter((name) => name !== undefined && graph().sensors.has(name)) as string[];
    }
    return runs;
  }

  async #load(): Promise<void> {
    const { pool, failed, monotonic } = this.#options;
    while (this.#isStale && !this.#stopping.signal.aborted) {
      this.#isStale = false;
      try {
        const states = await readSensors(pool);
        const nowMs = monotonic();
        this.#due.clear();
        for (const state of states) {
          if (state.hasOpenTick) this.#due.set(state.name, nowMs);
          else if (this.#isOn(state)) this.#due.set(state.name, nowMs + Math.max(0, state.dueInMs));
        }
        this.#loadedMs = nowMs;
      } catch (error) {
        failed(error);
        this.#loadedMs = monotonic() - reloadEveryMs + retryMs;
      }
    }
    this.#handOut();
  }

  #isOn({ name, isOn, hasOpenTick }: SensorState): boolean {
    const sensor = this.#options.graph().sensors.get(name);
    return sensor !== undefined && (hasOpenTick || (isOn ?? !sensor.definition.startsOff));
  }

  /** Gives what is due to the lanes, and sleeps until the next is. */
  #handOut(): void {
    clearTimeout(this.#timer);
    if (this.#stopping.signal.aborted) return;
    const nowMs = this.#options.monotonic();
    const { sensors } = this.#options.graph();
    for (const name of this.#due.take(nowMs, Infinity)) {
      const sensor = sensors.get(name);
      // One that has moved to another location is evaluated there; one that is gone, nowhere.
      if (sensor !== undefined) this.#lane(sensor).add(name);
    }
    const reloadMs = this.#loadedMs + reloadEveryMs;
    const waitMs = Math.max(0, Math.min(this.#due.next(), reloadMs) - nowMs);
    this.#timer = setTimeout(() => {
      if (this.#options.monotonic() >= reloadMs) this.changed();
      else this.#handOut();
    }, Math.ceil(waitMs));
  }

  #lane({ location }: SensorNode): SensorLane {
    let lane = this.#lanes.get(location);
    if (lane === undefined) {
      const { locations, failed } = this.#options;
      lane = new SensorLane({
        isConnected: () => locations.isConnected(location),
        claim: (names) => this.#claim(names, false),
        evaluate: (claim, signal) => this.#evaluator.run(claim, signal),
        again: (name, afterMs) => {
          this.#due.set(name, this.#options.monotonic() + afterMs);
          this.#handOut();
        },
        failed,
      });
      this.#lanes.set(location, lane);
    }
    return lane;
  }

  #claim(names: readonly string[], atOnce: boolean): Promise<SensorClaim[]> {
    const { pool, graph, daemonId } = this.#options;
    const wanted = names.flatMap((name) => {
      const sensor = graph().sensors.get(name);
      if (sensor === undefined) return [];
      const { timeoutMs, startsOff } = sensor.definition;
      return { name, claimMs: timeoutMs + claimGraceMs, startsOff, atOnce };
    });
    return claimSensors(pool, daemonId(), wanted);
  }
}
