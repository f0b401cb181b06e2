import type { AssetKey, DynamicKeys, PartitionSpace, PartitionsDefinition } from "@headgate/model";
import { ModelError, partitionSpace, teamOf } from "@headgate/model";
import type { AssetOwners, GraphError, LocationSegment, StoredDefinition } from "./asset-graph.ts";
import {
  anotherTeamsPrefix,
  duplicateKey,
  invalidCondition,
  invalidPartitions,
  ownedByAnotherLocation,
  type DefinitionSite,
} from "./definition-problems.ts";
import { conditionProblem } from "./conditions/condition-problem.ts";
import type { AssetDefinition, DefinitionError } from "./definitions.ts";
import type { DynamicSets } from "./dynamic-sets.ts";

/** A definition that has its key to itself. Whether it can be served depends on what it reads. */
export interface ClaimedAsset {
  /** The place among the claims: edges and orders are made of these. */
  readonly number: number;
  readonly stored: StoredDefinition<AssetDefinition>;
  readonly segment: LocationSegment;
  readonly retired: boolean;
  /** Absent: its partitions are not valid, and it is refused for that. */
  readonly space?: PartitionSpace;
}

/**
 * Gives each key to one definition: to the location that the registry names, else to the first location by name, and
 * within a location to the first definition. A definition that is there beats one that has vanished.
 *
 * @param segments ordered by location name
 * @param refuse is told of every definition that is refused here
 * @param dynamicSets a snapshot of the keys of dynamic partitions
 */
export function claimedAssets(
  segments: readonly LocationSegment[],
  owners: AssetOwners,
  refuse: (error: GraphError) => void,
  dynamicSets: DynamicSets,
): Map<AssetKey, ClaimedAsset> {
  const claims = new Map<AssetKey, ClaimedAsset>();
  const spaceOf = internedSpaces(dynamicSets);
  for (const segment of segments) {
    for (const stored of segment.assets) {
      const { key } = stored.definition;
      const retired = stored.retired === true;
      const problem = claimProblem(claims, segment, stored, owners.get(key)?.location ?? undefined);
      if (problem === "yields") continue;
      if (problem !== undefined) {
        refuse(refusedAt(segment, key, problem));
        continue;
      }
      const number = claims.get(key)?.number ?? claims.size;
      const space = spaceOf(stored.definition.partitions, segment.team);
      if (space instanceof ModelError) {
        if (retired) continue;
        refuse(refusedAt(segment, key, invalidPartitions(assetSite(segment, stored), space.message, space.hint)));
        claims.set(key, { number, stored, segment, retired });
        continue;
      }
      const { automation } = stored.definition;
      const wrong = automation === undefined || retired ? undefined : conditionProblem(automation);
      if (wrong !== undefined) {
        refuse(refusedAt(segment, key, invalidCondition(assetSite(segment, stored), wrong.message, wrong.hint)));
        claims.set(key, { number, stored, segment, retired });
      } else claims.set(key, { number, stored, segment, retired, space });
    }
  }
  return claims;
}

/** Where an asset's definition stands, for messages. */
export function assetSite(segment: LocationSegment, stored: StoredDefinition<AssetDefinition>): DefinitionSite {
  const { key, source } = stored.definition;
  return { key, team: segment.team, location: segment.location, source };
}

/** Why the definition cannot have its key; "yields": it vanished, so that it gives way without a word. */
function claimProblem(
  claims: ReadonlyMap<AssetKey, ClaimedAsset>,
  segment: LocationSegment,
  stored: StoredDefinition<AssetDefinition>,
  owner: string | undefined,
): DefinitionError | "yields" | undefined {
  const { key } = stored.definition;
  const first = claims.get(key);
  const registeredElsewhere = owner !== undefined && owner !== segment.location;
  const strange = teamOf(key) !== segment.team;
  if (stored.retired === true) return strange || registeredElsewhere || first !== undefined ? "yields" : undefined;
  if (strange) return anotherTeamsPrefix(assetSite(segment, stored));
  if (registeredElsewhere) return ownedByAnotherLocation(assetSite(segment, stored), owner, true);
  if (first === undefined || first.retired) return undefined;
  if (first.segment === segment) return duplicateKey(assetSite(segment, stored), first.stored.definition.source);
  return ownedByAnotherLocation(assetSite(segment, stored), first.segment.location, false);
}

/** The problem of an asset's definition, with its place in the graph. */
export function refusedAt(segment: LocationSegment, key: string, problem: DefinitionError): GraphError {
  return { ...problem, location: segment.location, kind: "asset", key };
}

/** Equal definitions share one space: its arithmetic is costly to set up, and equality becomes identity. */
function internedSpaces(
  dynamicSets: DynamicSets,
): (definition: PartitionsDefinition | undefined, team: string) => PartitionSpace | ModelError {
  const spaces = new Map<string, PartitionSpace | ModelError>();
  const unpartitioned = partitionSpace(undefined);
  return (definition, team) => {
    if (definition === undefined) return unpartitioned;
    // Stored as JSON, whose members have one order in the database; what this overlooks costs a space, no more.
    const text = JSON.stringify(definition);
    // Two teams may name their sets alike.
    const identity = text.includes('"dynamic"') ? `${team} ${text}` : text;
    const known = spaces.get(identity);
    if (known !== undefined) return known;
    const space = checkedSpace(definition, (name) => dynamicSets(team, name));
    spaces.set(identity, space);
    return space;
  };
}

function checkedSpace(definition: PartitionsDefinition, dynamicKeys: DynamicKeys): PartitionSpace | ModelError {
  try {
    return partitionSpace(definition, dynamicKeys);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
}
