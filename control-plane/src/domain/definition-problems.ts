import type { AssetKey } from "@headgate/model";
import { teamOf } from "@headgate/model";
import type { AssetDefinition, CheckDefinition, DefinitionError, Dependency, SourceLocation } from "./definitions.ts";

/** Every code under which the graph refuses a definition, or warns about it. */
export type DefinitionProblemCode =
  | "definition.another_teams_prefix"
  | "definition.duplicate_key"
  | "definition.owned_by_another_location"
  | "definition.invalid_condition"
  | "definition.invalid_partitions"
  | "definition.missing_upstream"
  | "definition.not_exported"
  | "definition.refused_upstream"
  | "definition.retired_upstream"
  | "definition.unexported_upstream"
  | "definition.last_validated_in_place"
  | "definition.mapping_mismatch"
  | "definition.requires_too_many"
  | "definition.cycle"
  | "definition.duplicate_check"
  | "definition.missing_asset"
  | "definition.refused_asset"
  | "definition.retired_asset"
  | "definition.unexported_asset"
  | "definition.missing_required_check"
  | "definition.required_check_not_blocking"
  | "definition.invalid_former_key"
  | "definition.former_key_defined"
  | "definition.former_key_taken"
  | "definition.key_of_renamed"
  | "definition.history_in_flight"
  | "definition.history_exists"
  | "definition.renamed_upstream"
  | "definition.renamed_asset"
  | "definition.duplicate_schedule"
  | "definition.duplicate_sensor"
  | "definition.invalid_cron"
  | "definition.invalid_target"
  | "definition.missing_target"
  | "definition.refused_target"
  | "definition.target_of_another_team"
  | "definition.target_not_computed"
  | "definition.deletion_under_way";

export interface Problem extends DefinitionError {
  readonly code: DefinitionProblemCode;
}

/** Who says it: the definition that is refused, with its owner. */
export interface DefinitionSite {
  readonly key: string;
  readonly team: string;
  readonly location: string;
  readonly source: SourceLocation;
}

/** As every definition that is refused, or that its owner should look at, is told. */
export function problem(code: DefinitionProblemCode, at: DefinitionSite, message: string, hint: string): Problem {
  return { code, message, hint, source: at.source };
}

function place(source: SourceLocation): string {
  if (source.file === "") return "";
  return source.line > 0 ? ` (${source.file}:${source.line})` : ` (${source.file})`;
}

function didYouMean(nearest: readonly string[]): string {
  return nearest.length === 0 ? "" : `Did you mean ${nearest.join(" or ")}? `;
}

export function anotherTeamsPrefix(at: DefinitionSite): Problem {
  const owner = teamOf(at.key as AssetKey);
  const name = at.key.slice(owner.length + 1);
  return problem(
    "definition.another_teams_prefix",
    at,
    `Location ${at.location} of team ${at.team} defines ${at.key}, but keys that start with "${owner}/" belong to team ${owner}.`,
    `Name it ${at.team}/${name}, or define it in a location of team ${owner}. The team of a location is set in workspace.yaml.`,
  );
}

export function duplicateKey(at: DefinitionSite, first: SourceLocation): Problem {
  return problem(
    "definition.duplicate_key",
    at,
    `Location ${at.location} defines ${at.key} twice: first${place(first)}, and again${place(at.source)}. The first one counts.`,
    "Rename or remove one of the two.",
  );
}

/** @param registered whether the owner registry says so; otherwise the first location by name keeps the key. */
export function ownedByAnotherLocation(at: DefinitionSite, owner: string, registered: boolean): Problem {
  const why = registered ? "which owns it" : "which comes first by name";
  return problem(
    "definition.owned_by_another_location",
    at,
    `Location ${at.location} defines ${at.key}, which is already defined by location ${owner}, ${why}.`,
    `Rename or remove it in ${at.location}: a key stays with the location that defined it first. To move it: npx headgate owner transfer ${at.key} --to ${at.location}`,
  );
}

export function invalidPartitions(at: DefinitionSite, message: string, hint: string): Problem {
  return problem("definition.invalid_partitions", at, `The partitions of ${at.key} are not valid: ${message}`, hint);
}

