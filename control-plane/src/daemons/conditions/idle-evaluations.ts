import type pg from "pg";
import { explain, explanationIdentity } from "../../domain/conditions/explain.ts";
import type { AssetNode } from "../../domain/graph.ts";
import { type StoredEvaluation, replaceIdleEvaluations, trimEvaluations } from "../../storage/condition-evaluations.ts";
import { withTransaction } from "../../storage/database.ts";
import type { ConditionMemory } from "./condition-memory.ts";

export interface IdleEvaluationsOptions {
  readonly pool: pg.Pool;
  readonly newId: () => string;
  readonly failed: (error: unknown) => void;
}

/** Nobody reads faster than that. */
const storeAfterMs = 1_000;

/** Stores evaluations that requested nothing, of each asset the newest, when it has something else to say than before. */
export class IdleEvaluations {
  readonly #options: IdleEvaluationsOptions;
  readonly #pending = new Set<AssetNode>();
  readonly #said = new Map<string, string>();
  #memory: ConditionMemory | undefined;
  #timer: NodeJS.Timeout | undefined;
  #storing: Promise<void> | undefined;

  constructor(options: IdleEvaluationsOptions) {
    this.#options = options;
  }

  add(memory: ConditionMemory, nodes: Iterable<AssetNode>): void {
    if (memory !== this.#memory) this.#pending.clear();
    this.#memory = memory;
    for (const node of nodes) this.#pending.add(node);
    if (this.#pending.size > 0) this.#timer ??= setTimeout(() => void this.flush(), storeAfterMs);
  }

  /** Stores what is to be stored now. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#storing;
    this.#storing = this.#store().catch(this.#options.failed);
    await this.#storing;
  }

  async #store(): Promise<void> {
    const memory = this.#memory;
    const { pool, newId } = this.#options;
    if (memory === undefined) return;
    const evaluations: StoredEvaluation[] = [];
    const said = new Map<string, string>();
    for (const node of this.#pending) {
      const evaluation = memory.evaluation(node);
      if (evaluation === undefined) continue;
      const explanation = explain(node.space, evaluation.truth);
      const identity = explanationIdentity(explanation);
      if (this.#said.get(node.key) === identity) continue;
      said.set(node.key, identity);
      evaluations.push({
        id: newId(),
        asset: node.key,
        evaluatedAtMs: memory.facts.nowMs,
        requestedCount: 0,
        runId: null,
        explanation,
      });
    }
    const assets = [...this.#pending].map(({ key }) => key);
    this.#pending.clear();
    if (evaluations.length > 0) await withTransaction(pool, (tx) => replaceIdleEvaluations(tx, evaluations));
    for (const [asset, identity] of said) this.#said.set(asset, identity);
    if (assets.length > 0) await trimEvaluations(pool, assets);
  }
}
