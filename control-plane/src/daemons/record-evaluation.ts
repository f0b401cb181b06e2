import type pg from "pg";
import type { EvaluationAnswer } from "../domain/evaluation.ts";
import type { Graph, SensorNode } from "../domain/graph.ts";
import { sensorDelayMs } from "../domain/sensor-delay.ts";
import { appendEvents } from "../storage/append-events.ts";
import { insertRuns } from "../storage/create-run.ts";
import { withTransaction } from "../storage/database.ts";
import { launchedTickEvents, quietTickEvent } from "../storage/sensor-tick-events.ts";
import {
  type LaunchedTick,
  type QuietTick,
  type SensorClaim,
  type StoredAnswer,
  advanceSensor,
  answeredRunKeys,
  endTick,
  holdClaim,
  insertRunKeys,
  settleQuiet,
} from "../storage/sensors.ts";
import { type EvaluationFailure, addPartitions, partitionProblem } from "./add-partitions.ts";
import { type PlannedRequests, planRequests } from "./plan-requests.ts";
import { SettleQueue } from "./settle-queue.ts";

export interface EvaluationRecorderOptions {
  readonly pool: pg.Pool;
  readonly graph: () => Graph;
  /** Partitions were added: make `graph` know them, then resolve. */
  readonly refreshGraph: () => Promise<void>;
  readonly now: () => number;
  readonly newId: () => string;
  readonly random: () => number;
  readonly failed: (error: unknown) => void;
  /** Something was appended to the log, and so many runs created. */
  readonly recorded: (runs: number) => void;
}

/** What became of an evaluation. */
export type Recorded =
  | { readonly kind: "recorded"; readonly runs: number; readonly delayMs: number }
  /** The claim was lost, or somebody has set the cursor: nothing was written. */
  | { readonly kind: "lost" };

/**
 * Writes down what evaluations came to: runs, run keys, cursor and tick in one transaction, held together by the claim
 * and the revision of the cursor. Of two daemons with one evaluation, one writes nothing. Those that ask for nothing share
 * statements.
 *
 * What adds partitions takes two transactions, since runs are planned on a graph that knows them: the first stores the
 * answer beside the partitions, and whoever finds it after a kill carries it out.
 */
export class EvaluationRecorder {
  readonly #options: EvaluationRecorderOptions;
  readonly #quiet: SettleQueue<QuietTick, boolean>;

  constructor(options: EvaluationRecorderOptions) {
    this.#options = options;
    this.#quiet = new SettleQueue((ticks) => this.#settle(ticks));
  }

  /** @param spentMs since the evaluation began: its interval counts from there */
  async record(claim: SensorClaim, sensor: SensorNode, answer: EvaluationAnswer, spentMs: number): Promise<Recorded> {
    const { pool, graph, newId, recorded, refreshGraph } = this.#options;
    const { log } = answer;
    if (answer.kind === "failed") return this.#failed(claim, sensor, answer.error, log);
    const wrong = partitionProblem(sensor, answer.addPartitions, graph());
    if (wrong !== undefined) return this.#failed(claim, sensor, wrong, log);
    const delayMs = Math.max(0, sensor.definition.minimumIntervalMs - spentMs);
    const cursor = answer.cursor === undefined ? {} : { cursor: answer.cursor };
    if (answer.requests.length === 0 && answer.addPartitions.length === 0) {
      const tick = { claim, id: newId(), definitionHash: sensor.hash, log, failures: 0, delayMs, ...cursor };
      return this.#quietly({ ...tick, state: "skipped", reason: answer.skipReason });
    }
    const requests = answer.requests.map((request) => ({ ...request, runId: newId() }));
    const stored = { requests, log, ...cursor };
    const id = claim.tick?.id ?? newId();
    if (answer.addPartitions.length > 0) {
      const adding = { claim, sensor, id, addPartitions: answer.addPartitions, answer: stored };
      const added = await addPartitions(pool, graph(), adding);
      if (added === "lost") return { kind: "lost" };
      if (added !== "added") return this.#failed(claim, sensor, added, log);
      recorded(0);
      await refreshGraph();
    }
    return this.carryOut(claim, graph().sensors.get(sensor.name) ?? sensor, id, stored, delayMs);
  }

