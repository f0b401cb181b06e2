import { rangeSet } from "@headgate/model";
import { conditionLine } from "../../domain/conditions/condition-line.ts";
import type { AssetNode } from "../../domain/graph.ts";
import { publishes } from "../../domain/publication.ts";
import { readEvaluations } from "../../storage/condition-evaluations.ts";
import { statusRuns } from "../../domain/status-runs.ts";
import { latestResults } from "../../storage/checks-read.ts";
import { publicationsOf } from "../../storage/publications.ts";
import { listVersions, readVersion, type VersionRecord } from "../../storage/versions-read.ts";
import type { ApiContext } from "../api-context.ts";
import { loadStatuses } from "../asset-statuses.ts";
import { encodeCursor, keyCursor, numberCursor } from "../cursor.ts";
import { findAsset, selectAssets } from "../find-asset.ts";
import {
  presentAsset,
  presentChecks,
  presentDefinitionProblem,
  presentDependencies,
  presentPartitionsDefinition,
  presentPublications,
  presentRanges,
} from "../present-asset.ts";
import { presentOwner } from "../present-reason.ts";
import { presentTime } from "../present-run.ts";
import { presentVersion, presentVersions } from "../present-version.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";

type AssetRouteName =
  | "getGraph"
  | "listAssets"
  | "getFacets"
  | "getAsset"
  | "listEvaluations"
  | "listVersions"
  | "getVersion"
  | "getPartitions"
  | "listAssetChecks"
  | "listChecks";

const failingMax = 10;
const facetValuesMax = 100;
const runsMax = 2_000;

/** @throws Problem `version.unknown` */
export async function findVersion(context: ApiContext, node: AssetNode, id: string): Promise<VersionRecord> {
  const record = await readVersion(context.db, id);
  if (record === undefined || record.assetKey !== node.key) {
    const hint = `\`npx headgate asset versions ${node.key}\` prints its versions.`;
    throw new Problem("version.unknown", `${node.key} has no version ${id}.`, hint);
  }
  return record;
}

/** Pages of what lives in memory: by key, after the last key of the page before. */
function pageByKey(nodes: readonly AssetNode[], limit: number, after: string | undefined) {
  const position = keyCursor(after);
  const sorted = [...nodes].sort((a, b) => (a.key < b.key ? -1 : 1));
  const rest = position === undefined ? sorted : sorted.filter((node) => node.key > position);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rest.length > limit && last !== undefined ? encodeCursor(last.key) : null };
}

/** How many nodes have each value; one may have several. */
function facetOf(nodes: readonly AssetNode[], valuesOf: (node: AssetNode) => readonly string[]) {
  const counts = new Map<string, number>();
  for (const node of nodes) for (const value of valuesOf(node)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, assets]) => ({ value, assets }))
    .sort((a, b) => b.assets - a.assets || (a.value < b.value ? -1 : 1))
    .slice(0, facetValuesMax);
}

