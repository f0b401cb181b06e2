import { rangeSet } from "@headgate/model";
import type pg from "pg";
import { readProgress, storeProgress } from "../../domain/backfill-progress.ts";
import { type BackfillState, newPart, retried } from "../../domain/backfill-state.ts";
import { type Expanded, expanded } from "../../domain/computed-together.ts";
import { needsConfig } from "../../domain/config-refusal.ts";
import { planTargets } from "../../domain/plan-targets.ts";
import type { PartitionStatus } from "../../domain/status.ts";
import type { NewEvent } from "../../storage/append-events.ts";
import {
  type BackfillRow,
  countRunsOf,
  insertBackfill,
  listBackfills,
  lockBackfill,
  openRunsOf,
  readBackfill,
  updateBackfill,
} from "../../storage/backfills.ts";
import { writeAudit } from "../../storage/audit.ts";
import { requestCancel } from "../../storage/cancel-run.ts";
import type { ApiContext } from "../api-context.ts";
import { loadStatuses } from "../asset-statuses.ts";
import { encodeCursor, idCursor } from "../cursor.ts";
import { withoutStatus } from "../find-asset.ts";
import { type Change, mutate } from "../mutation.ts";
import { planProblem } from "../plan-view.ts";
import { type BackfillAnswer, presentBackfill } from "../present-backfill.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";

type BackfillRoutes =
  | "createBackfill"
  | "listBackfills"
  | "getBackfill"
  | "cancelBackfill"
  | "pauseBackfill"
  | "resumeBackfill"
  | "retryBackfill";

/** The statuses of partitions that `only` leaves in. */
const statusesOf: Record<NonNullable<BackfillRow["only_status"]>, readonly PartitionStatus[]> = {
  missing: ["neverMaterialized"],
  failed: ["failed", "errored", "computeFailed"],
  blocked: ["blocked"],
};

export const backfillRoutes: Pick<Handlers, BackfillRoutes> = {
  async createBackfill(context, request) {
    const { selection, partitions, only, partitionsPerRun, tags = {}, priority = 0, whenOpen = false } = request.body;
    return mutate(context, request, 201, async (tx) => {
      const asked = { selection: await withoutStatus(context, selection, tx), ...(partitions && { partitions }) };
      const targets = planTargets(context.graph(), asked, context.now());
      if (!targets.ok) throw planProblem(targets);
      const all = expanded(context.graph(), targets.targets);
      if (!all.ok) throw planProblem(all);
      const left = only === undefined ? all.targets : await withStatus(context, all.targets, statusesOf[only], tx);
      const parts = left.filter(({ set }) => set.length > 0).map(({ node, set }) => newPart(node, set));
      if (parts.length === 0) {
        const words = only === undefined ? "There is no partition to make" : `No partition is ${only}`;
        const hint = "`npx headgate asset list` prints assets with the status of their partitions.";
        throw new Problem("backfill.nothing_to_do", `${words} of what is selected.`, hint);
      }
      const wrong = needsConfig(
        context.graph(),
        parts.map(({ node }) => node.key),
      );
      if (wrong !== undefined) throw new Problem(wrong.code, wrong.message, wrong.hint, { errors: [...wrong.errors] });
      const id = context.newId();
      await insertBackfill(tx, {
        id,
        actor: request.actor.name,
        selection,
        partitions: partitions ?? "",
        only_status: only ?? null,
        partitions_per_run: partitionsPerRun,
        priority,
        tags,
        when_open: whenOpen,
        progress: storeProgress(parts),
      });
      return changeOf(context, tx, id, "create", request.actor.name, { selection, partitions: partitions ?? "" });
    });
  },

  async listBackfills(context, { query }) {
    const after = idCursor(query.after);
    const page = await listBackfills(context.pool, query.state, {
      limit: query.limit,
      ...(after === undefined ? {} : { after }),
    });
    const ids = page.items.map((row) => row.id);
    const runs = await countRunsOf(context.pool, ids);
    const items = page.items.map((row) => {
      const { parts: _parts, ...summary } = presentBackfill(context, row, runs.get(row.id));
      return summary;
    });
    return { items, next: page.next === undefined ? null : encodeCursor(page.next) };
  },

  async getBackfill(context, { params }) {
    return answer(context, context.pool, params.id);
  },

  async cancelBackfill(context, request) {
    const { params, actor } = request;
    return mutate(context, request, 202, async (tx) => {
      const row = await lockedIn(tx, params.id, ["running", "paused"], "cancel");
      await updateBackfill(tx, row.id, { state: "canceling", progress: row.progress });
      const events: NewEvent[] = [];
      let runs = 0;
      for (const { run_id: runId, has_ended: hasEnded } of await openRunsOf(tx, row.id)) {
        if (hasEnded) continue;
        const { kind } = await requestCancel(tx, runId, actor.name);
        if (kind !== "requested" && kind !== "canceled") continue;
        runs++;
        const payload = { actor: actor.name };
        await writeAudit(tx, {
          actor: actor.name,
          action: "run.cancel",
          subject: runId,
          details: { backfill: row.id },
        });
        events.push({ kind: "run_cancel_requested", runId, payload });
        if (kind === "canceled") events.push({ kind: "run_canceled", runId, payload });
      }
      const change = await changeOf(context, tx, row.id, "cancel", actor.name, { runs });
      const channels = [...(change.channels ?? []), "headgate_runs"];
      return { ...change, events: [...(change.events ?? []), ...events], channels };
    });
  },

  async pauseBackfill(context, request) {
    return toState(context, request, "pause", ["running"], "paused");
  },

  async resumeBackfill(context, request) {
    return toState(context, request, "resume", ["paused"], "running");
  },

  async retryBackfill(context, request) {
    const { params, actor } = request;
    return mutate(context, request, 200, async (tx) => {
      const row = await lockedIn(tx, params.id, ["running", "paused", "failed", "blocked", "canceled"], "retry");
      const progress = readProgress(context.graph(), row.progress);
      if (!progress.ok) throw new Problem("backfill.wrong_state", progress.message, progress.hint);
      const fallen = progress.parts.some((part) => part.failed.length + part.blocked.length + part.canceled.length > 0);
      if (!fallen && row.ended_at === null) {
        const hint = `How it stands: npx headgate backfill show ${row.id}`;
        throw new Problem("backfill.nothing_to_do", `Nothing of backfill ${row.id} has failed or is blocked.`, hint);
      }
      const state = row.state === "paused" ? "paused" : "running";
      await updateBackfill(tx, row.id, { state, progress: storeProgress(progress.parts.map(retried)) });
      return changeOf(context, tx, row.id, "retry", actor.name, {});
    });
  },
};

