import { type AssetKey, rangeSet } from "@headgate/model";
import type pg from "pg";
import { incompleteSet } from "../domain/computed-together.ts";
import type { HeldBack } from "../domain/conditions/held-back.ts";
import type { AssetEvaluation } from "../domain/conditions/evaluate-conditions.ts";
import type { AssetNode, Graph } from "../domain/graph.ts";
import { lockConditionStates, writeConditionStates } from "../storage/condition-states.ts";
import { withTransaction } from "../storage/database.ts";
import { ConditionMemory } from "./conditions/condition-memory.ts";
import { HeldPartitions } from "./conditions/held-partitions.ts";
import { IdleEvaluations } from "./conditions/idle-evaluations.ts";
import { type Wanted, requestPartitions } from "./conditions/request-partitions.ts";
import { mustRemember, nextState, storedState } from "./conditions/state-change.ts";

export interface AutomationOptions {
  readonly pool: pg.Pool;
  readonly graph: () => Graph;
  readonly now: () => number;
  readonly newId: () => string;
  /** Runs were created: somebody should drive them. */
  readonly requested: () => void;
  readonly failed: (error: unknown) => void;
}

/** Requests run at most so many steps in one run; the rest is requested by the next evaluation. */
const stepsPerRun = 1_000;
/** After so many evaluations in a row that found another world than they were made for, it waits. */
const staleMax = 10;
const waitMs = 500;
/** A timer is not trusted for longer: clocks are set. */
const timerMaxMs = 60_000;
/** Events that no condition looks at may lie unread in the log: the next reaction reads past them. */
const unreadMax = 1_000;

/**
 * The automation loop: evaluates conditions when something was recorded or an instant has come, and writes what they
 * request, once each, in the transaction that creates the runs. Evaluations are coalesced; none overlaps another.
 */
