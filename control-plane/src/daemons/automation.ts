import { createHash } from "node:crypto";
import { type AssetKey, rangeSet } from "@headgate/model";
import type pg from "pg";
import { type AutomationRequest, type HeldBack, evaluateOnMissing } from "../domain/on-missing.ts";
import { incompleteSet } from "../domain/computed-together.ts";
import { planSteps } from "../domain/plan.ts";
import type { AssetNode, Graph } from "../domain/graph.ts";
import { ancestors } from "../domain/root-reasons.ts";
import {
  claimRequests,
  insertHeld,
  readHeld,
  readInProgress,
  readRequested,
  shareGates,
} from "../storage/automation.ts";
import { type NewRun, appendRunQueued, insertRun } from "../storage/create-run.ts";
import { withTransaction } from "../storage/database.ts";
import { GateMemory } from "./gate-memory.ts";

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

/**
 * The automation loop: evaluates conditions when something was recorded, and writes what they request, once each, in
 * the transaction that creates the runs. Evaluations are coalesced; none overlaps another.
 */
export class Automation {
  readonly #options: AutomationOptions;
  readonly #memory: GateMemory;
  #nodes: { readonly graph: Graph; readonly nodes: readonly AssetNode[] } | undefined;
  readonly #touched = new Set<AssetKey>();
  /** Of a graph that may be gone: what no plan could be made for. */
  readonly #refused = new WeakSet<AssetNode>();
  #running: Promise<number> | undefined;
  #again = false;
  #stopped = false;
  /** What the last evaluation found missing behind a closed gate. */
  held: readonly HeldBack[] = [];
  /** What was last stored as the reason of a partition held back. */
  #stored: Map<string, string> | undefined;

  constructor(options: AutomationOptions) {
    this.#options = options;
    this.#memory = new GateMemory(options.pool);
  }

  /** Something was recorded of these assets. */
  touch(assets: Iterable<AssetKey>): void {
    for (const asset of assets) this.#touched.add(asset);
    this.wake();
  }

