import type { AssetKey } from "@headgate/model";
import { teamOf } from "@headgate/model";
import type { AssetOwners } from "./asset-graph.ts";
import { assetSite, type ClaimedAsset } from "./claimed-assets.ts";
import {
  formerKeyDefined,
  formerKeyTaken,
  historyExists,
  historyInFlight,
  invalidFormerKey,
  keyOfRenamed,
} from "./former-key-problems.ts";
import type { DefinitionError } from "./definitions.ts";
import type { CarryOver, Renames } from "./rename.ts";

export interface FormerKeys {
  /** What is no longer a key, and what it is called now. */
  readonly renamed: ReadonlyMap<string, AssetKey>;
  /** Those that are asked for, or were refused. */
  readonly carryOvers: readonly CarryOver[];
}

/**
 * Which keys are former keys of an asset. An asset says so with `formerly`; and a key whose history went to another one
 * has it back, unsaid, when it is defined again and that other one no longer is: a deploy that was taken back.
 *
 * A key and its former key are never served at once. Until the history is carried over the new key is refused, since it
 * would grow a history of its own; afterwards the old one is.
 *
 * @param refuse is told of every definition that is refused here
 */
export function formerKeys(
  claims: ReadonlyMap<AssetKey, ClaimedAsset>,
  owners: AssetOwners,
  renames: Renames,
  refuse: (claim: ClaimedAsset, problem: DefinitionError) => void,
): FormerKeys {
  const isDefined = (key: string): boolean => claims.get(key as AssetKey)?.retired === false;
  const renamed = new Map<string, AssetKey>();
  const carryOvers: CarryOver[] = [];
  for (const [old, { key, state }] of renames) if (state === "done" && !isDefined(old)) renamed.set(old, key);
  const successors = new Map<string, AssetKey>();
  for (const claim of concerned(claims, renames)) {
    const { key } = claim.stored.definition;
    const gone = renames.get(key);
    if (gone?.state === "done" && isDefined(gone.key)) {
      refuse(claim, keyOfRenamed(siteOf(claim), gone.key));
      continue;
    }
    const former = claim.stored.definition.formerly ?? (gone?.state === "done" ? gone.key : undefined);
    if (former === undefined) continue;
    const first = successors.get(former);
    const problem = unfit(claim, former, first);
    if (problem !== undefined) {
      refuse(claim, problem);
      continue;
    }
    successors.set(former, key);
    const wishes = historiesOf(former, key, renames);
    // Nothing of it is known here: the key is nobody's, and readers of it are told the new one.
    if (!isDefined(former)) renamed.set(former, key);
    for (const from of wishes) {
      if (isDefined(from))
        refuse(claim, formerKeyDefined(siteOf(claim), from, claims.get(from)?.segment.location ?? ""));
      else if (owners.has(from)) {
        renamed.set(from, key);
        carryOvers.push({ from, to: key });
        const known = renames.get(from);
        const isRefused = known?.state === "refused" && known.key === key;
        refuse(claim, isRefused ? historyExists(siteOf(claim), from) : historyInFlight(siteOf(claim), from));
      }
    }
  }
  return { renamed, carryOvers };
}

/** Those that have or had another key, by key. */
function concerned(claims: ReadonlyMap<AssetKey, ClaimedAsset>, renames: Renames): ClaimedAsset[] {
  const found: ClaimedAsset[] = [];
  for (const claim of claims.values()) {
    const { key, formerly } = claim.stored.definition;
    if (!claim.retired && (formerly !== undefined || renames.has(key))) found.push(claim);
  }
  return found.sort((a, b) => (a.stored.definition.key < b.stored.definition.key ? -1 : 1));
}

function unfit(claim: ClaimedAsset, former: AssetKey, first: AssetKey | undefined): DefinitionError | undefined {
  const { key } = claim.stored.definition;
  if (former === key || teamOf(former) !== teamOf(key)) return invalidFormerKey(siteOf(claim), former);
  return first === undefined ? undefined : formerKeyTaken(siteOf(claim), former, first);
}

/**
 * The keys under which the history of a former key is: its own, that of whoever has it by now, and those that were to
 * be carried to it and are not yet. Empty once `key` has it.
 */
function historiesOf(former: AssetKey, key: AssetKey, renames: Renames): AssetKey[] {
  const holder = renames.get(former);
  if (holder?.state === "done") return holder.key === key ? [] : [holder.key];
  const unfinished = [...renames].filter(
    ([old, rename]) => rename.key === former && rename.state === "asked" && old !== key,
  );
  return [former, ...unfinished.map(([old]) => old as AssetKey)];
}

function siteOf({ segment, stored }: ClaimedAsset): ReturnType<typeof assetSite> {
  return assetSite(segment, stored);
}
