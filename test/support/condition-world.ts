import { type AssetKey, rangeSet } from "@headgate/model";
import { ConditionFacts } from "../../control-plane/src/domain/conditions/condition-facts.ts";
import {
  type AssetEvaluation,
  ConditionEvaluator,
} from "../../control-plane/src/domain/conditions/evaluate-conditions.ts";
import type { ConditionState } from "../../control-plane/src/domain/conditions/evaluate-condition.ts";
import { type HeldBack, heldBack } from "../../control-plane/src/domain/conditions/held-back.ts";
import type {
  HandledVersion,
  ObservedVersion,
  PartitionState,
} from "../../control-plane/src/domain/conditions/partition-state.ts";
import { type ResultView, judgeGate } from "../../control-plane/src/domain/gate.ts";
import type { AssetNode, Graph } from "../../control-plane/src/domain/graph.ts";
import { mappedPartitions } from "../../control-plane/src/domain/root-reasons.ts";
import { resultOf, versionOf, waiverOf } from "./gate-versions.ts";

type Changes = { -readonly [K in keyof PartitionState]?: PartitionState[K] | undefined };

const nothing: PartitionState = { versions: [], inProgress: false, checking: false, handled: [] };

/** A control plane in a few lines: it records what happens, evaluates conditions, and what they request is under way. */
export class ConditionWorld {
  readonly graph: Graph;
  facts: ConditionFacts;
  #evaluator: ConditionEvaluator;
  readonly #states = new Map<string, PartitionState>();
  readonly #remembered = new Map<AssetNode, ConditionState>();
  /** What each request was to read, until its step has ended. */
  readonly #requested = new Map<string, readonly HandledVersion[]>();
  #seq = 0;
  nowMs: number;

  constructor(graph: Graph, nowMs: number) {
    this.graph = graph;
    this.nowMs = nowMs;
    this.facts = new ConditionFacts(graph, nowMs);
    this.#evaluator = this.#newEvaluator();
    this.restart();
  }

  /** Everything is read from what is recorded, and evaluated anew. */
  restart(): void {
    this.facts = this.#filled();
    this.#evaluator = this.#newEvaluator();
  }

