import type { ItemOf } from "../../api/answers.ts";

/** "blocks 37 assets in 3 teams: growth 22, finance 11, ml 4": the same sentence wherever a gate is shown. */
export function blocksText({ assets, teams }: ItemOf<"listGates">["blocks"]): string {
  if (assets === 0) return "blocks nothing downstream";
  const names = teams.map(({ team, assets: count }) => `${team} ${count}`).join(", ");
  const which = assets === 1 ? "1 asset" : `${assets} assets`;
  const [only] = teams;
  return teams.length === 1
    ? `blocks ${which} of ${only?.team ?? ""}`
    : `blocks ${which} in ${teams.length} teams: ${names}`;
}
