import type { ModelError } from "@headgate/model";
import { type DefinitionSite, type Problem, problem } from "./definition-problems.ts";

export function duplicateSchedule(at: DefinitionSite, location: string): Problem {
  return problem(
    "definition.duplicate_schedule",
    at,
    `The schedule ${at.key} is defined in location ${location} too, which comes first.`,
    "Rename or remove one of the two.",
  );
}

export function invalidTimes(at: DefinitionSite, error: ModelError): Problem {
  return problem("definition.invalid_cron", at, `The schedule ${at.key}: ${error.message}.`, `${error.hint}.`);
}

export function invalidTarget(at: DefinitionSite, message: string, hint: string): Problem {
  return problem("definition.invalid_target", at, `The target of schedule ${at.key} cannot be read: ${message}`, hint);
}

export function statusInTarget(at: DefinitionSite): Problem {
  return problem(
    "definition.invalid_target",
    at,
    `The target of schedule ${at.key} selects by status, which is another one at every tick.`,
    "Select by team:, group:, tag: or key; a condition such as when.onMissing() looks at what there is.",
  );
}

export function missingTarget(at: DefinitionSite, key: string, nearest: readonly string[]): Problem {
  const near = nearest.length === 0 ? "" : `Did you mean ${nearest.join(" or ")}? `;
  return problem(
    "definition.missing_target",
    at,
    `The schedule ${at.key} launches ${key}, which no code location defines. Its ticks fail until one does.`,
    `${near}Define it, or take it out of the target.`,
  );
}

export function refusedTarget(at: DefinitionSite, key: string, cause: { readonly message: string }): Problem {
  return problem(
    "definition.refused_target",
    at,
    `The schedule ${at.key} launches ${key}, which is refused, and its ticks fail: ${cause.message}`,
    `Mend ${key}.`,
  );
}

export function targetOfAnotherTeam(at: DefinitionSite, key: string): Problem {
  return problem(
    "definition.target_of_another_team",
    at,
    `The schedule ${at.key} names ${key}, which is not of team ${at.team}: it is left out of its runs.`,
    "A schedule launches assets of its own team. Take it out of the target, or ask its team for a schedule.",
  );
}
