import { type RangeSet, rangeSet } from "@headgate/model";
import type { AssetNode, Edge } from "../graph.ts";
import type { AssetFacts } from "./asset-facts.ts";
import type { ConditionFacts } from "./condition-facts.ts";
import { type Condition, type CronTicks, cronsOf, partsOf } from "./condition.ts";
import { lastTickMs } from "./cron-ticks.ts";
import type { EdgeFacts } from "./edge-facts.ts";
import { expanded } from "./expand-condition.ts";

/** What a condition remembers from one evaluation to the next. */
export interface ConditionState {
  /** Ticks until then are none of its business: when it was first seen in this form. */
  readonly sinceMs: number;
  /** The log was read up to here in the last evaluation that was stored; absent: there was none. */
  readonly seq?: number;
  /** What the evaluation before requested. */
  readonly requested: RangeSet;
  /** By the place of a `since` or `newlyTrue` in the tree: what was true of it. */
  readonly held: ReadonlyMap<string, RangeSet>;
}

/** A part of a condition, with the partitions for which it is true. */
export interface Truth {
  readonly condition: Condition;
  readonly set: RangeSet;
  readonly of: readonly Truth[];
}

/** What an evaluation of one asset stands on. */
export interface EvaluationContext {
  readonly node: AssetNode;
  readonly facts: ConditionFacts;
  readonly nowMs: number;
  readonly state: ConditionState;
  /** Partitions of an upstream asset that are being made or checked, or will be. */
  readonly coming: (node: AssetNode) => RangeSet;
  /** Which assets a selection names. */
  readonly selected: (selection: string) => ReadonlySet<AssetNode>;
  /**
   * Evaluates as if everything that is coming had arrived, open and new, and as if nothing more came: what would then be
   * requested is on its way, too.
   */
  readonly supposing: boolean;
}

export interface Evaluated {
  readonly truth: Truth;
  /** Of every `since` and `newlyTrue`, for the next evaluation. */
  readonly held: ReadonlyMap<string, RangeSet>;
}

/** Evaluates a condition for every partition of its asset that exists. */
export function evaluateCondition(context: EvaluationContext, condition: Condition): Evaluated {
  return new Evaluation(context).whole(condition);
}

class Evaluation {
  readonly #context: EvaluationContext;
  readonly #own: AssetFacts;
  readonly #all: RangeSet;
  readonly #held = new Map<string, RangeSet>();
  /** Crons of the whole condition. */
  #crons: readonly CronTicks[] = [];

  constructor(context: EvaluationContext) {
    this.#context = context;
    this.#own = context.facts.asset(context.node);
    this.#all = existing(context.node, context.nowMs);
  }