async function toState(
  context: ApiContext,
  request: Parameters<typeof mutate>[1] & { readonly params: { readonly id: string } },
  verb: "pause" | "resume",
  from: readonly BackfillState[],
  state: BackfillState,
): Promise<BackfillAnswer> {
  return mutate(context, request, 200, async (tx) => {
    const row = await lockedIn(tx, request.params.id, from, verb);
    await updateBackfill(tx, row.id, { state, progress: row.progress });
    return changeOf(context, tx, row.id, verb, request.actor.name, {});
  });
}

/** Audit row, event and answer of what was done to a backfill; its loop hears of it after the commit. */
async function changeOf(
  context: ApiContext,
  tx: pg.PoolClient,
  id: string,
  verb: "create" | "cancel" | "pause" | "resume" | "retry",
  actor: string,
  details: Readonly<Record<string, unknown>>,
): Promise<Change<BackfillAnswer>> {
  const kinds = {
    create: "backfill_created",
    cancel: "backfill_cancel_requested",
    pause: "backfill_paused",
    resume: "backfill_resumed",
    retry: "backfill_retried",
  };
  return {
    answer: await answer(context, tx, id),
    audit: { action: `backfill.${verb}`, subject: id, details },
    events: [{ kind: kinds[verb], payload: { backfill: id, actor } }],
    channels: ["headgate_backfills"],
  };
}

async function answer(context: ApiContext, db: Pick<pg.Pool | pg.PoolClient, "query">, id: string) {
  const row = await readBackfill(db, id);
  if (row === undefined) throw unknown(id);
  return presentBackfill(context, row, (await countRunsOf(db, [id])).get(id));
}

async function lockedIn(
  tx: pg.PoolClient,
  id: string,
  states: readonly BackfillState[],
  verb: string,
): Promise<BackfillRow> {
  const row = await lockBackfill(tx, id);
  if (row === undefined) throw unknown(id);
  if (states.includes(row.state)) return row;
  const hint = `How it stands: npx headgate backfill show ${id}`;
  throw new Problem("backfill.wrong_state", `Backfill ${id} is ${row.state}: there is nothing to ${verb}.`, hint);
}

function unknown(id: string): Problem {
  return new Problem("backfill.unknown", `There is no backfill ${id}.`, "`npx headgate backfill list` prints them.");
}

/** What of these targets has one of these statuses now. */
async function withStatus(
  context: ApiContext,
  targets: readonly Expanded[],
  statuses: readonly PartitionStatus[],
  tx: pg.PoolClient,
): Promise<Pick<Expanded, "node" | "set">[]> {
  const nodes = targets.map(({ node }) => node);
  const found = await loadStatuses(context, nodes, tx);
  return targets.map(({ node, set }) => {
    const wanted = (found.get(node) ?? []).filter(({ status }) => statuses.includes(status));
    const all = wanted.reduce((sum, range) => rangeSet.union(sum, range.set), rangeSet.empty);
    return { node, set: rangeSet.intersection(set, all) };
  });
}
