import { ModelError } from "@headgate/model";
import { parseSelection } from "../selection.ts";
import { type Condition, partsOf } from "./condition.ts";
import { lastTickMs } from "./cron-ticks.ts";

/** What is wrong with a condition, in words that follow "The automation condition of x ". */
export interface ConditionProblem {
  readonly message: string;
  readonly hint: string;
}

/** Why a condition cannot be evaluated; `undefined` if it can. */
export function conditionProblem(condition: Condition): ConditionProblem | undefined {
  return ownProblem(condition);
}

function ownProblem(condition: Condition): ConditionProblem | undefined {
  switch (condition.kind) {
    case "updated":
    case "updatedSinceTick":
    case "onItsWay":
      return {
        message: `says ${condition.kind} of the asset itself, which is said of dependencies alone.`,
        hint: `Write when.anyDeps(when.${condition.kind}(...)).`,
      };
    case "anyDeps":
    case "allDeps":
      return condition.of.kind === "updated" ? undefined : dependencyProblem(condition.of);
    case "onCron":
    case "cronTickPassed":
      return cronProblem(condition);
    case "and":
    case "or":
      if (condition.of.length === 0) return { message: "has an empty list of parts.", hint: "Give it a part." };
      break;
    case "filtered": {
      const problem = selectionProblem(condition.allow) ?? selectionProblem(condition.ignore);
      if (problem !== undefined) return problem;
      break;
    }
    default:
      break;
  }
  return firstProblem(partsOf(condition), ownProblem);
}

function dependencyProblem(condition: Condition): ConditionProblem | undefined {
  switch (condition.kind) {
    case "and":
    case "or":
      if (condition.of.length === 0) return { message: "has an empty list of parts.", hint: "Give it a part." };
      return firstProblem(condition.of, dependencyProblem);
    case "not":
      return dependencyProblem(condition.of);
    case "missing":
    case "inProgress":
    case "failed":
    case "checkPending":
    case "checkFailed":
    case "codeVersionChanged":
    case "inLatestTimeWindow":
    case "onItsWay":
      return undefined;
    case "updatedSinceTick":
      return cronProblem(condition);
    default:
      return {
        message: `says ${condition.kind} of a dependency${condition.kind === "updated" ? " among other things" : ""}.`,
        hint:
          condition.kind === "updated"
            ? "Let when.updated() stand alone, and join when.anyDeps(when.updated()) with the rest."
            : "Join it with when.anyDeps(...) instead of putting it inside.",
      };
  }
}

function firstProblem(
  parts: readonly Condition[],
  problemOf: (part: Condition) => ConditionProblem | undefined,
): ConditionProblem | undefined {
  for (const part of parts) {
    const problem = problemOf(part);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function cronProblem(condition: Extract<Condition, { cron: string }>): ConditionProblem | undefined {
  try {
    lastTickMs(condition, 0);
    return undefined;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { message: `is not valid: ${error.message}.`, hint: error.hint };
  }
}

function selectionProblem(selection: string | undefined): ConditionProblem | undefined {
  if (selection === undefined) return undefined;
  const parsed = parseSelection(selection);
  if (parsed.ok) return undefined;
  const message = `has a selection that cannot be read, ${JSON.stringify(selection)}: ${parsed.message}`;
  return { message, hint: parsed.hint };
}