export class Automation {
  readonly #options: AutomationOptions;
  readonly #held: HeldPartitions;
  readonly #idle: IdleEvaluations;
  #memory: ConditionMemory | undefined;
  /** Requests of evaluations that are not carried out yet. */
  readonly #open = new Map<AssetNode, AssetEvaluation>();
  /** Of a graph that may be gone: what no plan could be made for. */
  readonly #refused = new WeakSet<AssetNode>();
  #running: Promise<number> | undefined;
  #again = false;
  #stopped = false;
  #stale = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AutomationOptions) {
    this.#options = options;
    this.#held = new HeldPartitions(options.pool, options.newId);
    this.#idle = new IdleEvaluations(options);
  }

  /** What conditions want and closed gates hold back, as of the last evaluation. */
  get held(): readonly HeldBack[] {
    return this.#held.all;
  }

  /**
   * Something was recorded, the last of it with this sequence number, and of these assets alone if any are named. What no
   * condition looks at is not worth a look at the log, until that has grown long.
   */
  touch(assets: readonly AssetKey[], last: number): void {
    const memory = this.#memory;
    const canMatter =
      memory === undefined ||
      memory.graph !== this.#options.graph() ||
      assets.length === 0 ||
      assets.some((asset) => memory.facts.looksAt(asset)) ||
      (memory.facts.automated.length > 0 && last - memory.seq > unreadMax);
    if (canMatter) this.wake();
  }

  definitionsChanged(): void {
    this.#memory = undefined;
    this.wake();
  }

  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#loop().finally(() => {
      this.#running = undefined;
      // Somebody called between the last look and here.
      if (this.#again) this.wake();
    });
    this.#running.catch(() => undefined);
  }

  /** Evaluates everything until nothing more is asked for at the moment; returns how many partitions were requested. */
  async settle(): Promise<number> {
    this.#memory = undefined;
    this.wake();
    let requested = 0;
    while (this.#running !== undefined) requested += await this.#running;
    return requested;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running?.catch(() => undefined);
    await this.#idle.flush();
  }

  async #loop(): Promise<number> {
    let requested = 0;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      // Whatever else this turn of the event loop records is part of the same evaluation.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        requested += await this.#evaluate();
      } catch (error) {
        this.#options.failed(error);
        this.#memory = undefined;
        this.#again = true;
        if (!this.#stopped) await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
    this.#setTimer();
    return requested;
  }

  async #evaluate(): Promise<number> {
    const { memory, touched } = await this.#refreshed();
    if (memory.facts.automated.length === 0) return 0;
    const evaluated = new Set<AssetNode>();
    for (const evaluation of memory.evaluate()) {
      evaluated.add(evaluation.node);
      if (rangeSet.isEmpty(evaluation.requests)) this.#open.delete(evaluation.node);
      else this.#open.set(evaluation.node, evaluation);
    }
    const wanted = this.#wanted(memory.graph);
    const requesting = new Set(wanted.map(({ node }) => node));
    await this.#remember(
      memory,
      [...evaluated].filter((node) => !requesting.has(node)),
    );
    // What is too much for one run is requested by the next evaluation, which every request has follow.
    const requested = wanted.length === 0 ? 0 : await this.#request(memory, upTo(wanted, stepsPerRun));
    this.#idle.add(
      memory,
      [...evaluated].filter((node) => !this.#open.has(node)),
    );
    await this.#held.update(memory, evaluated, touched);
    return requested;
  }

  /** What is known, as new as the log; of another graph everything is read anew. */
  async #refreshed(): Promise<{ readonly memory: ConditionMemory; readonly touched: ReadonlySet<AssetKey> }> {
    const { pool, graph, now } = this.#options;
    const current = graph();
    const known = this.#memory;
    if (known !== undefined && known.graph === current) return { memory: known, touched: await known.refresh(now()) };
    const memory = await ConditionMemory.load(pool, current, now());
    this.#memory = memory;
    this.#open.clear();
    this.#held.clear();
    return { memory, touched: new Set() };
  }

  #wanted(graph: Graph): readonly Wanted[] {
    const wanted: Wanted[] = [];
    for (const { node, requests } of this.#open.values()) {
      // What cannot be computed since a sibling did not load waits for its mending, and keeps nobody else waiting.
      if (this.#refused.has(node) || incompleteSet(graph, node) !== undefined) continue;
      for (const ordinal of rangeSet.ordinals(requests)) {
        wanted.push({ node, ordinal, partition: node.space.keyAt(ordinal) });
        if (wanted.length > stepsPerRun) return wanted;
      }
    }
    return wanted;
  }

  async #request(memory: ConditionMemory, wanted: readonly Wanted[]): Promise<number> {
    const { pool, newId, failed } = this.#options;
    const outcome = await requestPartitions(memory, wanted, {
      pool,
      newId,
      refused: (nodes, error) => {
        // It would be refused to whoever asks, as long as definitions are what they are: others go on without it.
        const multis = nodes.filter(({ definition }) => definition.multi !== undefined);
        for (const node of multis.length > 0 ? multis : nodes) this.#refused.add(node);
        failed(error);
      },
    });
    this.#again = true;
    if (outcome.kind === "requested") {
      this.#stale = 0;
      if (outcome.count > 0) this.#options.requested();
      return outcome.count;
    }
    this.#stale++;
    if (this.#stale >= staleMax) await new Promise((resolve) => setTimeout(resolve, waitMs));
    return 0;
  }

  /** Stores what conditions that requested nothing must know in their next evaluation. */
  async #remember(memory: ConditionMemory, nodes: readonly AssetNode[]): Promise<void> {
    const changed = nodes.filter((node) => mustRemember(memory, node));
    for (const node of nodes)
      if (!changed.includes(node)) memory.advance(node, nextState(memory, node, rangeSet.empty));
    if (changed.length === 0) return;
    const next = changed.map((node) => ({ node, state: nextState(memory, node, rangeSet.empty) }));
    const keys = changed.map(({ key }) => key);
    const moved = await withTransaction(this.#options.pool, async (tx) => {
      const revisions = await lockConditionStates(tx, keys);
      const others = changed.filter((node) => revisions.get(node.key) !== memory.stateOf(node).revision);
      if (others.length > 0) return others;
      await writeConditionStates(
        tx,
        next.map(({ node, state }) => storedState(node, state)),
      );
      return [];
    });
    this.#again = true;
    if (moved.length > 0) memory.doubtStates(moved.map(({ key }) => key));
    else for (const { node, state } of next) memory.remember(node, state);
  }

  /** Wakes at the next instant at which time alone changes a condition. */
  #setTimer(): void {
    clearTimeout(this.#timer);
    const memory = this.#memory;
    if (this.#stopped || memory === undefined) return;
    const untilMs = memory.facts.nextInstantMs - this.#options.now();
    if (!Number.isFinite(untilMs)) return;
    this.#timer = setTimeout(() => this.wake(), Math.min(Math.max(untilMs, 1), timerMaxMs));
  }
}

/** The first of these requests that make at most `max` steps, and one in any case. */
function upTo(requests: readonly Wanted[], max: number): readonly Wanted[] {
  let steps = 0;
  for (const [index, { node }] of requests.entries()) {
    const { multi } = node.definition;
    steps += multi === undefined || multi.canSubset ? 1 : multi.outputs.length;
    if (steps > max) return requests.slice(0, Math.max(1, index));
  }
  return requests;
}
