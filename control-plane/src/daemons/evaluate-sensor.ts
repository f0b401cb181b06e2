import type pg from "pg";
import type { Evaluation, EvaluationAnswer } from "../domain/evaluation.ts";
import type { Graph } from "../domain/graph.ts";
import { LocationError } from "../grpc/location-error.ts";
import { type SensorClaim, releaseSensor } from "../storage/sensors.ts";
import { EvaluationRecorder, type EvaluationRecorderOptions, type Recorded } from "./record-evaluation.ts";

export interface SensorEvaluatorOptions extends EvaluationRecorderOptions {
  readonly graph: () => Graph;
  /** Throws LocationError. */
  readonly evaluate: (location: string, evaluation: Evaluation, signal: AbortSignal) => Promise<EvaluationAnswer>;
  readonly monotonic: () => number;
}

/** The location is busy, or the sensor is no longer known: looked at again after so long. */
const againMs = 1_000;

/** Evaluates one sensor that is claimed, and writes down what that came to. */
export class SensorEvaluator {
  readonly #options: SensorEvaluatorOptions;
  readonly #recorder: EvaluationRecorder;

  constructor(options: SensorEvaluatorOptions) {
    this.#options = options;
    this.#recorder = new EvaluationRecorder(options);
  }

  /**
   * An answer that was stored before a kill is carried out, and not asked for again.
   *
   * @throws LocationError if the location cannot be reached: the claim is given back, and nothing counts
   */
  async run(claim: SensorClaim, signal: AbortSignal): Promise<Recorded> {
    const { pool, graph, refreshGraph, monotonic } = this.#options;
    const answer = claim.tick?.answer;
    // Its partitions were added by somebody else, perhaps long ago.
    if (answer !== undefined && answer !== null) await refreshGraph();
    const sensor = graph().sensors.get(claim.name);
    if (sensor === undefined) return this.#release(pool, claim);
    try {
      if (claim.tick !== undefined && answer !== undefined && answer !== null) {
        return await this.#recorder.carryOut(claim, sensor, claim.tick.id, answer);
      }
      const sinceMs = monotonic();
      const asked = await this.#ask(
        sensor.location,
        evaluationOf(claim, sensor.definition.timeoutMs, this.#options),
        signal,
      );
      if (asked === "busy") return await this.#release(pool, claim);
      return await this.#recorder.record(claim, sensor, asked, monotonic() - sinceMs);
    } catch (error) {
      await releaseSensor(pool, claim, 0).catch(() => undefined);
      throw error;
    }
  }

  /** One that takes too long has failed; one whose location is out of reach has not been asked. */
  async #ask(location: string, evaluation: Evaluation, signal: AbortSignal): Promise<EvaluationAnswer | "busy"> {
    try {
      return await this.#options.evaluate(location, evaluation, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof LocationError)) throw error;
      const { code, message, hint } = error;
      if (code === "location.busy") return "busy";
      if (code !== "location.timed_out" && code !== "location.cannot_evaluate" && code !== "location.refused")
        throw error;
      return { kind: "failed", error: { code, message, hint }, log: { text: "", droppedBytes: 0 } };
    }
  }

  async #release(pool: pg.Pool, claim: SensorClaim): Promise<Recorded> {
    await releaseSensor(pool, claim, againMs);
    return { kind: "recorded", runs: 0, delayMs: againMs };
  }
}

function evaluationOf({ name, cursor }: SensorClaim, timeoutMs: number, { now }: SensorEvaluatorOptions): Evaluation {
  return { sensor: name, cursor: cursor ?? undefined, timeoutMs, nowMs: now() };
}