export function invalidCondition(at: DefinitionSite, message: string, hint: string): Problem {
  return problem("definition.invalid_condition", at, `The automation condition of ${at.key} ${message}`, hint);
}

/** @param unloaded a module of a location of the upstream's team that did not load, and so may define it. */
export function missingUpstream(
  at: DefinitionSite,
  dependency: Dependency,
  nearest: readonly string[],
  unloaded: { readonly location: string; readonly module: string } | undefined,
): Problem {
  const suspect =
    unloaded === undefined
      ? ""
      : `Module ${unloaded.module} of location ${unloaded.location} did not load and may define it. `;
  return problem(
    "definition.missing_upstream",
    at,
    `${at.key} reads ${dependency.asset} (as "${dependency.name}"), but no location defines ${dependency.asset}.`,
    `${suspect}${didYouMean(nearest)}Correct the key, or add the location that defines it to workspace.yaml.`,
  );
}

export function notExported(at: DefinitionSite, verb: "reads" | "checks", asset: AssetKey): Problem {
  const owner = teamOf(asset);
  return problem(
    "definition.not_exported",
    at,
    `${at.key} of team ${at.team} ${verb} ${asset}, which team ${owner} does not export to team ${at.team}.`,
    `Ask team ${owner} to set export: true, or export: ["${at.team}"], on ${asset}.`,
  );
}

/** @param root what the chain of refusals starts with, and why it is refused. */
export function refusedUpstream(
  at: DefinitionSite,
  asset: AssetKey,
  root: { readonly key: string; readonly error: DefinitionError },
): Problem {
  const through = root.key === asset ? "" : ` because of ${root.key}`;
  return problem(
    "definition.refused_upstream",
    at,
    `${at.key} reads ${asset}, which is refused${through}: ${root.error.message}`,
    `Mend ${root.key} first (${root.error.code}): ${root.error.hint}`,
  );
}

export function retiredUpstream(at: DefinitionSite, asset: AssetKey, served: boolean): Problem {
  const effect = served
    ? "Its stored versions still serve, but no new one will be made."
    : "What was stored serves earlier readers only; new ones are refused.";
  return problem(
    "definition.retired_upstream",
    at,
    `${at.key} reads ${asset}, which team ${teamOf(asset)} no longer defines. ${effect}`,
    `Stop reading ${asset}, or ask team ${teamOf(asset)} to define it again.`,
  );
}

export function unexportedUpstream(at: DefinitionSite, asset: AssetKey): Problem {
  const owner = teamOf(asset);
  return problem(
    "definition.unexported_upstream",
    at,
    `${at.key} of team ${at.team} reads ${asset}, which team ${owner} no longer exports to team ${at.team}. The edge is served because it is older.`,
    `Stop reading ${asset}, or ask team ${owner} to export it again.`,
  );
}

export function lastValidatedInPlace(at: DefinitionSite, asset: AssetKey): Problem {
  return problem(
    "definition.last_validated_in_place",
    at,
    `${at.key} reads the last validated version of ${asset}, but ${asset} is overwritten in place: no version of it but the newest can be read.`,
    `Read it with a strict edge (without lastValidated), or ask team ${teamOf(asset)} to keep versions of ${asset}.`,
  );
}

export function mappingMismatch(at: DefinitionSite, dependency: Dependency, message: string, hint: string): Problem {
  return problem(
    "definition.mapping_mismatch",
    at,
    `The partitions of ${at.key} do not map to those of ${dependency.asset} (read as "${dependency.name}"): ${message}`,
    hint,
  );
}

export function requiresTooMany(at: DefinitionSite, dependency: Dependency, atLeast: number, mapped: number): Problem {
  const count = mapped === 1 ? "one partition" : `${mapped} partitions`;
  return problem(
    "definition.requires_too_many",
    at,
    `${at.key} requires at least ${atLeast} partitions of ${dependency.asset} (read as "${dependency.name}"), but a partition of it reads ${count} at most: it could never run.`,
    `Require at most ${mapped}, or "every".`,
  );
}

