import { type RangeSet, rangeSet } from "@headgate/model";
import { type Condition, allParts } from "../../domain/conditions/condition.ts";
import type { ConditionState } from "../../domain/conditions/evaluate-condition.ts";
import { sameMemory } from "../../domain/conditions/evaluate-conditions.ts";
import { toStoredSet } from "../../domain/conditions/stored-set.ts";
import type { AssetNode } from "../../domain/graph.ts";
import type { WrittenState } from "../../storage/condition-states.ts";
import type { ConditionMemory } from "./condition-memory.ts";

/** What a condition remembers once its last evaluation has requested `requested`. */
export function nextState(memory: ConditionMemory, node: AssetNode, requested: RangeSet): ConditionState {
  const { sinceMs } = memory.stateOf(node);
  return { sinceMs, seq: memory.seq, requested, held: memory.evaluation(node)?.remembered ?? new Map() };
}

/** Whether the last evaluation, which requested nothing, must be stored, since the next one will go by it. */
export function mustRemember(memory: ConditionMemory, node: AssetNode): boolean {
  const { automation } = node.definition;
  if (automation === undefined || !remembers(automation)) return false;
  const state = memory.stateOf(node);
  const remembered = memory.evaluation(node)?.remembered ?? new Map<string, RangeSet>();
  return state.seq === undefined || !rangeSet.isEmpty(state.requested) || !sameMemory(state.held, remembered);
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
