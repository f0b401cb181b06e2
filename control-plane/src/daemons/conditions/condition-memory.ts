import { createHash } from "node:crypto";
import { type AssetKey, canonicalJson } from "@headgate/model";
import type pg from "pg";
import { ConditionFacts } from "../../domain/conditions/condition-facts.ts";
import type { ConditionState } from "../../domain/conditions/evaluate-condition.ts";
import { type AssetEvaluation, ConditionEvaluator } from "../../domain/conditions/evaluate-conditions.ts";
import type { PartitionState } from "../../domain/conditions/partition-state.ts";
import { type StoredSet, fromStoredSet } from "../../domain/conditions/stored-set.ts";
import type { AssetNode, Graph } from "../../domain/graph.ts";
import {
  type ConditionForm,
  type ConditionStateRow,
  beginConditionStates,
  readConditionStates,
} from "../../storage/condition-states.ts";
import { newestEventSeq } from "../../storage/events-read.ts";
import { type Place, type PlaceState, readAssetFacts, readPlaceFacts, readTouchedPlaces } from "../../storage/partition-facts.ts";

/** What a condition remembers, and the revision that it was read under. */
interface RememberedState extends ConditionState {
  readonly revision: number;
}

/**
 * What a daemon knows of everything that conditions of one graph look at: read once, and from then on kept by what the log
 * says was touched. It may be old, and is never trusted: requests are judged again in their transaction.
 */
export class ConditionMemory {
  readonly graph: Graph;
  readonly facts: ConditionFacts;
  readonly #pool: pg.Pool;
  readonly #evaluator: ConditionEvaluator;
  readonly #states = new Map<AssetKey, RememberedState>();
  readonly #readers: readonly AssetKey[];
  /** To be read again, though the log may say nothing of them. */
  readonly #doubted = new Map<string, Place>();
  readonly #doubtedStates = new Set<AssetKey>();
  #seq = 0;

  private constructor(pool: pg.Pool, graph: Graph, nowMs: number) {
    this.#pool = pool;
    this.graph = graph;
    this.facts = new ConditionFacts(graph, nowMs);
    this.#readers = this.facts.automated.map(({ key }) => key);
    this.#evaluator = new ConditionEvaluator(graph, this.facts, (node) => this.stateOf(node));
  }

  static async load(pool: pg.Pool, graph: Graph, nowMs: number): Promise<ConditionMemory> {
    const memory = new ConditionMemory(pool, graph, nowMs);
    if (memory.#readers.length === 0) return memory;
    await beginConditionStates(pool, memory.facts.automated.map(formOf), nowMs);
    // The log first: what is recorded while the rest is read is then looked at once more, and not missed.
    memory.#seq = await newestEventSeq(pool);
    await memory.#readStates(memory.#readers);
    const states = new Map<AssetKey, Map<string, PartitionState>>();
    for (const { asset, partition, state } of await readAssetFacts(pool, memory.facts.relevant, memory.#readers)) {
      const ofAsset = states.get(asset);
      if (ofAsset === undefined) states.set(asset, new Map([[partition, state]]));
      else ofAsset.set(partition, state);
    }
    memory.facts.fill(states);
    return memory;
  }

  /** How far the log was read. */
  get seq(): number {
    return this.#seq;
  }

  stateOf(node: AssetNode): RememberedState {
    const state = this.#states.get(node.key);
    if (state === undefined) throw new Error(`the state of the condition of ${node.key} was not read`);
    return state;
  }

  /** Reads on in the log, and again what it was about. Returns the assets of which something changed. */
  async refresh(nowMs: number): Promise<ReadonlySet<AssetKey>> {
    const touched = new Set<AssetKey>();
    this.facts.advance(nowMs);
    const doubted = [...this.#doubted.values()];
    this.#doubted.clear();
    const take = (states: readonly PlaceState[]): void => {
      for (const { asset, partition, state } of states) {
        this.facts.update(asset, partition, state);
        touched.add(asset);
      }
    };
    take(await readPlaceFacts(this.#pool, doubted, this.#readers));
    for (let more = true; more; ) {
      const read = await readTouchedPlaces(this.#pool, this.#seq, this.facts.relevant, this.#readers);
      take(read.states);
      this.#seq = read.seq;
      more = read.more;
    }
    if (this.#doubtedStates.size > 0) {
      await this.#readStates([...this.#doubtedStates]);
      for (const asset of this.#doubtedStates) this.#touch(asset);
      this.#doubtedStates.clear();
    }
    return touched;
  }

  evaluate(): readonly AssetEvaluation[] {
    return this.#evaluator.evaluate();
  }

  evaluation(node: AssetNode): AssetEvaluation | undefined {
    return this.#evaluator.evaluation(node);
  }

  /** These may be other than they are remembered. */
  doubt(places: Iterable<Place>): void {
    for (const place of places) this.#doubted.set(`${place.asset}\n${place.partition}`, place);
  }

  /** Somebody else has written the state of these conditions. */
  doubtStates(assets: Iterable<AssetKey>): void {
    for (const asset of assets) this.#doubtedStates.add(asset);
  }

  /** The state of a condition was written under the next revision. */
  remember(node: AssetNode, state: ConditionState): void {
    this.#states.set(node.key, { ...state, revision: this.stateOf(node).revision + 1 });
  }

  /** An evaluation changed nothing that must be stored: whoever begins from what is stored comes to the same. */
  advance(node: AssetNode, state: ConditionState): void {
    this.#states.set(node.key, { ...state, revision: this.stateOf(node).revision });
  }

  #touch(asset: AssetKey): void {
    const node = this.graph.assets.get(asset);
    if (node !== undefined) this.facts.touch(node);
  }

  async #readStates(assets: readonly AssetKey[]): Promise<void> {
    for (const row of await readConditionStates(this.#pool, assets)) {
      const node = this.graph.assets.get(row.asset);
      if (node !== undefined) this.#states.set(row.asset, fromRow(node, row));
    }
  }
}

function fromRow(node: AssetNode, row: ConditionStateRow): RememberedState {
  const held = Object.entries(row.held as Record<string, StoredSet>);
  return {
    sinceMs: row.sinceMs,
    revision: row.revision,
    ...(row.seq === null ? {} : { seq: row.seq }),
    requested: fromStoredSet(node.space, row.requested as StoredSet),
    held: new Map(held.map(([path, set]) => [path, fromStoredSet(node.space, set)])),
  };
}

/** Moves when built-in conditions are made of other parts, so that no part finds what another one remembers. */
const algebraVersion = 1;

/** What is remembered of a condition belongs to this form of it. */
function formOf({ key, definition }: AssetNode): ConditionForm {
  const text = canonicalJson([algebraVersion, definition.automation ?? null, definition.partitions ?? null]);
  return { asset: key, conditionHash: createHash("sha256").update(text).digest("base64url") };
}
