import type { GraphToLayOut } from "../../shared/layout/src/index.ts";

/** A graph like those of large installations: teams with ranks of assets, a quarter of the edges from other teams. */
export function randomGraph(assets: number, teams: number, seed = 1): GraphToLayOut & { readonly groups: string[] } {
  const ranks = 12;
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const keys: string[] = [];
  const groups: string[] = [];
  const edges: [number, number][] = [];
  const before: { readonly node: number; readonly team: number }[][] = Array.from({ length: ranks }, () => []);
  for (let node = 0; node < assets; node++) {
    const rank = Math.floor((node / assets) * ranks);
    const team = next(teams);
    const group = `team_${String(team).padStart(2, "0")}`;
    groups.push(group);
    keys.push(`${group}/asset_${String(node).padStart(5, "0")}`);
    for (let n = rank === 0 ? 0 : 1 + next(2); n > 0; n--) {
      const from = next(100) < 75 ? rank - 1 : next(rank);
      const others = next(4) === 0;
      const choice = before[from]!.filter((upstream) => (upstream.team === team) !== others);
      if (choice.length > 0) edges.push([choice[next(choice.length)]!.node, node]);
    }
    before[rank]!.push({ node, team });
  }
  return { keys, groups, edges };
}
