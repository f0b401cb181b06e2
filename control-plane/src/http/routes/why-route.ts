import type { AssetNode } from "../../domain/graph.ts";
import type { Reason } from "../../domain/reason.ts";
import { remedies } from "../../domain/reason-text.ts";
import { ancestors, why } from "../../domain/root-reasons.ts";
import { isOpenStatus } from "../../domain/status.ts";
import { newestDecision } from "../../storage/decisions-read.ts";
import { loadGateView } from "../../storage/gate-state.ts";
import { readRun } from "../../storage/runs-read.ts";
import { lastFailure } from "../../storage/steps-read.ts";
import { readNewestVersion } from "../../storage/versions-read.ts";
import { loadStatus } from "../asset-statuses.ts";
import { checkPartition, findAsset } from "../find-asset.ts";
import { presentFailure } from "../present-failure.ts";
import { presentReason } from "../present-reason.ts";
import { presentRuns, presentTime } from "../present-run.ts";
import { presentVersion } from "../present-version.ts";
import type { Handlers } from "../request.ts";
import { whyAutomation } from "../why-automation.ts";

export const whyRoute: Pick<Handlers, "why"> = {
  async why(context, { params, query }) {
    const node = findAsset(context, params.key);
    const { partition } = query;
    checkPartition(node, partition);
    const nowMs = context.now();
    const keys = ancestors([node]).map((found) => found.key);
    const [status, view, decision, newest, failed, automation] = await Promise.all([
      loadStatus(context, node, partition),
      loadGateView(context.pool, keys),
      newestDecision(context.db, node.key, partition),
      readNewestVersion(context.db, node.key, partition),
      lastFailure(context.db, node.key, partition),
      whyAutomation(context, node, partition),
    ]);
    const now = why(context.graph(), node, partition, view, nowMs);
    const madeSinceMs = newest?.view.createdAtMs ?? -Infinity;
    const stored = decision !== undefined && decision.created_at.getTime() > madeSinceMs ? decision : undefined;
    const answer = newest === undefined ? null : await presentVersion(context, context.db, node, newest);
    // What is open needs no reason; what has a closed version is closed by its own checks, not by those upstream.
    const own = newest === undefined ? [] : (view.versions(node.key, partition) ?? []).slice(0, 1);
    const reasons: readonly Reason[] =
      stored !== undefined ? (stored.reasons as Reason[]) : isOpenStatus(status) ? [] : newest === undefined ? now : [];
    const ownReasons = stored === undefined && own.length > 0 ? (answer?.reasons ?? []) : [];
    const madeIn = newest?.view.runId ?? null;
    const madeBy = madeIn === null ? undefined : await readRun(context.db, madeIn);
    const shownFailure = failed !== undefined && (failed.ended_at?.getTime() ?? 0) > madeSinceMs ? failed : undefined;
    const shown = [
      ...reasons.map((reason) => ({ ...presentReason(context, reason), path: wayTo(node, partition, reason) })),
      ...ownReasons.map((reason) => ({ ...reason, path: [node.key as string] })),
    ];
    return {
      asset: node.key,
      partition,
      status,
      computed: stored === undefined,
      decision:
        stored === undefined
          ? null
          : {
              id: stored.id,
              source: stored.source,
              run: stored.run_id,
              step: stored.step_index,
              at: presentTime(stored.created_at),
            },
      reasons: shown,
      stillClosed: now.length > 0,
      remedies: remediesFor(node, partition, shown as unknown as Reason[], now, stored !== undefined),
      newest: answer,
      madeBy: madeBy === undefined ? null : ((await presentRuns(context.db, [madeBy]))[0] ?? null),
      failure:
        shownFailure === undefined
          ? null
          : {
              run: shownFailure.run_id,
              step: shownFailure.index,
              state: shownFailure.state,
              error: presentFailure(shownFailure.error),
            },
      automation,
    };
  },
};

/** What opens the gate now; once it is open, what makes the partition that was refused. */
function remediesFor(
  node: AssetNode,
  partition: string,
  shown: readonly Reason[],
  now: readonly Reason[],
  refusedBefore: boolean,
) {
  if (refusedBefore && now.length === 0) {
    return [...remedies([{ kind: "neverMaterialized", asset: node.key, partition }])];
  }
  return [...remedies(refusedBefore ? now : shown)];
}

/** The way of a reason; of one that is about an earlier partition of the asset itself, the asset reads itself. */
function wayTo(from: AssetNode, partition: string, reason: Reason): string[] {
  if (reason.asset === from.key && reason.partition !== partition) return [from.key, from.key];
  return pathTo(from, reason.asset);
}

/** Asset keys from `from` upstream to `to`, both included, by the shortest way; only `to` if there is none any more. */
function pathTo(from: AssetNode, to: string): string[] {
  const cameFrom = new Map<AssetNode, AssetNode | undefined>([[from, undefined]]);
  for (const node of cameFrom.keys()) {
    if (node.key === to) {
      const path: string[] = [];
      for (let at: AssetNode | undefined = node; at !== undefined; at = cameFrom.get(at)) path.unshift(at.key);
      return path;
    }
    for (const { upstream } of node.upstream) if (!cameFrom.has(upstream)) cameFrom.set(upstream, node);
  }
  return [to];
}
