import type { GraphModel } from "./picture/graph-model.ts";

/** A row of the tree: a team, or one of its assets. */
export type TreeRow =
  | {
      readonly kind: "team";
      readonly team: number;
      readonly shown: number;
      readonly open: boolean;
      readonly place: number;
      readonly of: number;
    }
  | {
      readonly kind: "asset";
      readonly asset: number;
      readonly team: number;
      readonly place: number;
      readonly of: number;
    };

/**
 * The rows that are seen: teams by name, and of those that are open their assets by key.
 *
 * @param found 1 for each asset that is looked for; absent: all are shown
 */
export function treeRows(model: GraphModel, open: ReadonlySet<number>, found: Uint8Array | undefined): TreeRow[] {
  const members: number[][] = model.teams.map(() => []);
  for (let asset = 0; asset < model.keys.length; asset++) {
    if (found === undefined || found[asset] === 1) members[model.team[asset]!]!.push(asset);
  }
  const teams = model.teams.map((_, team) => team).filter((team) => found === undefined || members[team]!.length > 0);
  return teams.flatMap((team, i): TreeRow[] => {
    const assets = members[team]!;
    const row: TreeRow = {
      kind: "team",
      team,
      shown: assets.length,
      open: open.has(team),
      place: i + 1,
      of: teams.length,
    };
    if (!row.open) return [row];
    return [
      row,
      ...assets.map((asset, n): TreeRow => ({ kind: "asset", asset, team, place: n + 1, of: assets.length })),
    ];
  });
}
