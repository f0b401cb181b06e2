import type { AssetKey } from "@headgate/model";
import type pg from "pg";
import { type HeldBack, heldBack } from "../../domain/conditions/held-back.ts";
import type { AssetNode } from "../../domain/graph.ts";
import type { Reason } from "../../domain/reason.ts";
import { insertHeld, readHeld } from "../../storage/automation.ts";
import { withTransaction } from "../../storage/database.ts";
import type { ConditionMemory } from "./condition-memory.ts";

/** Of each asset so many are told one by one; `why` finds out about any other when it is asked. */
const heldMax = 1_000;

/** What conditions want behind closed gates, and why: told once, and again when the reasons are others. */
export class HeldPartitions {
  readonly #pool: pg.Pool;
  readonly #newId: () => string;
  readonly #byAsset = new Map<AssetKey, ReadonlyMap<string, HeldBack>>();
  /** What was last stored, "asset\npartition" to the identity of its reasons. */
  #stored: Map<string, string> | undefined;

  constructor(pool: pg.Pool, newId: () => string) {
    this.#pool = pool;
    this.#newId = newId;
  }

  get all(): readonly HeldBack[] {
    return [...this.#byAsset.values()].flatMap((held) => [...held.values()]);
  }

  clear(): void {
    this.#byAsset.clear();
  }

  /** Looks again at what was evaluated, and at what is held back by something that was touched. */
  async update(
    memory: ConditionMemory,
    evaluated: ReadonlySet<AssetNode>,
    touched: ReadonlySet<AssetKey>,
  ): Promise<void> {
    const behind = this.#behind(memory, touched);
    const found: HeldBack[] = [];
    for (const node of memory.facts.automated) {
      const evaluation = memory.evaluation(node);
      if (evaluation === undefined || (!evaluated.has(node) && !behind.has(node))) continue;
      const held = heldBack(
        memory.graph,
        memory.facts,
        evaluation,
        heldMax,
        (asset, partition) => this.#byAsset.get(asset)?.get(partition)?.reasons,
      );
      if (held.length === 0) this.#byAsset.delete(node.key);
      else this.#byAsset.set(node.key, new Map(held.map((one) => [one.partition, one])));
      found.push(...held);
    }
    if (found.length > 0) await this.#store(memory, found);
  }

  /** Assets with held partitions that are downstream of these. */
  #behind(memory: ConditionMemory, touched: ReadonlySet<AssetKey>): ReadonlySet<AssetNode> {
    if (this.#byAsset.size === 0) return new Set();
    const reached = new Set<AssetNode>();
    for (const asset of touched) {
      const node = memory.graph.assets.get(asset);
      if (node !== undefined) reached.add(node);
    }
    for (const node of reached) for (const { downstream } of node.downstream) reached.add(downstream);
    return new Set([...reached].filter(({ key }) => this.#byAsset.has(key)));
  }

  async #store(memory: ConditionMemory, held: readonly HeldBack[]): Promise<void> {
    this.#stored ??= await this.#readStored(memory);
    const known = this.#stored;
    const fresh = held.filter(
      ({ node, partition, reasons }) => known.get(`${node.key}\n${partition}`) !== identity(reasons),
    );
    if (fresh.length === 0) return;
    const rows = fresh.map(({ node, partition, reasons }) => {
      return { id: this.#newId(), asset: node.key, partition, reasons };
    });
    await withTransaction(this.#pool, (tx) => insertHeld(tx, rows));
    for (const { node, partition, reasons } of fresh) known.set(`${node.key}\n${partition}`, identity(reasons));
  }

  async #readStored(memory: ConditionMemory): Promise<Map<string, string>> {
    const keys = memory.facts.automated.map(({ key }) => key);
    const stored = await readHeld(this.#pool, keys);
    return new Map([...stored].map(([place, reasons]) => [place, identity(reasons as readonly Reason[])]));
  }
}

function identity(reasons: readonly Reason[]): string {
  return JSON.stringify(reasons.map((r) => [r.kind, r.asset, r.partition, "check" in r ? [r.check, r.version] : []]));
}
