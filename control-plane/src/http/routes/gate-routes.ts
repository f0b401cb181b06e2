import { formatPartitions, rangeSet } from "@headgate/model";
import type { z } from "zod";
import { type Blocked, type ClosedGate, assetGates, blastRadius, blockedBehind } from "../../domain/closed-gates.ts";
import { type VersionView, judge } from "../../domain/gate.ts";
import type { AssetNode } from "../../domain/graph.ts";
import { remedies } from "../../domain/reason-text.ts";
import { readGateState } from "../../storage/gate-state.ts";
import type { ApiContext } from "../api-context.ts";
import type { closedGate } from "../contract/gate.ts";
import { selectAssets } from "../find-asset.ts";
import { presentOwner, presentReason } from "../present-reason.ts";
import { presentTime } from "../present-run.ts";
import type { Handlers } from "../request.ts";

const gatesMax = 200;
const versionsMax = 20;
const nearestMax = 50;

type ClosedGateAnswer = z.input<typeof closedGate>;

interface ShutAsset {
  readonly node: AssetNode;
  readonly gates: readonly ClosedGate[];
  /** Of each partition the newest version, by ordinal. */
  readonly newest: ReadonlyMap<number, VersionView>;
}

export const gateRoutes: Pick<Handlers, "listGates"> = {
  async listGates(context, { query }) {
    const nowMs = context.now();
    const graph = context.graph();
    const selected = new Set(await selectAssets(context, query.selection));
    const shut = await shutAssets(context, graph.order, nowMs);
    const blocked = blockedBehind(
      graph,
      shut.flatMap(({ gates }) => gates),
      nowMs,
    );
    const items = shut
      .filter(({ node }) => selected.has(node))
      .map((one) => presentGate(context, one, blastRadius(graph, one.gates, blocked, nowMs).blocked, nowMs))
      .sort((a, b) => b.blocks.assets - a.blocks.assets || (a.asset < b.asset ? -1 : 1));
    return { items: items.slice(0, gatesMax), count: items.length };
  },
};

async function shutAssets(context: ApiContext, nodes: readonly AssetNode[], nowMs: number): Promise<ShutAsset[]> {
  const checked = nodes.filter(({ checks }) => checks.length > 0);
  const states = await readGateState(
    context.pool,
    checked.map((node) => node.key),
    1,
  );
  return checked.flatMap((node) => {
    const newest = new Map<number, VersionView>();
    for (const [partition, [version]] of states.get(node.key)?.partitions ?? []) {
      const ordinal = node.space.ordinalOf(partition);
      if (version !== undefined && ordinal !== undefined) newest.set(ordinal, version);
    }
    const { closed } = assetGates(node, newest, nowMs);
    return closed.length === 0 ? [] : [{ node, gates: closed, newest }];
  });
}

function presentGate(
  context: ApiContext,
  { node, gates, newest }: ShutAsset,
  blocked: Blocked,
  nowMs: number,
): ClosedGateAnswer {
  const shut = rangeSet.from(gates.flatMap(({ partitions }) => partitions));
  const shutting = gates.map(({ check }) => check);
  const versions = [...rangeSet.ordinals(shut)].slice(0, versionsMax).flatMap((ordinal) => newest.get(ordinal) ?? []);
  return {
    asset: node.key,
    team: node.team,
    partitioned: node.space.definition !== undefined,
    partitions: node.space.definition === undefined ? "" : formatPartitions(node.space, shut),
    count: rangeSet.size(shut),
    since: presentTime(new Date(Math.min(...gates.map(({ sinceMs }) => sinceMs)))),
    owner: presentOwner(context, node.team),
    versions: versions.map((version) => {
      const { reasons } = judge(node.key, version, shutting, nowMs);
      return {
        partition: version.partition,
        version: version.id,
        madeAt: presentTime(new Date(version.createdAtMs)),
        reasons: reasons.map((reason) => presentReason(context, reason)),
        remedies: [...remedies(reasons)],
      };
    }),
    blocks: presentBlocked(blocked),
  };
}

function presentBlocked(blocked: Blocked): ClosedGateAnswer["blocks"] {
  const assets = [...blocked].map(([{ key, team }, set]) => ({ key, team, partitions: rangeSet.size(set) }));
  const teams = new Map<string, number>();
  for (const { team } of assets) teams.set(team, (teams.get(team) ?? 0) + 1);
  return {
    assets: assets.length,
    partitions: assets.reduce((sum, { partitions }) => sum + partitions, 0),
    teams: [...teams].map(([team, count]) => ({ team, assets: count })).sort((a, b) => b.assets - a.assets),
    nearest: assets.slice(0, nearestMax),
  };
}
