import type { AssetKey } from "@headgate/model";
import { type AssetDeletions, deletedBy } from "./asset-deletion.ts";
import type { AssetOwners } from "./asset-graph.ts";
import { assetSite, type ClaimedAsset } from "./claimed-assets.ts";
import { problem } from "./definition-problems.ts";
import type { DefinitionError } from "./definitions.ts";

/** Definitions and registry without the keys whose history is being removed: nothing of them is carried anywhere. */
export interface WithoutDeleted {
  readonly claims: ReadonlyMap<AssetKey, ClaimedAsset>;
  readonly owners: AssetOwners;
}

/**
 * Refuses what is defined anew while its former history is still being removed: what it would make could not be told
 * from what has to go.
 *
 * @param refuse is told of every definition that is refused here
 */
export function withoutDeleted(
  claims: ReadonlyMap<AssetKey, ClaimedAsset>,
  owners: AssetOwners,
  deletions: AssetDeletions,
  refuse: (claim: ClaimedAsset, problem: DefinitionError) => void,
): WithoutDeleted {
  const keys = [...deletions].flatMap(([key, { state }]) => (state === "underWay" ? [key] : []));
  if (keys.length === 0) return { claims, owners };
  const free = { claims: new Map(claims), owners: new Map(owners) };
  for (const key of keys) {
    const claim = claims.get(key as AssetKey);
    const deletion = deletions.get(key);
    free.owners.delete(key);
    free.claims.delete(key as AssetKey);
    if (claim === undefined || claim.retired || deletion === undefined) continue;
    const at = assetSite(claim.segment, claim.stored);
    const message = `${key} was deleted by ${deletedBy(deletion)}, and its history is still being removed.`;
    refuse(
      claim,
      problem(
        "definition.deletion_under_way",
        at,
        message,
        "It loads by itself, with a new history, once that is done.",
      ),
    );
  }
  return free;
}