/** @param why what the edge says that cannot be: each partition may read earlier ones alone. */
export function selfDependency(at: DefinitionSite, dependency: Dependency, why: string): Problem {
  return problem(
    "definition.cycle",
    at,
    `${at.key} reads itself (as "${dependency.name}") ${why}: a partition would wait for its own version.`,
    "Read earlier windows alone, as windowOffset(self, -1) does, or remove the dependency of the asset on itself.",
  );
}

/** @param path the cycle from the refused asset along what it reads, without the return; `left` assets are not shown. */
export function cycle(at: DefinitionSite, path: readonly string[], left: number): Problem {
  const shown = [...path, ...(left > 0 ? [`(${left} more)`] : []), ...path.slice(0, 1)];
  return problem(
    "definition.cycle",
    at,
    `${at.key} is part of a cycle, each asset reading the next: ${shown.join(" → ")}.`,
    "Remove one of these dependencies, or split the asset that both sides need.",
  );
}

export function duplicateCheck(at: DefinitionSite, check: CheckDefinition, first: string): Problem {
  const where = first === at.location ? `location ${first} twice` : `locations ${first} and ${at.location}`;
  return problem(
    "definition.duplicate_check",
    at,
    `Team ${at.team} defines the check ${check.name} of ${check.asset} in ${where}. The first one counts.`,
    "Rename or remove one of the two.",
  );
}

export function missingAsset(at: DefinitionSite, check: CheckDefinition, nearest: readonly string[]): Problem {
  return problem(
    "definition.missing_asset",
    at,
    `The check ${check.name} of team ${at.team} checks ${check.asset}, but no location defines ${check.asset}.`,
    `${didYouMean(nearest)}Correct the key, or remove the check.`,
  );
}

export function refusedAsset(
  at: DefinitionSite,
  check: CheckDefinition,
  root: { readonly key: string; readonly error: DefinitionError },
): Problem {
  const through = root.key === check.asset ? "" : ` because of ${root.key}`;
  return problem(
    "definition.refused_asset",
    at,
    `The check ${check.name} of team ${at.team} checks ${check.asset}, which is refused${through}: ${root.error.message}`,
    `Mend ${root.key} first (${root.error.code}): ${root.error.hint}`,
  );
}

export function retiredAsset(at: DefinitionSite, check: CheckDefinition): Problem {
  return problem(
    "definition.retired_asset",
    at,
    `The check ${check.name} of team ${at.team} checks ${check.asset}, which its owner no longer defines. It still judges the stored versions.`,
    `Remove the check, or ask team ${teamOf(check.asset)} to define ${check.asset} again.`,
  );
}

export function unexportedAsset(at: DefinitionSite, check: CheckDefinition): Problem {
  const owner = teamOf(check.asset);
  return problem(
    "definition.unexported_asset",
    at,
    `The check ${check.name} of team ${at.team} checks ${check.asset}, which team ${owner} no longer exports to team ${at.team}. It still gates the older edges of team ${at.team}.`,
    `Stop reading and checking ${check.asset}, or ask team ${owner} to export it again.`,
  );
}

export function missingRequiredCheck(
  at: DefinitionSite,
  definition: AssetDefinition,
  reference: { readonly asset: AssetKey; readonly team: string; readonly name: string },
): Problem {
  const { asset, team, name } = reference;
  if (asset !== definition.key) {
    return problem(
      "definition.missing_required_check",
      at,
      `${at.key} requires the check ${name} of team ${team}, but that is a check of ${asset}: it says nothing about a version of ${at.key}. Until then no reader gets a new version.`,
      `Require a check of ${at.key} itself, or remove it from requiredChecks of ${at.key}.`,
    );
  }
  return problem(
    "definition.missing_required_check",
    at,
    `${at.key} requires the check ${name} of team ${team}, but team ${team} does not define it. Until then no reader gets a version that it has not passed.`,
    `Ask team ${team} to define the check ${name} of ${at.key}, or remove it from requiredChecks of ${at.key}.`,
  );
}

export function requiredCheckNotBlocking(at: DefinitionSite, team: string, name: string): Problem {
  return problem(
    "definition.required_check_not_blocking",
    at,
    `${at.key} requires the check ${name} of team ${team}, but that check is not blocking: readers wait for its result, and a bad one does not stop them.`,
    `Ask team ${team} to make the check blocking, or remove it from requiredChecks of ${at.key}.`,
  );
}