export const assetRoutes: Pick<Handlers, AssetRouteName> = {
  async getGraph(context, { query }) {
    const nodes = await selectAssets(context, query.selection);
    const statuses = await loadStatuses(context, nodes);
    const shown = new Set(nodes);
    return {
      assets: nodes.map((node) => presentAsset(node, statuses.get(node) ?? [])),
      edges: nodes.flatMap((node) =>
        node.upstream
          .filter((edge) => shown.has(edge.upstream))
          .map(({ upstream, dependency, atLeast }) => ({
            from: upstream.key,
            to: node.key,
            name: dependency.name,
            mode: dependency.mode,
            atLeast,
          })),
      ),
    };
  },

  async listAssets(context, { query }) {
    const { items, next } = pageByKey(await selectAssets(context, query.selection), query.limit, query.after);
    const statuses = await loadStatuses(context, items);
    return { items: items.map((node) => presentAsset(node, statuses.get(node) ?? [])), next };
  },

  async getFacets(context, { query }) {
    const nodes = await selectAssets(context, query.selection);
    const statuses = await loadStatuses(context, nodes);
    return {
      count: nodes.length,
      teams: facetOf(nodes, (node) => [node.team]),
      groups: facetOf(nodes, (node) => (node.definition.group === "" ? [] : [node.definition.group])),
      kinds: facetOf(nodes, (node) => node.definition.kinds),
      statuses: facetOf(nodes, (node) => [...new Set((statuses.get(node) ?? []).map(({ status }) => status))]),
    };
  },

  async getAsset(context, { params }) {
    const node = findAsset(context, params.key);
    const [statuses, latest, versions, publications] = await Promise.all([
      loadStatuses(context, [node]),
      latestResults(context.db, [node.key]),
      listVersions(context.db, node.key, undefined, { limit: 20 }),
      publishes(node) ? publicationsOf(context.db, node.key, failingMax) : undefined,
    ]);
    const ranges = statuses.get(node) ?? [];
    const { definition } = node;
    const newest = versions.items.find((record) => record.discarded === undefined);
    return {
      ...presentAsset(node, ranges),
      owner: presentOwner(context, node.team),
      partitions: presentPartitionsDefinition(node),
      ranges: presentRanges(node, ranges),
      codeVersion: definition.codeVersion,
      automation: definition.automation === undefined ? null : conditionLine(definition.automation),
      configSchema: definition.configSchema ?? null,
      dependencies: presentDependencies(node),
      readers: node.downstream.map((edge) => edge.downstream.key),
      warnings: context
        .graph()
        .warnings.filter((warning) => warning.kind === "asset" && warning.key === node.key)
        .map((warning) => presentDefinitionProblem("asset", node.key, warning)),
      checks: presentChecks(node, latest),
      source: { ...definition.source },
      newest: newest === undefined ? null : await presentVersion(context, context.db, node, newest),
      publications: publications === undefined ? null : presentPublications(publications),
    };
  },

  async listEvaluations(context, { params, query }) {
    const node = findAsset(context, params.key);
    const stored = await readEvaluations(context.pool, node.key, query.limit);
    return {
      items: stored.map(({ id, evaluatedAtMs, requestedCount, runId, explanation }) => ({
        id,
        at: presentTime(new Date(evaluatedAtMs)),
        requestedCount,
        run: runId,
        explanation,
      })),
    };
  },

  async listVersions(context, { params, query }) {
    const node = findAsset(context, params.key);
    const after = numberCursor(query.after);
    const page = await listVersions(context.db, node.key, query.partition, {
      limit: query.limit,
      ...(after === undefined ? {} : { after }),
    });
    return {
      items: await presentVersions(context, context.db, node, page.items),
      next: page.next === undefined ? null : encodeCursor(page.next),
    };
  },

  async getVersion(context, { params }) {
    const node = findAsset(context, params.key);
    return presentVersion(context, context.db, node, await findVersion(context, node, params.id));
  },

  async getPartitions(context, { params, query }) {
    const node = findAsset(context, params.key);
    const ranges = (await loadStatuses(context, [node])).get(node) ?? [];
    const count = ranges.reduce((sum, { set }) => sum + rangeSet.size(set), 0);
    const end = Math.min(count, query.start + query.keys);
    const ordinals = Array.from({ length: Math.max(0, end - query.start) }, (_, i) => query.start + i);
    return {
      count,
      ranges: presentRanges(node, ranges),
      runs: statusRuns(ranges, runsMax).map((run) => ({
        ...run,
        first: node.space.keyAt(run.start),
        last: node.space.keyAt(run.start + run.count - 1),
      })),
      keys: ordinals.map((ordinal) => ({
        partition: node.space.keyAt(ordinal),
        status: ranges.find(({ set }) => rangeSet.has(set, ordinal))?.status ?? "neverMaterialized",
      })),
    };
  },

  async listAssetChecks(context, { params }) {
    const node = findAsset(context, params.key);
    return { items: presentChecks(node, await latestResults(context.db, [node.key])) };
  },

  async listChecks(context, { query }) {
    const nodes = (await selectAssets(context, query.selection)).filter((node) => node.checks.length > 0);
    const { items, next } = pageByKey(nodes, query.limit, query.after);
    const latest = await latestResults(
      context.db,
      items.map((node) => node.key),
    );
    return { items: items.flatMap((node) => presentChecks(node, latest)), next };
  },
};
