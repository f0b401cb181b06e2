import type { AssetKey, PartitionsDefinition } from "@headgate/model";
import type { Graph } from "./asset-graph.ts";

/** The keys of the dynamic set `name` of a team, in the order in which they were added; none where nobody added any. */
export type DynamicSets = (team: string, name: string) => readonly string[];

/** A dynamic set that assets of its team are cut by. */
export interface DefinedSet {
  readonly team: string;
  readonly name: string;
  readonly assets: readonly AssetKey[];
}

/** The dynamic sets that are in use, by team and name. Assets of one team that name the same set share it. */
export function definedSets(graph: Graph): readonly DefinedSet[] {
  const sets = new Map<string, { team: string; name: string; assets: AssetKey[] }>();
  for (const { key, team, space } of graph.order) {
    for (const name of setsOf(space.definition)) {
      const identity = `${team}/${name}`;
      const set = sets.get(identity);
      if (set === undefined) sets.set(identity, { team, name, assets: [key] });
      else set.assets.push(key);
    }
  }
  return [...sets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, set]) => set);
}

function setsOf(definition: PartitionsDefinition | undefined): readonly string[] {
  if (definition?.kind === "dynamic") return [definition.name];
  return definition?.kind === "multi" ? definition.dimensions.flatMap((dimension) => setsOf(dimension.definition)) : [];
}
