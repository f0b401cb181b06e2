import { type AssetKey, rangeSet } from "@headgate/model";
import type { GateView } from "../gate.ts";
import type { AssetNode, Edge, Graph } from "../graph.ts";
import { ancestors } from "../root-reasons.ts";
import { AssetFacts } from "./asset-facts.ts";
import { cronsOf } from "./condition.ts";
import { lastTickMs } from "./cron-ticks.ts";
import { EdgeFacts } from "./edge-facts.ts";
import { nextInstantMs } from "./next-instant.ts";
import type { ObservedVersion, PartitionState } from "./partition-state.ts";

/**
 * What conditions look at, of all assets with a condition and of what is upstream of them: range sets that are kept
 * partition by partition, so that an event costs what it touches. It remembers which conditions could see a difference.
 */
export class ConditionFacts implements GateView {
  /** Assets with a condition, upstream first. */
  readonly automated: readonly AssetNode[];
  /** Every asset that anything is to be known of: those, and what is upstream of them. */
  readonly relevant: readonly AssetKey[];
  readonly #assets = new Map<AssetKey, AssetFacts>();
  readonly #edges = new Map<Edge, EdgeFacts>();
  /** Edges into assets with a condition, by upstream asset. */
  readonly #readers = new Map<AssetNode, EdgeFacts[]>();
  #dirty = new Set<AssetNode>();
  #nowMs: number;
  /** Until then time alone changes nothing. */
  #nextMs: number;

  /** @param among looks at these assets and what is upstream of them alone */
  constructor(graph: Graph, nowMs: number, among?: readonly AssetNode[]) {
    const seen = among === undefined ? undefined : new Set(ancestors(among));
    this.automated = automatedNodes(graph).filter((node) => seen?.has(node) ?? true);
    this.#nowMs = nowMs;
    for (const node of ancestors(this.automated)) this.#assets.set(node.key, new AssetFacts(node));
    this.relevant = [...this.#assets.keys()];
    for (const node of this.automated) {
      for (const edge of node.upstream) {
        const facts = new EdgeFacts(edge, this.asset(edge.upstream));
        this.#edges.set(edge, facts);
        const readers = this.#readers.get(edge.upstream);
        if (readers === undefined) this.#readers.set(edge.upstream, [facts]);
        else readers.push(facts);
      }
    }
    this.#nextMs = nextInstantMs(this.automated, nowMs);
    this.#dirty = new Set(this.automated);
  }

  /** When a condition could next become another by time alone; infinite if never. */
  get nextInstantMs(): number {
    return this.#nextMs;
  }

  /** Whether what happens to this asset could make a difference to a condition. */
  looksAt(asset: AssetKey): boolean {
    return this.#assets.has(asset);
  }

  asset(node: AssetNode): AssetFacts {
    const facts = this.#assets.get(node.key);
    if (facts === undefined) throw new Error(`nothing is known of ${node.key}, which no condition looks at`);
    return facts;
  }

  edge(edge: Edge): EdgeFacts {
    const facts = this.#edges.get(edge);
    if (facts === undefined) throw new Error("an edge into an asset without a condition was asked for");
    return facts;
  }

  versions(asset: AssetKey, partition: string): readonly ObservedVersion[] | undefined {
    const facts = this.#assets.get(asset);
    if (facts === undefined) return undefined;
    const ordinal = facts.node.space.ordinalOf(partition);
    return (ordinal === undefined ? undefined : facts.state(ordinal)?.versions) ?? [];
  }

  /** Everything that is recorded, by asset and partition key. What has no entry has no state. */
  fill(states: ReadonlyMap<AssetKey, ReadonlyMap<string, PartitionState>>): void {
    for (const facts of this.#assets.values()) {
      const { space, key } = facts.node;
      const byOrdinal = new Map<number, PartitionState>();
      for (const [partition, state] of states.get(key) ?? []) {
        const ordinal = space.ordinalOf(partition);
        if (ordinal !== undefined) byOrdinal.set(ordinal, state);
      }
      facts.fill(byOrdinal, this.#nowMs);
    }
    for (const edge of this.#edges.values()) this.#fillEdge(edge);
    this.#dirty = new Set(this.automated);
  }

  /** What is recorded of one partition is this by now. */
  update(asset: AssetKey, partition: string, state: PartitionState): void {
    const facts = this.#assets.get(asset);
    const ordinal = facts?.node.space.ordinalOf(partition);
    if (facts === undefined || ordinal === undefined) return;
    const { node } = facts;
    facts.update(ordinal, state, this.#nowMs);
    if (node.definition.automation !== undefined && !node.retired) {
      this.#dirty.add(node);
      for (const edge of node.upstream) this.edge(edge).readerChanged(ordinal, state, this.#nowMs);
    }
    for (const edge of this.#readers.get(node) ?? []) {
      edge.upstreamChanged(rangeSet.of(ordinal), this.#nowMs);
      this.#dirty.add(edge.edge.downstream);
    }
  }

  /** Time has passed: windows may have ended, and crons ticked. */
  advance(nowMs: number): void {
    const thenMs = this.#nowMs;
    this.#nowMs = nowMs;
    if (nowMs >= thenMs && nowMs < this.#nextMs) return;
    this.#nextMs = nextInstantMs(this.automated, nowMs);
    const grew = ({ space }: AssetNode): boolean => space.count(thenMs) !== space.count(nowMs);
    for (const node of this.automated) {
      const moved = node.upstream.filter((edge) => grew(edge.upstream) || grew(node));
      for (const edge of moved) this.#fillEdge(this.edge(edge));
      const { automation } = node.definition;
      const ticked =
        automation !== undefined &&
        cronsOf(automation).some((cron) => lastTickMs(cron, nowMs) !== lastTickMs(cron, thenMs));
      if (moved.length > 0 || grew(node) || ticked) this.#dirty.add(node);
    }
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** To be looked at again by the next evaluation, whatever is recorded until then. */
  touch(node: AssetNode): void {
    this.#dirty.add(node);
  }

  /** Conditions that could see a difference since this was last asked. */
  takeDirty(): Set<AssetNode> {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    return dirty;
  }

  #fillEdge(edge: EdgeFacts): void {
    edge.fill(this.asset(edge.edge.downstream).known, this.#nowMs);
  }
}

/** Assets that a condition requests, upstream first. */
export function automatedNodes(graph: Graph): readonly AssetNode[] {
  return graph.order.filter((node) => node.definition.automation !== undefined && !node.retired);
}
