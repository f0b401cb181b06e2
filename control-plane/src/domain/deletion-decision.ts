import { type AssetKey, parseAssetKey } from "@headgate/model";
import { type AssetDeletions, deletedBy } from "./asset-deletion.ts";
import type { StoredDefinition } from "./asset-graph.ts";
import type { Registry } from "./owner-change.ts";
import type { Renames } from "./rename.ts";

/** Why an asset and its history stay. */
export interface DeletionRefusal {
  readonly kind: "refused";
  readonly code:
    | "deletion.unknown_asset"
    | "deletion.deleted"
    | "deletion.still_defined"
    | "deletion.consumed"
    | "deletion.taken_over"
    | "deletion.in_flight"
    | "deletion.publishing";
  readonly message: string;
  readonly hint: string;
}

/** The asset goes, with its history. */
export interface DeletionAccepted {
  readonly kind: "accepted";
  readonly asset: AssetKey;
  readonly team: string;
  /** Keys that it had before, with a history that is its own by now. */
  readonly formerly: readonly string[];
}

/** What is registered, defined, renamed and deleted, of all locations. */
export interface DeletionRegistry extends Registry {
  readonly renames: Renames;
  readonly deletions: AssetDeletions;
}

/** What is going on with the asset's history, as it is while nobody leases or reports anything of it. */
export interface HistoryUse {
  /** A step that has not ended, of this asset or of one that was planned to read it. */
  readonly openStep: { readonly run: string; readonly asset: string } | undefined;
  /** The partition of a version that a location is being asked to publish. */
  readonly publishing: string | undefined;
}

const namedMax = 5;

/** Whether an asset that is gone for good may be deleted with its history. */
export function decideDeletion(
  registry: DeletionRegistry,
  text: string,
  use: HistoryUse,
): DeletionAccepted | DeletionRefusal {
  const asset = parseAssetKey(text);
  const owner = registry.owners.get(text);
  const deletion = registry.deletions.get(text);
  if (deletion !== undefined && (owner === undefined || deletion.state === "underWay")) {
    const hint =
      deletion.state === "done"
        ? "There is nothing left to delete."
        : "Wait until its history is removed; if it is defined again by then, it loads by itself.";
    return refused("deletion.deleted", `${text} was deleted by ${deletedBy(deletion)}.`, hint);
  }
  if (asset === undefined || owner === undefined) {
    return refused(
      "deletion.unknown_asset",
      `No location has ever defined an asset ${text}.`,
      "`npx headgate asset list` prints the assets.",
    );
  }
  const formerly = [...registry.renames].flatMap(([old, { key, state }]) =>
    key === asset && state === "done" ? [old] : [],
  );
  return (
    defined(registry, asset) ??
    consumed(registry, asset, new Set([asset, ...formerly])) ??
    takenOver(registry, asset) ??
    inUse(asset, use) ?? { kind: "accepted", asset, team: owner.team, formerly }
  );
}

/** Also if its newest definition does not load: then it may come back with the next one. */
function defined({ segments }: Registry, asset: AssetKey): DeletionRefusal | undefined {
  const site = segments.find(
    ({ assets, errors }) =>
      assets.some((stored) => stored.definition.key === asset && isThere(stored)) ||
      errors.some((error) => error.kind === "asset" && error.key === asset),
  );
  if (site === undefined) return undefined;
  return refused(
    "deletion.still_defined",
    `Location ${site.location} defines ${asset}: only what is gone for good is deleted.`,
    `Remove it from ${site.location} and let that load; or remove the location from workspace.yaml, if it is the location that is gone.`,
  );
}

function consumed({ segments }: Registry, asset: AssetKey, names: ReadonlySet<string>): DeletionRefusal | undefined {
  const consumers = segments.flatMap(({ location, assets, checks }) => [
    ...assets.flatMap((stored) =>
      isThere(stored) && stored.definition.dependencies.some((dependency) => names.has(dependency.asset))
        ? [`${stored.definition.key} (location ${location})`]
        : [],
    ),
    ...checks.flatMap((stored) =>
      isThere(stored) && names.has(stored.definition.asset)
        ? [`the check ${stored.definition.name} (location ${location})`]
        : [],
    ),
  ]);
  if (consumers.length === 0) return undefined;
  const more = consumers.length > namedMax ? ` and ${consumers.length - namedMax} more` : "";
  return refused(
    "deletion.consumed",
    `${asset} is still used by ${consumers.slice(0, namedMax).join(", ")}${more}.`,
    "Remove what reads or checks it, and let those locations load.",
  );
}

function takenOver({ renames }: DeletionRegistry, asset: AssetKey): DeletionRefusal | undefined {
  const rename = renames.get(asset);
  if (rename?.state !== "asked") return undefined;
  return refused(
    "deletion.taken_over",
    `${rename.key} takes over the history of ${asset} as soon as no step of it is open.`,
    `Remove formerly from ${rename.key} if that history is not wanted.`,
  );
}

function inUse(asset: AssetKey, { openStep, publishing }: HistoryUse): DeletionRefusal | undefined {
  if (openStep !== undefined) {
    const what =
      openStep.asset === asset ? `a step of ${asset}` : `the step of ${openStep.asset}, which reads ${asset},`;
    return refused(
      "deletion.in_flight",
      `In run ${openStep.run} ${what} has not ended.`,
      `Wait for it, or cancel it: npx headgate run cancel ${openStep.run}`,
    );
  }
  if (publishing === undefined) return undefined;
  return refused(
    "deletion.publishing",
    `A version of ${publishing === "" ? asset : `${asset} ${publishing}`} is being published at this moment.`,
    "Try again in a minute and a half: no such call lasts longer.",
  );
}

function isThere({ retired }: StoredDefinition<unknown>): boolean {
  return retired !== true;
}

function refused(code: DeletionRefusal["code"], message: string, hint: string): DeletionRefusal {
  return { kind: "refused", code, message, hint };
}
