import { rangeSet } from "@headgate/model";
import type pg from "pg";
import { readProgress, storeProgress } from "../domain/backfill-progress.ts";
import { type BackfillPart, type BackfillState, endOf, nextRun, requested, settled } from "../domain/backfill-state.ts";
import { needsConfig } from "../domain/config-refusal.ts";
import type { GateView } from "../domain/gate.ts";
import type { Graph } from "../domain/graph.ts";
import { planSteps } from "../domain/plan.ts";
import type { PlanTarget } from "../domain/plan-targets.ts";
import { type NewEvent, appendEvents } from "../storage/append-events.ts";
import {
  type BackfillError,
  type BackfillRow,
  type EndedPart,
  endedParts,
  insertBackfillRun,
  lockFreeBackfill,
  markCounted,
  openBackfills,
  openRunsOf,
  updateBackfill,
} from "../storage/backfills.ts";
import { type NewRun, appendRunQueued, insertRun } from "../storage/create-run.ts";
import { withTransaction } from "../storage/database.ts";
import { WakeableWait } from "./wakeable-wait.ts";

export interface BackfillsOptions {
  readonly pool: pg.Pool;
  readonly graph: () => Graph;
  /** Steps of this location can be commanded now. */
  readonly isReachable: (location: string) => boolean;
  readonly now: () => number;
  readonly newId: () => string;
  /** Runs were created, or backfills have ended. */
  readonly advanced: (runs: number) => void;
  readonly failed: (error: unknown) => void;
}

/** Runs of one backfill at the same time; what waits for a gate or a location is not in the way of others. */
const busyRunsMax = 4;
const openRunsMax = 32;
const stepsPerRunMax = 5_000;
/** Behind every hint. */
const lookEveryMs = 1_000;
/** Between two looks: what ends meanwhile is taken in together. */
const restMs = 50;

/**
 * The backfill loop: takes in what became of runs, and creates the next ones. Both are one transaction with the
 * backfill's row, whose lock keeps two daemons apart: after a kill any daemon goes on from what is committed.
 */
export class Backfills {
  readonly #options: BackfillsOptions;
  readonly #wait = new WakeableWait();
  readonly #loop: Promise<void>;
  #hasOpen = true;
  #stopped = false;

