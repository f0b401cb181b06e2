import { type RangeSet, rangeSet } from "@headgate/model";
import type { AssetNode, Graph } from "../graph.ts";
import { parseSelection, select } from "../selection.ts";
import type { ConditionFacts } from "./condition-facts.ts";
import type { Condition } from "./condition.ts";
import { type ConditionState, type EvaluationContext, type Truth, evaluateCondition } from "./evaluate-condition.ts";
import { guarded } from "./expand-condition.ts";

/** What became of the condition of one asset. */
export interface AssetEvaluation {
  readonly node: AssetNode;
  /** The condition within its guards. */
  readonly truth: Truth;
  /** To be requested now. */
  readonly requests: RangeSet;
  /** What the condition wants and no run is making, and a closed gate keeps from being requested. */
  readonly held: RangeSet;
  /** Being made or checked, requested now, or requested once what it reads has arrived. */
  readonly coming: RangeSet;
  /** What `since` and `newlyTrue` remember for the next evaluation. */
  readonly remembered: ReadonlyMap<string, RangeSet>;
}

/** How far an asset that reads itself is followed into the future within one evaluation. */
const ownStepsMax = 1_000;

/**
 * The conditions of all assets, evaluated as far as something that they can see has changed. What is known of the others
 * stands. Evaluations are of whole range sets: nothing here lists partitions.
 */
export class ConditionEvaluator {
  readonly #facts: ConditionFacts;
  readonly #stateOf: (node: AssetNode) => ConditionState;
  readonly #selected: (selection: string) => ReadonlySet<AssetNode>;
  readonly #evaluations = new Map<AssetNode, AssetEvaluation>();

  constructor(graph: Graph, facts: ConditionFacts, stateOf: (node: AssetNode) => ConditionState) {
    this.#facts = facts;
    this.#stateOf = stateOf;
    this.#selected = selections(graph);
  }

  /** Upstream first; returns those that were evaluated. */
  evaluate(): readonly AssetEvaluation[] {
    const dirty = this.#facts.takeDirty();
    const evaluated: AssetEvaluation[] = [];
    if (dirty.size === 0) return evaluated;
    for (const node of this.#facts.automated) {
      if (!dirty.has(node)) continue;
      const before = this.#evaluations.get(node);
      const evaluation = this.#evaluateAsset(node);
      this.#evaluations.set(node, evaluation);
      evaluated.push(evaluation);
      // What was true for this evaluation alone is not for the next, whether or not anything happens until then.
      if (hasPulse(evaluation.truth) || !sameMemory(this.#stateOf(node).held, evaluation.remembered)) {
        this.#facts.touch(node);
      }
      if (before !== undefined && rangeSet.equals(before.coming, evaluation.coming)) continue;
      for (const { downstream } of node.downstream) if (downstream !== node) dirty.add(downstream);
    }
    return evaluated;
  }

  evaluation(node: AssetNode): AssetEvaluation | undefined {
    return this.#evaluations.get(node);
  }

  #evaluateAsset(node: AssetNode): AssetEvaluation {
    const condition = guarded(node.definition.automation ?? { kind: "onMissing" });
    const underWay = this.#underWay(node);
    let own = underWay;
    const context: EvaluationContext = {
      node,
      facts: this.#facts,
      nowMs: this.#facts.nowMs,
      state: this.#stateOf(node),
      coming: (upstream) => (upstream === node ? own : this.#coming(upstream)),
      selected: this.#selected,
      supposing: false,
    };
    const { truth, held: remembered } = evaluateCondition(context, condition);
    own = rangeSet.union(underWay, truth.set);
    const itself = node.upstream.filter((edge) => edge.upstream === node).map((edge) => this.#facts.edge(edge));
    for (let step = 0; step < (itself.length > 0 ? ownStepsMax : 1); step++) {
      const supposed = this.#supposed(context, condition);
      const next = rangeSet.union(own, supposed);
      if (rangeSet.equals(next, own)) break;
      own = next;
    }
    // Of partitions that read each other the first; the others are on their way behind it.
    const later = itself
      .map((edge) => edge.readersOf(truth.set, this.#facts.nowMs))
      .reduce(rangeSet.union, rangeSet.empty);
    const [wanted = rangeSet.empty, open = rangeSet.empty] = truth.of.map(({ set }) => set);
    const held = rangeSet.difference(rangeSet.difference(wanted, open), own);
    return { node, truth, requests: rangeSet.difference(truth.set, later), held, coming: own, remembered };
  }

  /** What would be requested once all that is coming had arrived. */
  #supposed(context: EvaluationContext, condition: ReturnType<typeof guarded>): RangeSet {
    const { node, nowMs } = context;
    const fed = node.upstream
      .map((edge) => this.#facts.edge(edge).readersOf(context.coming(edge.upstream), nowMs))
      .reduce(rangeSet.union, rangeSet.empty);
    if (fed.length === 0) return rangeSet.empty;
    const { truth } = evaluateCondition({ ...context, supposing: true }, condition);
    return rangeSet.intersection(truth.set, fed);
  }

  #coming(node: AssetNode): RangeSet {
    return this.#evaluations.get(node)?.coming ?? this.#underWay(node);
  }

  #underWay(node: AssetNode): RangeSet {
    const facts = this.#facts.asset(node);
    return rangeSet.union(facts.set("inProgress"), facts.set("checking"));
  }
}

/** Whether two memories of `since` and `newlyTrue` are the same. */
export function sameMemory(a: ReadonlyMap<string, RangeSet>, b: ReadonlyMap<string, RangeSet>): boolean {
  const places = new Set([...a.keys(), ...b.keys()]);
  return [...places].every((place) => rangeSet.equals(a.get(place) ?? rangeSet.empty, b.get(place) ?? rangeSet.empty));
}

/** Parts that are true in one evaluation and then no more. */
const pulses: ReadonlySet<Condition["kind"]> = new Set<Condition["kind"]>([
  "newlyTrue",
  "newlyRequested",
  "newlyMaterialized",
  "initialEvaluation",
]);

function hasPulse({ condition, set, of }: Truth): boolean {
  return (pulses.has(condition.kind) && set.length > 0) || of.some(hasPulse);
}

/** Which assets a selection names; one that cannot be read, or names none, names none. */
export function selections(graph: Graph): (selection: string) => ReadonlySet<AssetNode> {
  const known = new Map<string, ReadonlySet<AssetNode>>();
  return (text) => {
    let nodes = known.get(text);
    if (nodes === undefined) {
      const parsed = parseSelection(text);
      nodes = new Set(parsed.ok ? select(graph, parsed.selection).nodes : []);
      known.set(text, nodes);
    }
    return nodes;
  };
}