  /** Launches what an answer asks for, once. */
  async carryOut(
    claim: SensorClaim,
    sensor: SensorNode,
    id: string,
    answer: StoredAnswer,
    delayMs = sensor.definition.minimumIntervalMs,
  ): Promise<Recorded> {
    const { pool, graph, now, failed, recorded } = this.#options;
    const { requests, cursor, log } = answer;
    const runKeys = requests.flatMap(({ runKey }) => runKey ?? []);
    const planned = await planRequests({
      graph: graph(),
      sensor,
      requests,
      answered: await answeredRunKeys(pool, sensor.name, runKeys),
      tickId: id,
      actor: claim.tick?.askedBy ?? `sensor:${sensor.name}`,
      nowMs: now(),
      failed,
    });
    const { runs, keys, refused } = planned;
    const tick: LaunchedTick = {
      claim,
      id,
      definitionHash: sensor.hash,
      ...outcomeOf(planned, requests.length),
      ...(cursor === undefined ? {} : { cursor }),
      runCount: runs.length,
      repeatedCount: requests.length - runs.length - refused.length,
      refused,
      delayMs,
      log,
    };
    const isHeld = await withTransaction(pool, async (tx) => {
      if (!(await holdClaim(tx, claim))) return false;
      await endTick(tx, tick);
      await insertRuns(tx, runs);
      await insertRunKeys(tx, sensor.name, keys);
      await advanceSensor(tx, tick);
      await appendEvents(tx, launchedTickEvents(tick, sensor, runs));
      return true;
    });
    if (!isHeld) return { kind: "lost" };
    recorded(runs.length);
    return { kind: "recorded", runs: runs.length, delayMs };
  }

  #failed(
    claim: SensorClaim,
    { hash, definition }: SensorNode,
    { code, message, hint }: EvaluationFailure,
    log: EvaluationAnswer["log"],
  ): Promise<Recorded> {
    const failures = claim.failures + 1;
    return this.#quietly({
      claim,
      id: this.#options.newId(),
      definitionHash: hash,
      state: "failed",
      reason: "",
      error: { code, message, ...(hint === undefined ? {} : { hint }) },
      failures,
      delayMs: sensorDelayMs(definition.minimumIntervalMs, failures, this.#options.random()),
      log,
    });
  }

  async #quietly(tick: QuietTick): Promise<Recorded> {
    const isRecorded = await this.#quiet.add(tick);
    return isRecorded ? { kind: "recorded", runs: 0, delayMs: tick.delayMs } : { kind: "lost" };
  }

  async #settle(ticks: readonly QuietTick[]): Promise<boolean[]> {
    const { pool, recorded } = this.#options;
    const told = ticks.filter(({ state, claim }) => state === "failed" || claim.tick !== undefined);
    const settled =
      told.length === 0
        ? await settleQuiet(pool, ticks)
        : await withTransaction(pool, async (tx) => {
            const names = await settleQuiet(tx, ticks);
            await appendEvents(tx, told.filter(({ claim }) => names.has(claim.name)).map(quietTickEvent));
            return names;
          });
    if (told.length > 0) recorded(0);
    return ticks.map(({ claim }) => settled.has(claim.name));
  }
}

/** Each request that was refused says why by itself. */
function outcomeOf(
  { runs, refused }: PlannedRequests,
  count: number,
): Pick<LaunchedTick, "state" | "reason" | "error"> {
  if (runs.length > 0) return { state: "launched", reason: "" };
  if (refused.length > 0) {
    const message =
      refused.length === 1
        ? "its request cannot be planned"
        : `none of its ${refused.length} new requests can be planned`;
    return { state: "failed", reason: "", error: { code: "sensor.requests_refused", message, hint: "" } };
  }
  if (count === 0) return { state: "skipped", reason: "partitions were added, and no runs were asked for" };
  const reason = count === 1 ? "its run key has a run already" : "all run keys have their runs already";
  return { state: "skipped", reason };
}
