import type pg from "pg";
import type { AssetNode } from "../domain/graph.ts";
import { type PartitionStatus, type StatusRange, partitionStatus, statusRanges } from "../domain/status.ts";
import { type AssetGateState, readGateState } from "../storage/gate-state.ts";
import { onTransaction } from "../storage/on-transaction.ts";
import { type ActivityRow, listActivity } from "../storage/steps-read.ts";
import type { ApiContext } from "./api-context.ts";

/** The statuses of some assets at one moment, as ranges of partitions that exist. */
export async function loadStatuses(
  context: ApiContext,
  nodes: readonly AssetNode[],
  /** Default: any connection. Inside a transaction its own, or a full pool would wait for itself. */
  tx?: pg.PoolClient,
): Promise<ReadonlyMap<AssetNode, readonly StatusRange[]>> {
  const keys = nodes.map((node) => node.key);
  const nowMs = context.now();
  const gates = await readGateState(tx ?? context.pool, keys, 1);
  const activities = await listActivity(tx === undefined ? context.db : onTransaction(tx), keys);
  return statusesFrom(nodes, gates, activities, nowMs);
}

/** The statuses of some assets, of what was read of them. */
export function statusesFrom(
  nodes: readonly AssetNode[],
  gates: ReadonlyMap<string, AssetGateState>,
  activities: readonly ActivityRow[],
  nowMs: number,
): ReadonlyMap<AssetNode, readonly StatusRange[]> {
  const activityOf = new Map<string, Map<string, ActivityRow>>();
  for (const row of activities) {
    const ofAsset = activityOf.get(row.assetKey) ?? new Map<string, ActivityRow>();
    activityOf.set(row.assetKey, ofAsset.set(row.partition, row));
  }
  const result = new Map<AssetNode, readonly StatusRange[]>();
  for (const node of nodes) {
    const versions = gates.get(node.key)?.partitions;
    const activity = activityOf.get(node.key);
    const known = new Map<string, PartitionStatus>();
    for (const partition of new Set([...(versions?.keys() ?? []), ...(activity?.keys() ?? [])])) {
      const row = activity?.get(partition);
      const seen =
        row === undefined
          ? undefined
          : {
              inFlight: row.inFlight,
              ...(row.setback === undefined ? {} : { setback: { kind: row.setback, atMs: row.atMs } }),
            };
      known.set(partition, partitionStatus(node, versions?.get(partition)?.[0], seen, nowMs));
    }
    result.set(node, statusRanges(node.space, known, nowMs));
  }
  return result;
}

/** The status of one partition. */
export async function loadStatus(context: ApiContext, node: AssetNode, partition: string): Promise<PartitionStatus> {
  const ordinal = node.space.ordinalOf(partition);
  const ranges = (await loadStatuses(context, [node])).get(node) ?? [];
  const found = ranges.find(({ set }) => ordinal !== undefined && set.some(([a, b]) => a <= ordinal && ordinal < b));
  return found?.status ?? "neverMaterialized";
}