  whole(condition: Condition): Evaluated {
    this.#crons = cronsOf(condition);
    const truth = this.#evaluate(condition, "", this.#context.node.upstream);
    return { truth, held: this.#held };
  }

  /** `path` is the place of the part in the tree, by which it finds what it remembers. */
  #evaluate(condition: Condition, path: string, edges: readonly Edge[]): Truth {
    const leaf = (set: RangeSet): Truth => ({ condition, set: rangeSet.intersection(set, this.#all), of: [] });
    switch (condition.kind) {
      case "onMissing":
      case "eager":
      case "onCron": {
        const inner = this.#evaluate(expanded(condition), path, edges);
        return { condition, set: inner.set, of: inner.of };
      }
      case "and":
      case "or":
      case "not":
      case "since":
      case "newlyTrue":
        return this.#combine(condition, path, edges);
      case "filtered": {
        const inner = this.#evaluate(condition.of, `${path}.0`, this.#filtered(condition, edges));
        return { condition, set: inner.set, of: [inner] };
      }
      case "anyDeps":
      case "allDeps": {
        const sets = edges.map((edge) => this.#readersWhere(condition.of, this.#context.facts.edge(edge)));
        const set =
          condition.kind === "anyDeps"
            ? sets.reduce(rangeSet.union, rangeSet.empty)
            : sets.reduce(rangeSet.intersection, this.#all);
        return leaf(set);
      }
      case "missing":
      case "inProgress":
      case "failed":
      case "checkPending":
      case "checkFailed":
      case "codeVersionChanged":
      case "inLatestTimeWindow":
        return leaf(operandSet(condition, this.#own, this.#context.nowMs));
      case "gateOpen":
        return leaf(this.#gateOpen());
      case "cronTickPassed":
        return leaf(this.#tickedSince(condition, (tickMs) => this.#own.handledAtMs.from(tickMs)));
      case "newlyRequested":
        return leaf(this.#context.state.requested);
      case "newlyMaterialized": {
        const { seq } = this.#context.state;
        return leaf(seq === undefined ? rangeSet.empty : this.#own.madeAtSeq.from(seq + 1));
      }
      case "requestedBefore":
        return leaf(this.#own.set("requested"));
      case "initialEvaluation":
        return leaf(this.#context.state.seq === undefined ? this.#all : rangeSet.empty);
      case "notRequestedYet":
        return leaf(this.#notRequestedYet());
      case "updated":
      case "updatedSinceTick":
      case "onItsWay":
        throw new Error(`${condition.kind} is of dependencies, and stands outside anyDeps and allDeps`);
    }
  }

  #combine(
    condition: Extract<Condition, { kind: "and" | "or" | "not" | "since" | "newlyTrue" }>,
    path: string,
    edges: readonly Edge[],
  ): Truth {
    const of = partsOf(condition).map((part, n) => this.#evaluate(part, `${path}.${n}`, edges));
    const [first, second] = of.map(({ set }) => set);
    const before = this.#context.state.held.get(path) ?? rangeSet.empty;
    const remember = (set: RangeSet): RangeSet => {
      this.#held.set(path, set);
      return set;
    };
    const setOf = (): RangeSet => {
      switch (condition.kind) {
        case "and":
          return of.map(({ set }) => set).reduce(rangeSet.intersection, this.#all);
        case "or":
          return of.map(({ set }) => set).reduce(rangeSet.union, rangeSet.empty);
        case "not":
          return rangeSet.difference(this.#all, first ?? rangeSet.empty);
        case "since":
          return remember(
            rangeSet.difference(rangeSet.union(before, first ?? rangeSet.empty), second ?? rangeSet.empty),
          );
        case "newlyTrue": {
          remember(first ?? rangeSet.empty);
          return rangeSet.difference(first ?? rangeSet.empty, before);
        }
      }
    };
    return { condition, set: rangeSet.intersection(setOf(), this.#all), of };
  }

  #filtered(
    { allow, ignore }: { readonly allow?: string; readonly ignore?: string },
    edges: readonly Edge[],
  ): readonly Edge[] {
    const { selected } = this.#context;
    return edges.filter(
      ({ upstream }) =>
        (allow === undefined || selected(allow).has(upstream)) &&
        (ignore === undefined || !selected(ignore).has(upstream)),
    );
  }

  /** Readers that read a partition, through one edge, of which the condition is true. */
  #readersWhere(condition: Condition, edge: EdgeFacts): RangeSet {
    const { nowMs, supposing } = this.#context;
    if (condition.kind !== "updated") return edge.readersOf(this.#upstreamSet(condition, edge), nowMs);
    const updated = edge.updated(nowMs);
    return supposing ? rangeSet.union(updated, edge.readersOf(this.#comingOf(edge), nowMs)) : updated;
  }

  /** Partitions of the upstream of an edge of which the condition is true. */
  #upstreamSet(condition: Condition, edge: EdgeFacts): RangeSet {
    const { nowMs, supposing } = this.#context;
    const all = existing(edge.edge.upstream, nowMs);
    const coming = this.#comingOf(edge);
    switch (condition.kind) {
      case "and":
        return condition.of.map((part) => this.#upstreamSet(part, edge)).reduce(rangeSet.intersection, all);
      case "or":
        return condition.of.map((part) => this.#upstreamSet(part, edge)).reduce(rangeSet.union, rangeSet.empty);
      case "not":
        return rangeSet.difference(all, this.#upstreamSet(condition.of, edge));
      case "onItsWay":
        return supposing ? rangeSet.empty : coming;
      case "updatedSinceTick": {
        const tickMs = lastTickMs(condition, nowMs);
        const opened = edge.openedFrom(tickMs);
        return supposing ? rangeSet.union(opened, coming) : opened;
      }
      case "missing":
      case "inProgress":
      case "failed":
      case "checkPending":
      case "checkFailed":
      case "codeVersionChanged": {
        const set = operandSet(condition, edge.upstream, nowMs);
        return supposing ? rangeSet.difference(set, coming) : set;
      }
      case "inLatestTimeWindow":
        return operandSet(condition, edge.upstream, nowMs);
      case "onMissing":
      case "eager":
      case "onCron":
      case "gateOpen":
      case "cronTickPassed":
      case "newlyRequested":
      case "newlyMaterialized":
      case "requestedBefore":
      case "initialEvaluation":
      case "notRequestedYet":
      case "updated":
      case "since":
      case "newlyTrue":
      case "anyDeps":
      case "allDeps":
      case "filtered":
        throw new Error(`${condition.kind} says nothing of a dependency`);
    }
  }

  #comingOf(edge: EdgeFacts): RangeSet {
    return this.#context.coming(edge.edge.upstream);
  }

  #gateOpen(): RangeSet {
    const { node, facts, nowMs, supposing } = this.#context;
    return node.upstream
      .map((edge) => {
        const found = facts.edge(edge);
        return found.satisfied(this.#all, supposing ? this.#comingOf(found) : rangeSet.empty, nowMs);
      })
      .reduce(rangeSet.intersection, this.#all);
  }

  #notRequestedYet(): RangeSet {
    const { node, facts } = this.#context;
    const fresh = [rangeSet.difference(this.#all, this.#own.set("requested"))];
    for (const edge of node.upstream) fresh.push(this.#readersWhere({ kind: "updated" }, facts.edge(edge)));
    for (const cron of this.#crons) {
      fresh.push(this.#tickedSince(cron, (tickMs) => this.#own.requestedAtMs.from(tickMs)));
    }
    return fresh.reduce(rangeSet.union, rangeSet.empty);
  }

  /** Partitions that were there at the newest tick, less those that were handled since; none if it is older than the condition. */
  #tickedSince(cron: CronTicks, handledFrom: (tickMs: number) => RangeSet): RangeSet {
    const { node, nowMs, state } = this.#context;
    const tickMs = lastTickMs(cron, nowMs);
    if (tickMs <= state.sinceMs) return rangeSet.empty;
    return rangeSet.difference(existing(node, tickMs), handledFrom(tickMs));
  }
}

/** Every partition that exists. */
export function existing(node: AssetNode, nowMs: number): RangeSet {
  return rangeSet.range(0, node.space.count(nowMs));
}

type FactCondition = Extract<
  Condition,
  {
    kind:
      | "missing"
      | "inProgress"
      | "failed"
      | "checkPending"
      | "checkFailed"
      | "codeVersionChanged"
      | "inLatestTimeWindow";
  }
>;

function operandSet(condition: FactCondition, facts: AssetFacts, nowMs: number): RangeSet {
  switch (condition.kind) {
    case "missing":
      return rangeSet.difference(existing(facts.node, nowMs), facts.set("present"));
    case "inLatestTimeWindow":
      return latestWindows(facts.node, condition.count, nowMs);
    case "inProgress":
    case "failed":
    case "checkPending":
    case "checkFailed":
    case "codeVersionChanged":
      return facts.set(condition.kind);
  }
}

/** The newest `count` time windows, with whatever other dimensions there are; all partitions where there are no windows. */
function latestWindows(node: AssetNode, count: number, nowMs: number): RangeSet {
  const { space } = node;
  const end = space.count(nowMs);
  const slowest = space.dimensions?.slowestFirst[0];
  const windows = slowest?.space.definition ?? space.definition;
  if (windows?.kind !== "timeWindow") return rangeSet.range(0, end);
  return rangeSet.range(Math.max(0, end - count * (slowest?.stride ?? 1)), end);
}
