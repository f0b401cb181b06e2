import { ConditionOperand, type AutomationCondition as WireCondition } from "@headgate/proto";
import { ModelError, tickTimes } from "@headgate/model";
import type { AutomationCondition, ConditionTree } from "../when.ts";
import { DefinitionProblem } from "./problem.ts";

/** As the control plane bounds conditions. */
const depthMax = 20;
const partsMax = 200;
const windowsMax = 1_000_000;

/** @throws DefinitionProblem */
export function describeCondition(what: string, { tree }: AutomationCondition): WireCondition {
  let parts = 0;
  const describe = (part: ConditionTree, depth: number): WireCondition => {
    if (depth > depthMax || ++parts > partsMax) {
      throw invalid(
        what,
        `is more than ${depthMax} deep or of more than ${partsMax} parts`,
        "Say it with fewer parts.",
      );
    }
    return { kind: wireKind(what, part, (inner) => describe(inner, depth + 1)) };
  };
  return describe(tree, 1);
}

type Describe = (part: ConditionTree) => WireCondition;

function wireKind(what: string, part: ConditionTree, describe: Describe): NonNullable<WireCondition["kind"]> {
  switch (part.kind) {
    case "onMissing":
      return { $case: "onMissing", value: {} };
    case "eager":
      return { $case: "eager", value: {} };
    case "onCron":
    case "cronTickPassed":
    case "updatedSinceTick": {
      const { cron, timezone } = part;
      checkCron(what, cron, timezone);
      return { $case: part.kind, value: { cron, timezone } };
    }
    case "inLatestTimeWindow": {
      const { count } = part;
      if (!Number.isSafeInteger(count) || count < 1 || count > windowsMax) {
        throw invalid(
          what,
          `asks for the newest ${count} time windows`,
          `Write a whole number from 1 to ${windowsMax}.`,
        );
      }
      return { $case: "inLatestTimeWindow", value: count };
    }
    case "and":
      return { $case: "allOf", value: { of: part.of.map(describe) } };
    case "or":
      return { $case: "anyOf", value: { of: part.of.map(describe) } };
    case "not":
    case "newlyTrue":
    case "anyDeps":
    case "allDeps":
      return { $case: part.kind, value: describe(part.of) };
    case "since":
      return { $case: "since", value: { of: describe(part.of), reset: describe(part.reset) } };
    case "filtered":
      return {
        $case: "filtered",
        value: { of: describe(part.of), allow: part.allow ?? "", ignore: part.ignore ?? "" },
      };
    case "missing":
    case "inProgress":
    case "failed":
    case "checkPending":
    case "checkFailed":
    case "codeVersionChanged":
    case "gateOpen":
    case "newlyRequested":
    case "newlyMaterialized":
    case "requestedBefore":
    case "initialEvaluation":
    case "updated":
    case "onItsWay":
      return { $case: "operand", value: operands[part.kind] };
  }
}

const operands = {
  missing: ConditionOperand.CONDITION_OPERAND_MISSING,
  inProgress: ConditionOperand.CONDITION_OPERAND_IN_PROGRESS,
  failed: ConditionOperand.CONDITION_OPERAND_FAILED,
  checkPending: ConditionOperand.CONDITION_OPERAND_CHECK_PENDING,
  checkFailed: ConditionOperand.CONDITION_OPERAND_CHECK_FAILED,
  codeVersionChanged: ConditionOperand.CONDITION_OPERAND_CODE_VERSION_CHANGED,
  gateOpen: ConditionOperand.CONDITION_OPERAND_GATE_OPEN,
  newlyRequested: ConditionOperand.CONDITION_OPERAND_NEWLY_REQUESTED,
  newlyMaterialized: ConditionOperand.CONDITION_OPERAND_NEWLY_MATERIALIZED,
  requestedBefore: ConditionOperand.CONDITION_OPERAND_REQUESTED_BEFORE,
  initialEvaluation: ConditionOperand.CONDITION_OPERAND_INITIAL_EVALUATION,
  updated: ConditionOperand.CONDITION_OPERAND_UPDATED,
  onItsWay: ConditionOperand.CONDITION_OPERAND_ON_ITS_WAY,
} as const;

function checkCron(what: string, cron: string, timezone: string): void {
  try {
    tickTimes([cron], timezone);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw invalid(
      what,
      `is not valid: ${error.message}`,
      `${error.hint[0]?.toUpperCase() ?? ""}${error.hint.slice(1)}.`,
    );
  }
}

function invalid(what: string, problem: string, hint: string): DefinitionProblem {
  return new DefinitionProblem("definition.condition_invalid", `The automation condition of ${what} ${problem}.`, hint);
}
