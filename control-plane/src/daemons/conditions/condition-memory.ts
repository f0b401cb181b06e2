import { createHash } from "node:crypto";
import { type AssetKey, canonicalJson } from "@headgate/model";
import type pg from "pg";
import type { ConditionFacts } from "../../domain/conditions/condition-facts.ts";
import type { ConditionState } from "../../domain/conditions/evaluate-condition.ts";
import { type AssetEvaluation, ConditionEvaluator } from "../../domain/conditions/evaluate-conditions.ts";
import type { AssetNode, Graph } from "../../domain/graph.ts";
import { ancestors } from "../../domain/root-reasons.ts";
import { automatedNodes } from "../../domain/conditions/condition-facts.ts";
import { type RememberedState, readConditionFacts, readRememberedStates } from "../../storage/condition-snapshot.ts";
import { type ConditionForm, beginConditionStates } from "../../storage/condition-states.ts";
import { newestEventSeq } from "../../storage/events-read.ts";
import { readEpochs } from "../../storage/gate-state.ts";
import { type Place, type PlaceState, readPlaceFacts, readTouchedPlaces } from "../../storage/partition-facts.ts";

/**
 * What a daemon knows of everything that conditions of one graph look at: read once, and from then on kept by what the log
 * says was touched. It may be old, and is never trusted: requests are judged again in their transaction.
 */
export class ConditionMemory {
  readonly graph: Graph;
  readonly facts: ConditionFacts;
  readonly #pool: pg.Pool;
  readonly #evaluator: ConditionEvaluator;
  readonly #states: Map<AssetKey, RememberedState>;
  readonly #readers: readonly AssetKey[];
  /** To be read again, though the log may say nothing of them. */
  readonly #doubted = new Map<string, Place>();
  readonly #doubtedStates = new Set<AssetKey>();
  /** Gate epochs, none of them newer than what is known of its asset. */
  readonly #epochs: Map<AssetKey, number>;
  #seq: number;

  private constructor(
    pool: pg.Pool,
    graph: Graph,
    read: {
      facts: ConditionFacts;
      states: Map<AssetKey, RememberedState>;
      seq: number;
      epochs: Map<AssetKey, number>;
    },
  ) {
    this.#pool = pool;
    this.graph = graph;
    this.facts = read.facts;
    this.#states = read.states;
    this.#seq = read.seq;
    this.#epochs = read.epochs;
    this.#readers = this.facts.automated.map(({ key }) => key);
    this.#evaluator = new ConditionEvaluator(graph, this.facts, (node) => this.stateOf(node));
  }

  static async load(pool: pg.Pool, graph: Graph, nowMs: number): Promise<ConditionMemory> {
    const nodes = automatedNodes(graph);
    if (nodes.length > 0) await beginConditionStates(pool, nodes.map(formOf), nowMs);
    // The log first: what is recorded while the rest is read is then looked at once more, and not missed.
    const seq = await newestEventSeq(pool);
    const epochs = await readEpochs(
      pool,
      ancestors(nodes).map(({ key }) => key),
    );
    const states = await readRememberedStates(pool, nodes);
    const facts = await readConditionFacts(pool, graph, nowMs);
    return new ConditionMemory(pool, graph, { facts, states, seq, epochs });
  }

  /** How far the log was read. */
  get seq(): number {
    return this.#seq;
  }

  /** The gate epoch that what is known of the asset stands on. */
  epoch(asset: AssetKey): number {
    return this.#epochs.get(asset) ?? 0;
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
    // States first: under a revision that is known, nothing was requested that is not known, too.
    if (this.#doubtedStates.size > 0) {
      await this.#readStates([...this.#doubtedStates], nowMs);
      for (const asset of this.#doubtedStates) this.#touch(asset);
      this.#doubtedStates.clear();
    }
    const doubted = [...this.#doubted.values()];
    this.#doubted.clear();
    const take = (states: readonly PlaceState[]): void => {
      for (const { asset, partition, state } of states) {
        this.facts.update(asset, partition, state);
        touched.add(asset);
      }
    };
    take(await readPlaceFacts(this.#pool, doubted, this.#readers));
    for (let more = true; more;) {
      const read = await readTouchedPlaces(this.#pool, this.#seq, this.facts.relevant, this.#readers);
      take(read.states);
      for (const [asset, epoch] of Object.entries(read.epochs)) this.#epochs.set(asset as AssetKey, epoch);
      this.#seq = read.seq;
      more = read.more;
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

  /** Begins again what is gone by now, as when the history of an asset that was deleted before is removed. */
  async #readStates(assets: readonly AssetKey[], nowMs: number): Promise<void> {
    const nodes = assets.flatMap((asset) => this.graph.assets.get(asset) ?? []);
    await beginConditionStates(this.#pool, nodes.map(formOf), nowMs);
    for (const [asset, state] of await readRememberedStates(this.#pool, nodes)) this.#states.set(asset, state);
  }
}

/** Moves when built-in conditions are made of other parts, so that no part finds what another one remembers. */
const algebraVersion = 1;

/** What is remembered of a condition belongs to this form of it. */
function formOf({ key, definition }: AssetNode): ConditionForm {
  const text = canonicalJson([algebraVersion, definition.automation ?? null, definition.partitions ?? null]);
  return { asset: key, conditionHash: createHash("sha256").update(text).digest("base64url") };
}
