import { conditionLine } from "../domain/conditions/condition-line.ts";
import { ConditionEvaluator } from "../domain/conditions/evaluate-conditions.ts";
import type { Truth } from "../domain/conditions/evaluate-condition.ts";
import { explainPartition, whyNotRequested } from "../domain/conditions/explain.ts";
import type { AssetNode } from "../domain/graph.ts";
import { rangeSet } from "@headgate/model";
import { ancestors } from "../domain/root-reasons.ts";
import { readConditionFacts, readRememberedStates } from "../storage/condition-snapshot.ts";
import { countKnownPartitions } from "../storage/partition-facts.ts";
import { readNewestRequest } from "../storage/requests-read.ts";
import type { ApiContext } from "./api-context.ts";
import { presentTime } from "./present-run.ts";

/** What lies upstream is looked at whole; beyond so many partitions an answer would take too long. */
const knownMax = 20_000;

/** What the condition of an asset comes to for one partition, evaluated now; null: it has none. */
export async function whyAutomation(context: ApiContext, node: AssetNode, partition: string) {
  const { automation } = node.definition;
  if (automation === undefined || node.retired) return null;
  const [truth, newest] = await Promise.all([
    truthNow(context, node),
    readNewestRequest(context.pool, node.key, partition),
  ]);
  const ordinal = node.space.ordinalOf(partition) ?? 0;
  return {
    condition: conditionLine(automation),
    isRequested: truth === undefined ? null : rangeSet.has(truth.set, ordinal),
    tree: truth === undefined ? null : explainPartition(truth, ordinal),
    notRequestedBecause: truth === undefined ? [] : [...whyNotRequested(truth, ordinal)],
    lastRequest: newest === undefined ? null : { run: newest.run, at: presentTime(newest.at) },
  };
}

async function truthNow(context: ApiContext, node: AssetNode): Promise<Truth | undefined> {
  const { pool } = context;
  const upstream = ancestors([node]).map(({ key }) => key);
  if ((await countKnownPartitions(pool, upstream, knownMax)) >= knownMax) return undefined;
  const current = context.graph();
  const facts = await readConditionFacts(pool, current, context.now(), [node]);
  const states = await readRememberedStates(pool, facts.automated);
  const fresh = { sinceMs: facts.nowMs, requested: rangeSet.empty, held: new Map<string, never>() };
  const evaluator = new ConditionEvaluator(current, facts, ({ key }) => states.get(key) ?? fresh);
  return evaluator.evaluate().find((evaluation) => evaluation.node === node)?.truth;
}
