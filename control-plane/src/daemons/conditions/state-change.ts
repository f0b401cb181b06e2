import { type RangeSet, rangeSet } from "@headgate/model";
import { type Condition, allParts } from "../../domain/conditions/condition.ts";
import type { ConditionState } from "../../domain/conditions/evaluate-condition.ts";
import { sameMemory } from "../../domain/conditions/evaluate-conditions.ts";
import { toStoredSet } from "../../domain/conditions/stored-set.ts";
import type { AssetNode } from "../../domain/graph.ts";
import type { WrittenState } from "../../storage/condition-states.ts";
import type { ConditionMemory } from "./condition-memory.ts";

/**
 * What a condition remembers once `requested` of its last evaluation is requested. One of which something is left to request
 * is not over: the next goes by the same, or what is newly true would be so for a part of it alone.
 */
export function nextState(memory: ConditionMemory, node: AssetNode, requested: RangeSet): ConditionState {
  const state = memory.stateOf(node);
  const evaluation = memory.evaluation(node);
  if (evaluation === undefined) return { ...state, requested };
  const left = rangeSet.difference(evaluation.requests, requested);
  if (!rangeSet.isEmpty(left)) return { ...state, requested: rangeSet.union(state.requested, requested) };
  return { sinceMs: state.sinceMs, seq: memory.seq, requested, held: evaluation.remembered };
}

/** Whether the last evaluation, which requested nothing, must be stored, since the next one will go by it. */
export function mustRemember(memory: ConditionMemory, node: AssetNode): boolean {
  const { automation } = node.definition;
  if (automation === undefined || !remembers(automation)) return false;
  const state = memory.stateOf(node);
  const next = nextState(memory, node, rangeSet.empty);
  const isFirst = state.seq === undefined && next.seq !== undefined;
  return isFirst || !rangeSet.equals(state.requested, next.requested) || !sameMemory(state.held, next.held);
}

export function storedState(node: AssetNode, { seq, requested, held }: ConditionState): WrittenState {
  return {
    asset: node.key,
    seq: seq ?? null,
    requested: toStoredSet(node.space, requested),
    held: Object.fromEntries([...held].map(([path, set]) => [path, toStoredSet(node.space, set)])),
  };
}

/** Parts that go by evaluations before: the built-in conditions have none. */
const remembering: ReadonlySet<Condition["kind"]> = new Set<Condition["kind"]>([
  "since",
  "newlyTrue",
  "newlyRequested",
  "newlyMaterialized",
  "initialEvaluation",
]);

function remembers(condition: Condition): boolean {
  for (const { kind } of allParts(condition)) if (remembering.has(kind)) return true;
  return false;
}
