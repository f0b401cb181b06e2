import type pg from "pg";
import { deletedBy } from "../domain/asset-deletion.ts";
import type { AssetNode } from "../domain/graph.ts";
import { nearestKeys } from "../domain/nearest-key.ts";
import { parseSelection, select } from "../domain/selection.ts";
import { partitionStatuses } from "../domain/status.ts";
import type { ApiContext } from "./api-context.ts";
import { loadStatuses } from "./asset-statuses.ts";
import { Problem } from "./problem.ts";

/** @throws Problem `asset.unknown`, with the nearest key, the reason for its refusal, or who deleted it */
export function findAsset(context: ApiContext, key: string): AssetNode {
  const graph = context.graph();
  const node = graph.asset(key);
  if (node !== undefined) return node;
  const deletion = graph.deleted.get(key);
  const refused = graph.errors.find((error) => error.kind === "asset" && error.key === key);
  if (deletion !== undefined && refused === undefined) {
    const rest = deletion.state === "done" ? "" : " Its history is still being removed.";
    const hint = `What was done to it: npx headgate audit list --subject ${key}`;
    throw new Problem("asset.unknown", `${key} was deleted by ${deletedBy(deletion)}.${rest}`, hint, {
      as: "asset.deleted",
    });
  }
  const now = graph.renamed.get(key);
  if (now !== undefined) {
    throw new Problem("asset.unknown", `${key} is called ${now} now.`, `Its history is there: npx headgate why ${now}`);
  }
  if (refused !== undefined) {
    throw new Problem("asset.unknown", `${key} is defined, but refused: ${refused.message}`, refused.hint, {
      as: "asset.refused",
    });
  }
  const near = nearestKeys(graph.assets.keys()).nearest(key);
  const hint = near.length > 0 ? `Did you mean ${near.join(" or ")}?` : "`npx headgate asset list` prints the assets.";
  throw new Problem("asset.unknown", `No code location defines an asset ${key}.`, hint);
}

/** @throws Problem `partition.unknown` for a key that the asset cannot have */
export function checkPartition(node: AssetNode, partition: string): void {
  if (node.space.ordinalOf(partition) !== undefined) return;
  if (node.space.definition === undefined) {
    throw new Problem("partition.unknown", `${node.key} is not partitioned.`, "Leave the partition out.");
  }
  if (node.space.count(Date.now()) === 0 && node.space.windowAt(0) === undefined) {
    const hint = "`npx headgate partition list` prints the sets of keys, `npx headgate partition add` adds to one.";
    throw new Problem("partition.unknown", `${node.key} has no partition yet.`, hint);
  }
  const first = node.space.keyAt(0);
  throw partition === ""
    ? new Problem("partition.unknown", `${node.key} is partitioned; say which partition.`, `For example ${first}.`)
    : new Problem("partition.unknown", `${node.key} has no partition ${partition}.`, `Its first one is ${first}.`);
}

/** Assets of a selection, by key; every asset without one. */
export async function selectAssets(
  context: ApiContext,
  selection: string | undefined,
  tx?: pg.PoolClient,
): Promise<readonly AssetNode[]> {
  const graph = context.graph();
  if (selection === undefined || selection.trim() === "") return graph.order;
  const parsed = parseSelection(selection);
  if (!parsed.ok) throw new Problem("selection.invalid", parsed.message, parsed.hint);
  const statuses = selection.includes("status:") ? await loadStatuses(context, graph.order, tx) : undefined;
  const found = select(graph, parsed.selection, {
    statuses: partitionStatuses,
    ...(statuses === undefined
      ? {}
      : { statusOf: (node: AssetNode) => (statuses.get(node) ?? []).map(({ status }) => status) }),
  });
  const unknown = found.unknown[0];
  if (unknown !== undefined) throw new Problem("selection.invalid", unknown.message, unknown.hint);
  return found.nodes;
}

/**
 * The selection with its `status:` parts resolved to the assets that have that status now, since a plan knows the graph
 * and not what became of it. Other selections stay as they are.
 */
export async function withoutStatus(context: ApiContext, selection: string, tx?: pg.PoolClient): Promise<string> {
  if (!selection.includes("status:")) return selection;
  const nodes = await selectAssets(context, selection, tx);
  if (nodes.length === 0) {
    throw new Problem("plan.refused", `The selection ${selection} matches no asset now.`, "`npx headgate asset list`", {
      as: "selection.empty",
    });
  }
  return keysSelection(nodes.map((node) => node.key));
}

/** A selection of these assets and no others. */
export function keysSelection(keys: readonly string[]): string {
  return keys.map((key) => `"${key}"`).join(" or ");
}
