import { ModelError } from "@headgate/model";
import { parseSelection } from "../selection.ts";
import { type Condition, partsOf } from "./condition.ts";
import { lastTickMs } from "./cron-ticks.ts";

/** What is wrong with a condition, in words that follow "The automation condition of x ". */
export interface ConditionProblem {
  readonly message: string;
  readonly hint: string;
}

/** Said of dependencies alone. */
const ofDependencies: ReadonlySet<Condition["kind"]> = new Set<Condition["kind"]>([
  "updated",
  "updatedSinceTick",
  "onItsWay",
]);
/** Said of whatever asset. */
const ofAnyAsset: ReadonlySet<Condition["kind"]> = new Set<Condition["kind"]>([
  "missing",
  "inProgress",
  "failed",
  "checkPending",
  "checkFailed",
  "codeVersionChanged",
  "inLatestTimeWindow",
]);

/** Why a condition cannot be evaluated; `undefined` if it can. */
export function conditionProblem(condition: Condition): ConditionProblem | undefined {
  const { kind } = condition;
  if (ofDependencies.has(kind)) {
    return {
      message: `says ${kind} of the asset itself, which is said of dependencies alone.`,
      hint: `Write when.anyDeps(when.${kind}(...)).`,
    };
  }
  if (kind === "anyDeps" || kind === "allDeps") {
    return condition.of.kind === "updated" ? undefined : dependencyProblem(condition.of);
  }
  const own =
    "cron" in condition
      ? cronProblem(condition)
      : kind === "and" || kind === "or"
        ? emptyProblem(condition.of)
        : kind === "filtered"
          ? (selectionProblem(condition.allow) ?? selectionProblem(condition.ignore))
          : undefined;
  return own ?? firstProblem(partsOf(condition), conditionProblem);
}

function dependencyProblem(condition: Condition): ConditionProblem | undefined {
  const { kind } = condition;
  if (kind === "and" || kind === "or") {
    return emptyProblem(condition.of) ?? firstProblem(condition.of, dependencyProblem);
  }
  if (kind === "not") return dependencyProblem(condition.of);
  if (kind === "updatedSinceTick") return cronProblem(condition);
  if (kind === "onItsWay" || ofAnyAsset.has(kind)) return undefined;
  if (kind === "updated") {
    return {
      message: "says updated of a dependency among other things.",
      hint: "Let when.updated() stand alone, and join when.anyDeps(when.updated()) with the rest.",
    };
  }
  return {
    message: `says ${kind} of a dependency.`,
    hint: "Join it with when.anyDeps(...) instead of putting it inside.",
  };
}

function emptyProblem(of: readonly Condition[]): ConditionProblem | undefined {
  return of.length > 0 ? undefined : { message: "has an empty list of parts.", hint: "Give it a part." };
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