  #newEvaluator(facts = this.facts): ConditionEvaluator {
    return new ConditionEvaluator(this.graph, facts, (node) => this.stateOf(node));
  }

  #filled(): ConditionFacts {
    const facts = new ConditionFacts(this.graph, this.nowMs);
    const states = new Map<AssetKey, Map<string, PartitionState>>();
    for (const [place, state] of this.#states) {
      const [key, partition] = split(place);
      const ofAsset = states.get(key) ?? new Map<string, PartitionState>();
      states.set(key, ofAsset.set(partition, state));
    }
    facts.fill(states);
    return facts;
  }

  /** What an evaluation of everything would find that knows nothing but what is recorded. Changes nothing. */
  fromScratch(): readonly AssetEvaluation[] {
    return this.#newEvaluator(this.#filled()).evaluate();
  }

  stateOf(node: AssetNode): ConditionState {
    let state = this.#remembered.get(node);
    if (state === undefined) {
      state = { sinceMs: this.nowMs, requested: rangeSet.empty, held: new Map() };
      this.#remembered.set(node, state);
    }
    return state;
  }

  /** "team/asset" or "team/asset partition". */
  state(place: string): PartitionState {
    return this.#states.get(place) ?? nothing;
  }

  get running(): readonly string[] {
    return [...this.#states].filter(([, { inProgress }]) => inProgress).map(([place]) => place);
  }

  node(place: string): AssetNode {
    const node = this.graph.asset(split(place)[0]);
    if (node === undefined) throw new Error(`there is no asset ${place}`);
    return node;
  }

  sleepUntil(nowMs: number): void {
    this.nowMs = nowMs;
    this.facts.advance(nowMs);
  }

  begin(place: string): void {
    this.#change(place, { inProgress: true });
  }

  /** A version is there, of what may be read now; `outcomes` by check, as "team:name". */
  make(place: string, outcomes: Readonly<Record<string, ResultView["outcome"] | undefined>> = {}): void {
    const [, partition] = split(place);
    const seq = ++this.#seq;
    const results = Object.entries(outcomes).flatMap(([check, outcome]) =>
      outcome === undefined ? [] : [resultOf(check, outcome)],
    );
    const version = versionOf(`${place}#${seq}`, seq, { partition, results, createdAtMs: this.nowMs });
    const { versions } = this.state(place);
    const made: ObservedVersion = {
      ...version,
      codeVersion: this.node(place).definition.codeVersion,
      judgedAtMs: this.nowMs,
    };
    const { request } = this.state(place);
    const asked = request === undefined ? [] : (this.#requested.get(place) ?? []);
    this.#change(place, {
      versions: [made, ...versions],
      inProgress: false,
      handled: [...this.readsOf(place), ...asked],
    });
  }

  /** A step ended without a version. */
  end(place: string, outcome: "failed" | "blocked" | "canceled"): void {
    const { request: _, ...rest } = this.state(place);
    const before = outcome === "blocked" ? { ...rest, handled: [] } : this.state(place);
    const failed = outcome === "failed" ? { failedAtMs: this.nowMs } : {};
    this.#states.set(place, before);
    this.#change(place, { inProgress: false, ...failed });
  }

  /** Another result for the newest version. */
  judge(place: string, check: string, outcome: ResultView["outcome"]): void {
    this.#ofNewest(place, (newest) => ({
      results: [...newest.results.filter((r) => `${r.team}:${r.name}` !== check), resultOf(check, outcome)],
    }));
  }

  waive(place: string, check: string): void {
    this.#ofNewest(place, (newest) => ({ liveWaivers: [...newest.liveWaivers, waiverOf(check, Infinity)] }));
  }

  discard(place: string): void {
    this.#change(place, { versions: this.state(place).versions.slice(1) });
  }

  #ofNewest(place: string, change: (newest: ObservedVersion) => Partial<ObservedVersion>): void {
    const [newest, ...older] = this.state(place).versions;
    if (newest === undefined) throw new Error(`${place} has no version`);
    this.#change(place, { versions: [{ ...newest, ...change(newest), judgedAtMs: this.nowMs }, ...older] });
  }

  /** What its compute would read now. */
  readsOf(place: string): readonly HandledVersion[] {
    const node = this.node(place);
    const ordinal = node.space.ordinalOf(split(place)[1]) ?? 0;
    const partitionsOf = (edge: AssetNode["upstream"][number]) => mappedPartitions(edge, ordinal, this.nowMs);
    return node.upstream.flatMap((edge) => {
      const verdict = judgeGate([edge], partitionsOf, this.facts, new Map(), this.nowMs);
      if (verdict.kind !== "open") return [];
      return verdict.edges.flatMap(({ versions }) =>
        versions.map(({ version }) => ({ asset: edge.upstream.key, partition: version.partition, seq: version.seq })),
      );
    });
  }

  /** One evaluation: what it asks for is under way from then on. Returns "team/asset partition" of each. */
  evaluate(): readonly string[] {
    return this.step().requests;
  }

  step(): { readonly requests: readonly string[]; readonly evaluations: readonly AssetEvaluation[] } {
    const evaluations = this.#evaluator.evaluate();
    const requests: string[] = [];
    for (const { node, requests: set, remembered } of evaluations) {
      this.#remembered.set(node, { ...this.stateOf(node), seq: this.#seq, requested: set, held: remembered });
      for (const ordinal of rangeSet.ordinals(set)) requests.push(placeOf(node, ordinal));
    }
    for (const place of requests) this.#request(place);
    return { requests, evaluations };
  }

  /** One evaluation, none of whose requests is made. */
  withoutRequests(): { readonly evaluations: readonly AssetEvaluation[] } {
    return { evaluations: this.#evaluator.evaluate() };
  }

  #request(place: string): void {
    const reads = this.readsOf(place);
    this.#requested.set(place, reads);
    const request = { definition: this.node(place).hash, atMs: this.nowMs };
    this.#change(place, { inProgress: true, request, handled: [...this.state(place).handled, ...reads] });
  }

  evaluation(key: string): AssetEvaluation | undefined {
    return this.#evaluator.evaluation(this.node(key));
  }

  get held(): readonly HeldBack[] {
    const found = new Map<string, readonly HeldBack[]>();
    for (const node of this.facts.automated) {
      const evaluation = this.#evaluator.evaluation(node);
      const known = (asset: string, partition: string) =>
        found.get(asset)?.find((one) => one.partition === partition)?.reasons;
      if (evaluation !== undefined) found.set(node.key, heldBack(this.graph, this.facts, evaluation, 100_000, known));
    }
    return [...found.values()].flat();
  }

  #change(place: string, changes: Changes): void {
    const [asset, partition] = split(place);
    const merged = { ...this.state(place), ...changes } as PartitionState;
    this.#states.set(place, merged);
    this.facts.update(asset, partition, merged);
  }
}

export function placeOf(node: AssetNode, ordinal: number): string {
  const partition = node.space.keyAt(ordinal);
  return partition === "" ? node.key : `${node.key} ${partition}`;
}

function split(place: string): [asset: AssetKey, partition: string] {
  const [asset = "", partition = ""] = place.split(" ");
  return [asset as AssetKey, partition];
}
