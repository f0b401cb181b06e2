import type { AssetKey } from "@headgate/model";
import { teamOf } from "@headgate/model";
import { type DefinitionSite, type Problem, problem } from "./definition-problems.ts";
import type { CheckDefinition, Dependency } from "./definitions.ts";

/* What is said of keys that an asset had before. */

export function invalidFormerKey(at: DefinitionSite, former: AssetKey): Problem {
  return former === at.key
    ? problem(
        "definition.invalid_former_key",
        at,
        `${at.key} says that it was formerly ${former}, which is its own key.`,
        "Remove formerly, or name the key that it had before.",
      )
    : problem(
        "definition.invalid_former_key",
        at,
        `${at.key} says that it was formerly ${former}, which belongs to team ${teamOf(former)}: a history never leaves its team.`,
        "Remove formerly: a new key begins a new history.",
      );
}

export function formerKeyDefined(at: DefinitionSite, former: AssetKey, location: string): Problem {
  return problem(
    "definition.former_key_defined",
    at,
    `${at.key} takes over the history of ${former}, which location ${location} still defines.`,
    `Remove ${former} from ${location}, or formerly from ${at.key}: one history has one key.`,
  );
}

export function formerKeyTaken(at: DefinitionSite, former: AssetKey, first: AssetKey): Problem {
  return problem(
    "definition.former_key_taken",
    at,
    `${at.key} says that it was formerly ${former}, and so does ${first}. The first one by key counts.`,
    "Remove formerly from one of the two: one history has one key.",
  );
}

export function keyOfRenamed(at: DefinitionSite, now: AssetKey): Problem {
  return problem(
    "definition.key_of_renamed",
    at,
    `Location ${at.location} defines ${at.key}, which is the former key of ${now}.`,
    `Give it another key, or remove ${now}: then ${at.key} has its history back.`,
  );
}

export function historyInFlight(at: DefinitionSite, former: AssetKey): Problem {
  return problem(
    "definition.history_in_flight",
    at,
    `${at.key} takes over the history of ${former}, of which steps have not ended yet.`,
    `It is served as soon as they have: npx headgate run list --asset ${former}`,
  );
}

export function historyExists(at: DefinitionSite, former: AssetKey): Problem {
  return problem(
    "definition.history_exists",
    at,
    `${at.key} says that it was formerly ${former}, and both have versions: two histories are not mixed.`,
    `Remove formerly from ${at.key}, or give it a key that has no versions.`,
  );
}

export function renamedUpstream(at: DefinitionSite, dependency: Dependency, now: AssetKey): Problem {
  return problem(
    "definition.renamed_upstream",
    at,
    `${at.key} reads ${dependency.asset} (as "${dependency.name}"), which is called ${now} now.`,
    `Read ${now}: it has the versions, results and waivers of ${dependency.asset}.`,
  );
}

export function renamedAsset(at: DefinitionSite, check: CheckDefinition, now: AssetKey): Problem {
  return problem(
    "definition.renamed_asset",
    at,
    `The check ${check.name} of team ${at.team} checks ${check.asset}, which is called ${now} now.`,
    `Check ${now}: the results so far are there.`,
  );
}