  constructor(options: BackfillsOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  /** A backfill was created or changed. */
  wake(): void {
    this.#hasOpen = true;
    this.#wait.wake();
  }

  /** Something was recorded: a run may have ended. */
  touch(): void {
    if (this.#hasOpen) this.#wait.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wait.wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const ids = await openBackfills(this.#options.pool);
        this.#hasOpen = ids.length > 0;
        for (const id of ids) if (!this.#stopped) await this.#advance(id);
      } catch (error) {
        this.#options.failed(error);
      }
      if (this.#stopped) return;
      await new Promise((resolve) => setTimeout(resolve, restMs));
      await this.#wait.wait(lookEveryMs);
    }
  }

  /** One that fails keeps no other from going on. */
  async #advance(id: string): Promise<void> {
    try {
      const advanced = await withTransaction(this.#options.pool, (tx) => this.#step(tx, id));
      if (advanced === undefined) return;
      this.#options.advanced(advanced);
      // There may be room for more.
      if (advanced > 0) this.#wait.wake();
    } catch (error) {
      this.#options.failed(error);
    }
  }

  /** Takes in what has ended and creates what comes next; returns how many runs, undefined if nothing has changed. */
  async #step(tx: pg.PoolClient, id: string): Promise<number | undefined> {
    const row = await lockFreeBackfill(tx, id);
    if (row === undefined) return undefined;
    const runs = await openRunsOf(tx, id);
    const ended = runs.filter((run) => run.has_ended).map((run) => run.run_id);
    const open = runs.filter((run) => !run.has_ended);
    const progress = readProgress(this.#options.graph(), row.progress);
    if (!progress.ok) {
      // Its runs go on by themselves, and end as runs do.
      const { code, message, hint } = progress;
      await end(tx, row, "failed", row.progress, { code, message, hint });
      return 0;
    }
    const before = withEnded(progress.parts, ended.length === 0 ? [] : await endedParts(tx, ended));
    const busy = open.filter((run) => !run.is_idle).length;
    const room = row.state === "running" ? Math.min(busyRunsMax - busy, openRunsMax - open.length) : 0;
    const created = this.#create(row, before, room);
    await markCounted(tx, ended);
    if (created.kind === "refused") {
      await end(tx, row, "failed", storeProgress(before), created.error);
      return 0;
    }
    const { parts } = created;
    if (created.kind === "created") {
      await insertRun(tx, created.run);
      await insertBackfillRun(tx, id, created.run.id);
      await updateBackfill(tx, id, { state: row.state, progress: storeProgress(parts) });
      await appendRunQueued(tx, [created.run]);
      return 1;
    }
    const isOver = open.length === 0 && (row.state === "canceling" || this.#isOver(row, parts));
    if (ended.length === 0 && !isOver) return undefined;
    if (isOver) await end(tx, row, row.state === "canceling" ? "canceled" : endOf(parts), storeProgress(parts), null);
    else await updateBackfill(tx, id, { state: row.state, progress: storeProgress(parts) });
    return 0;
  }

  /** True where nothing can be requested any more, however long is waited for locations. */
  #isOver({ state, partitions_per_run: partitionsPerRun }: BackfillRow, parts: readonly BackfillPart[]): boolean {
    const bounds = { partitionsPerRun, stepsMax: stepsPerRunMax, isReachable: () => true };
    return state === "running" && nextRun(parts, bounds, this.#options.now()).length === 0;
  }

  /** One run at most: whoever pauses the backfill does not wait for more than that to be written. */
  #create(row: BackfillRow, parts: readonly BackfillPart[], room: number): Created {
    const { graph, now, newId, isReachable } = this.#options;
    const bounds = { partitionsPerRun: row.partitions_per_run, stepsMax: stepsPerRunMax, isReachable };
    const targets = room > 0 ? nextRun(parts, bounds, now()) : [];
    if (targets.length === 0) return { kind: "none", parts };
    const assets = targets.map(({ node }) => node.key);
    const result = needsConfig(graph(), assets) ?? planSteps(graph(), targets, nothingKnown, now());
    if (!result.ok) {
      const { code, message, hint } = result;
      return { kind: "refused", error: { code, message, hint } };
    }
    const run: NewRun = {
      id: newId(),
      source: "backfill",
      actor: row.actor,
      selection: targets.map(({ node }) => `"${node.key}"`).join(" or "),
      tags: { ...row.tags, backfill: row.id },
      priority: row.priority,
      whenOpen: row.when_open,
      plan: result.plan,
    };
    return { kind: "created", parts: withRequested(parts, targets), run };
  }
}

type Created =
  | { readonly kind: "none"; readonly parts: readonly BackfillPart[] }
  | { readonly kind: "created"; readonly parts: readonly BackfillPart[]; readonly run: NewRun }
  | { readonly kind: "refused"; readonly error: BackfillError };

/** Gates are judged when steps are leased: to plan runs of a backfill no version is read. */
const nothingKnown: GateView = { versions: () => undefined };

function withRequested(parts: readonly BackfillPart[], targets: readonly PlanTarget[]): BackfillPart[] {
  const sets = new Map(targets.map(({ node, set }) => [node, set]));
  return parts.map((part) => requested(part, sets.get(part.node) ?? rangeSet.empty));
}

function withEnded(parts: readonly BackfillPart[], ended: readonly EndedPart[]): BackfillPart[] {
  return parts.map((part) => {
    let result = part;
    for (const { asset_key: asset, outcome, partition_keys: keys } of ended) {
      if (asset !== part.node.key) continue;
      const ordinals = keys.flatMap((key) => part.node.space.ordinalOf(key) ?? []);
      result = settled(result, outcome, rangeSet.from(ordinals));
    }
    return result;
  });
}

async function end(
  tx: pg.PoolClient,
  row: BackfillRow,
  state: BackfillState,
  progress: BackfillRow["progress"],
  error: BackfillError | null,
): Promise<void> {
  await updateBackfill(tx, row.id, { state, progress, error });
  const event: NewEvent = {
    kind: `backfill_${state}`,
    payload: { backfill: row.id, ...(error === null ? {} : { error }) },
  };
  await appendEvents(tx, [event]);
}
