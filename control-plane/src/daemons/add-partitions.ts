import { dynamicKeyProblem, dynamicKeysMax } from "@headgate/model";
import type pg from "pg";
import type { StepError } from "../domain/attempt-report.ts";
import { definedSets } from "../domain/dynamic-sets.ts";
import type { AddedPartitions } from "../domain/evaluation.ts";
import type { Graph, SensorNode } from "../domain/graph.ts";
import { type NewEvent, appendEvents } from "../storage/append-events.ts";
import { writeAudit } from "../storage/audit.ts";
import { withTransaction } from "../storage/database.ts";
import { addDynamicKeys } from "../storage/dynamic-partitions.ts";
import { type SensorClaim, type StoredAnswer, holdClaim, storeAnswer } from "../storage/sensors.ts";

/** Why an evaluation comes to nothing. */
export type EvaluationFailure = Pick<StepError, "code" | "message" | "hint">;

const keysInEventMax = 100;

/** What is wrong with partitions that a sensor adds: a set of its team that nothing is cut by, a text that is no key. */
export function partitionProblem(
  { team }: SensorNode,
  addPartitions: readonly AddedPartitions[],
  graph: Graph,
): EvaluationFailure | undefined {
  if (addPartitions.length === 0) return undefined;
  const sets = definedSets(graph).filter((set) => set.team === team);
  for (const { set, keys } of addPartitions) {
    if (!sets.some(({ name }) => name === set)) {
      const message = `No asset is cut by the dynamic partitions ${team}/${set}.`;
      const hint = `An asset of team ${team} makes it, with partitions: dynamicPartitions({ name: "${set}" }).`;
      return { code: "sensor.unknown_set", message, hint };
    }
    const problem = keys.map(dynamicKeyProblem).find((found) => found !== undefined);
    if (problem !== undefined) return { code: "sensor.partition_invalid", ...problem };
  }
  return undefined;
}

/** What is written, and under which claim. */
export interface AddingTick {
  readonly claim: SensorClaim;
  readonly sensor: SensorNode;
  readonly id: string;
  readonly addPartitions: readonly AddedPartitions[];
  readonly answer: StoredAnswer;
}

/**
 * Adds partitions, and stores the answer that asks for them: whoever finds it goes on with its runs. "lost": the claim
 * does not hold any more, and nothing was written. Locks: the automation, sets by name, last the event log.
 */
export async function addPartitions(
  pool: pg.Pool,
  graph: Graph,
  adding: AddingTick,
): Promise<"added" | "lost" | EvaluationFailure> {
  const { claim, sensor, id, answer } = adding;
  const { name, team, hash } = sensor;
  const actor = `sensor:${name}`;
  const sets = definedSets(graph);
  return withTransaction(pool, async (tx) => {
    if (!(await holdClaim(tx, claim))) return "lost" as const;
    await storeAnswer(tx, claim, { id, definitionHash: hash }, answer);
    const events: NewEvent[] = [];
    for (const { set, keys } of [...adding.addPartitions].sort((a, b) => (a.set < b.set ? -1 : 1))) {
      const done = await addDynamicKeys(tx, { team, name: set }, keys, actor);
      if (done.kind === "full") throw new SetFullError(`${team}/${set}`, done.count);
      if (done.added.length === 0) continue;
      const assets = sets.find((known) => known.team === team && known.name === set)?.assets ?? [];
      const said = { team, name: set, actor, count: done.added.length, assets };
      events.push({ kind: "partitions_added", payload: { ...said, keys: done.added.slice(0, keysInEventMax) } });
      await writeAudit(tx, {
        actor,
        action: "partitions.add",
        subject: `${team}/${set}`,
        details: { keys: done.added },
      });
    }
    await appendEvents(tx, events);
    return "added" as const;
  }).catch((error: unknown) => {
    if (!(error instanceof SetFullError)) throw error;
    return {
      code: "sensor.set_full",
      message: error.message,
      hint: "Remove keys that are no longer needed: headgate partition remove.",
    };
  });
}

/** Takes back the transaction: all keys of an evaluation are added, or none. */
class SetFullError extends Error {
  constructor(set: string, count: number) {
    super(`The dynamic partitions ${set} would have ${count} keys, of at most ${dynamicKeysMax}.`);
  }
}
