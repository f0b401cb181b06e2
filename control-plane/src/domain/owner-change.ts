import { type AssetKey, parseAssetKey, teamOf } from "@headgate/model";
import type { AssetOwners, LocationSegment } from "./asset-graph.ts";

/** Why a key stays where it is. */
export interface OwnerRefusal {
  readonly kind: "refused";
  readonly code:
    | "owner.unknown_asset"
    | "owner.unknown_location"
    | "owner.another_team"
    | "owner.not_defined_there"
    | "owner.unchanged"
    | "owner.not_absent";
  readonly message: string;
  readonly hint: string;
}

/** A key moves inside its team. */
export interface OwnerChange {
  readonly kind: "changed";
  readonly asset: AssetKey;
  readonly team: string;
  /** Null: no location held it. */
  readonly from: string | null;
  /** Null: the next location of the team that defines it claims it. */
  readonly to: string | null;
}

/** What is registered and defined, of all locations. */
export interface Registry {
  readonly segments: readonly LocationSegment[];
  readonly owners: AssetOwners;
  /** Team by location, of all that were ever in the workspace. */
  readonly teams: ReadonlyMap<string, string>;
}

/**
 * Moves a key to another location of its team. That location must define it already, where it is reported as a
 * collision until then: so there is no moment at which nobody can compute it.
 */
export function decideTransfer(registry: Registry, text: string, to: string): OwnerChange | OwnerRefusal {
  const known = registered(registry, text);
  if (known.kind === "refused") return known;
  const { asset, team, from } = known;
  const targetTeam = registry.teams.get(to);
  if (targetTeam === undefined) {
    const names = [...registry.teams].filter(([, other]) => other === team).map(([name]) => name);
    return refused(
      "owner.unknown_location",
      `There is no code location ${to}.`,
      `Locations of team ${team}: ${names.join(", ")}.`,
    );
  }
  if (targetTeam !== team) {
    return refused(
      "owner.another_team",
      `${asset} belongs to team ${team}, and location ${to} is of team ${targetTeam}: an asset never leaves its team.`,
      `Define it as ${targetTeam}/${asset.slice(team.length + 1)} in ${to}. Its history stays with ${asset}.`,
    );
  }
  if (from === to) {
    return refused(
      "owner.unchanged",
      `${asset} belongs to location ${to} already.`,
      "`npx headgate location list` shows the others.",
    );
  }
  if (!defines(registry.segments, to, asset)) {
    return refused(
      "owner.not_defined_there",
      `Location ${to} does not define ${asset}: nobody could compute it there.`,
      `Define it in ${to} first. It is reported there as a collision, and served by ${from ?? "nobody"}, until it is transferred.`,
    );
  }
  return { kind: "changed", asset, team, from, to };
}

/**
 * Takes a key from a location that is gone or defines it no more. A location of the team that defines it and was
 * refused for that gets it at once, the first by name; else the next one to define it.
 */
export function decideRelease(registry: Registry, text: string): OwnerChange | OwnerRefusal {
  const known = registered(registry, text);
  if (known.kind === "refused") return known;
  const { asset, team, from } = known;
  if (from === null) {
    return refused(
      "owner.unchanged",
      `No location holds ${asset}.`,
      `The next location of team ${team} that defines it gets it.`,
    );
  }
  const others = registry.segments
    .filter((segment) => segment.team === team && segment.location !== from)
    .map((segment) => segment.location)
    .sort();
  if (defines(registry.segments, from, asset)) {
    const other = others.find((location) => defines(registry.segments, location, asset)) ?? "<location>";
    return refused(
      "owner.not_absent",
      `Location ${from} defines ${asset}: it is not absent.`,
      `Move it: npx headgate owner transfer ${asset} --to ${other}. Or remove it from ${from} first.`,
    );
  }
  const to = others.find((location) => defines(registry.segments, location, asset)) ?? null;
  return { kind: "changed", asset, team, from, to };
}

function registered(
  { owners }: Registry,
  text: string,
):
  | { readonly kind: "known"; readonly asset: AssetKey; readonly team: string; readonly from: string | null }
  | OwnerRefusal {
  const asset = parseAssetKey(text);
  const owner = owners.get(text);
  if (asset === undefined || owner === undefined) {
    return refused(
      "owner.unknown_asset",
      `No location has ever defined an asset ${text}.`,
      "`npx headgate asset list` prints the assets.",
    );
  }
  return { kind: "known", asset, team: teamOf(asset), from: owner.location };
}

/** With its newest or its last good definition; what vanished is not defined. */
function defines(segments: readonly LocationSegment[], location: string, asset: AssetKey): boolean {
  const segment = segments.find((candidate) => candidate.location === location);
  return segment?.assets.some(({ definition, retired }) => definition.key === asset && retired !== true) === true;
}

function refused(code: OwnerRefusal["code"], message: string, hint: string): OwnerRefusal {
  return { kind: "refused", code, message, hint };
}