  definitionsChanged(): void {
    this.#memory.clear();
    this.wake();
  }

  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#loop().finally(() => {
      this.#running = undefined;
    });
    this.#running.catch(() => undefined);
  }

  /** Evaluates until nothing more is asked for at the moment; returns how many partitions were requested. */
  async settle(): Promise<number> {
    this.#memory.clear();
    this.wake();
    return (await this.#running) ?? 0;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running?.catch(() => undefined);
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
        this.#memory.clear();
        await new Promise((resolve) => setTimeout(resolve, 500));
        this.#again = true;
      }
    }
    return requested;
  }

  async #evaluate(): Promise<number> {
    const { pool, now } = this.#options;
    const graph = this.#options.graph();
    const nodes = this.#automated(graph);
    for (const asset of this.#touched) this.#memory.forget(asset);
    this.#touched.clear();
    if (nodes.length === 0) return 0;
    const relevant = ancestors(nodes).map((node) => node.key);
    // In this order: what is requested after the first look is not taken for something that has failed since, and what
    // ends after the second has its version in the third.
    const requestedBefore = await readRequested(
      pool,
      nodes.map((node) => node.key),
    );
    const inProgress = await readInProgress(pool);
    await this.#memory.revalidate(relevant);
    const view = {
      versions: (asset: AssetKey, partition: string) => this.#memory.versions(asset, partition),
      inProgress: (node: AssetNode, partition: string) => inProgress.has(`${node.key}\n${partition}`),
      requested: (node: AssetNode, partition: string, fingerprint: string) =>
        requestedBefore.has(`${node.key}\n${partition}\n${fingerprint}`),
    };
    const { requests: missing, held } = evaluateOnMissing(graph, view, fingerprintOf, now());
    // What cannot be computed since a sibling did not load waits for its mending, and keeps nobody else waiting.
    const requests = missing.filter(({ node }) => {
      return !this.#refused.has(node) && incompleteSet(graph, node) === undefined;
    });
    const requested = requests.length === 0 ? 0 : await this.#request(graph, upTo(requests, stepsPerRun));
    if (upTo(requests, stepsPerRun).length < requests.length) this.#again = true;
    this.held = held;
    await this.#store(nodes, held);
    return requested;
  }

  /** The assets with a condition; found once for each graph, since every commit asks. */
  #automated(graph: Graph): readonly AssetNode[] {
    if (this.#nodes?.graph !== graph) {
      const nodes = graph.order.filter((node) => node.definition.automation !== undefined && !node.retired);
      this.#nodes = { graph, nodes };
    }
    return this.#nodes.nodes;
  }

  async #request(graph: Graph, requests: readonly AutomationRequest[]): Promise<number> {
    const { pool, now, newId } = this.#options;
    const assets = ancestors(requests.map((request) => request.node)).map((node) => node.key);
    const requested = await withTransaction(pool, async (tx) => {
      const epochs = await shareGates(tx, assets);
      const moved = assets.filter((asset) => (epochs.get(asset) ?? 0) !== this.#memory.epoch(asset));
      if (moved.length > 0) {
        // Judged on what is no longer so: look again.
        for (const asset of moved) this.#memory.forget(asset);
        this.#again = true;
        return 0;
      }
      const busy = await readInProgress(tx);
      const runs: NewRun[] = [];
      let count = 0;
      for (const [team, ofTeam] of groupBy(requests, (request) => request.node.team)) {
        const id = newId();
        const free = ofTeam.filter((r) => !busy.has(`${r.node.key}\n${r.partition}`));
        const run = this.#plan(graph, id, team, free, now());
        if (run === undefined) continue;
        await insertRun(tx, run);
        const rows = free.map(({ node, partition, fingerprint }) => ({ asset: node.key, partition, fingerprint }));
        const claimed = await claimRequests(tx, id, rows);
        // Another daemon was first with some: its transaction is committed, so all of it is looked at again.
        if (claimed.size < free.length) throw new RequestedElsewhereError();
        runs.push(run);
        count += free.length;
      }
      if (runs.length > 0) await appendRunQueued(tx, runs);
      return count;
    }).catch((error: unknown) => {
      if (!(error instanceof RequestedElsewhereError)) throw error;
      this.#again = true;
      return 0;
    });
    if (requested > 0) {
      this.#again = true;
      this.#options.requested();
    }
    return requested;
  }

  #plan(
    graph: Graph,
    id: string,
    team: string,
    requests: readonly AutomationRequest[],
    nowMs: number,
  ): NewRun | undefined {
    const targets = [...groupBy(requests, (request) => request.node)].map(([node, ofNode]) => ({
      node,
      set: rangeSet.from(ofNode.map((request) => request.ordinal)),
    }));
    if (targets.length === 0) return undefined;
    const planned = planSteps(graph, targets, { versions: (a, p) => this.#memory.versions(a, p) }, nowMs);
    if (!planned.ok) {
      // It would be refused to whoever asks, as long as definitions are what they are: others go on without it.
      for (const { node } of targets) if (node.definition.multi !== undefined) this.#refused.add(node);
      this.#options.failed(new Error(`${planned.code}: ${planned.message}`));
      this.#again = true;
      return undefined;
    }
    const selection = targets.map(({ node }) => node.key).join(" or ");
    return { id, source: "automation", actor: `automation:${team}`, selection, plan: planned.plan };
  }

  /** Stores why partitions are held back, when that has changed. */
  async #store(nodes: readonly AssetNode[], held: readonly HeldBack[]): Promise<void> {
    const { pool, newId } = this.#options;
    if (this.#stored === undefined) {
      const keys = nodes.map((node) => node.key);
      this.#stored = new Map();
      for (const [place, reasons] of await readHeld(pool, keys))
        this.#stored.set(place, identity(reasons as HeldBack["reasons"]));
    }
    const known = this.#stored;
    const fresh = held.filter(
      ({ node, partition, reasons }) => known.get(`${node.key}\n${partition}`) !== identity(reasons),
    );
    if (fresh.length === 0) return;
    const rows = fresh.map(({ node, partition, reasons }) => ({ id: newId(), asset: node.key, partition, reasons }));
    await withTransaction(pool, (tx) => insertHeld(tx, rows));
    for (const { node, partition, reasons } of fresh) known.set(`${node.key}\n${partition}`, identity(reasons));
  }
}

/** The first of these requests that make at most `max` steps, and one in any case. */
function upTo(requests: readonly AutomationRequest[], max: number): readonly AutomationRequest[] {
  let steps = 0;
  for (const [index, { node }] of requests.entries()) {
    const { multi } = node.definition;
    steps += multi === undefined || multi.canSubset ? 1 : multi.outputs.length;
    if (steps > max) return requests.slice(0, Math.max(1, index));
  }
  return requests;
}

/** Another daemon has requested the same at the same moment. */
class RequestedElsewhereError extends Error {}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function identity(reasons: HeldBack["reasons"]): string {
  return JSON.stringify(reasons.map((r) => [r.kind, r.asset, r.partition, "check" in r ? [r.check, r.version] : []]));
}

function fingerprintOf(parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\n")).digest("base64url");
}
