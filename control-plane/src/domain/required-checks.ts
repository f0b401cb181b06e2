import type { AssetNode, CheckNode } from "./asset-graph.ts";
import { checkId } from "./asset-graph.ts";

/**
 * The checks that decide whether `readerTeam` may read a version of the asset: the blocking checks of the asset's own
 * team and of the reader's team, and those that the owner lists in `requiredChecks`. A blocking check of a third team
 * gates edges into that team alone. What the owner lists is required even where its team made it non-blocking: it must
 * have a result.
 */
export function requiredChecks(node: AssetNode, readerTeam: string): readonly CheckNode[] {
  if (node.checks.length === 0) return node.checks;
  const listed = new Set(node.definition.requiredChecks.map(({ asset, team, name }) => checkId(asset, team, name)));
  return node.checks.filter(
    ({ id, team, definition }) =>
      listed.has(id) || (definition.blocking && (team === node.team || team === readerTeam)),
  );
}
