import * as wire from "@headgate/proto";
import { type Condition, type CronTicks, conditionBounds } from "../domain/conditions/condition.ts";
import { exactText, requiredText } from "./bounded-text.ts";
import { WireError, missingField, unknownEnum } from "./wire-error.ts";

/** @throws WireError for what is too deep, too large, or not known to this control plane */
export function decodeCondition(condition: wire.AutomationCondition): Condition {
  let parts = 0;
  const { depthMax, partsMax } = conditionBounds;
  const decode = (part: wire.AutomationCondition | undefined, depth: number): Condition => {
    if (depth > depthMax || ++parts > partsMax) {
      const message = `an automation condition is more than ${depthMax} deep or of more than ${partsMax} parts`;
      throw new WireError("wire.too_large", message);
    }
    return decodePart(part?.kind, (inner) => decode(inner, depth + 1));
  };
  return decode(condition, 1);
}

type Decode = (part: wire.AutomationCondition | undefined) => Condition;

function decodePart(kind: wire.AutomationCondition["kind"], decode: Decode): Condition {
  switch (kind?.$case) {
    case "onMissing":
    case "eager":
      return { kind: kind.$case };
    case "onCron":
    case "cronTickPassed":
    case "updatedSinceTick":
      return { kind: kind.$case, ...cronTicks(kind.value) };
    case "allOf":
      return { kind: "and", of: kind.value.of.map(decode) };
    case "anyOf":
      return { kind: "or", of: kind.value.of.map(decode) };
    case "not":
    case "newlyTrue":
    case "anyDeps":
    case "allDeps":
      return { kind: kind.$case, of: decode(kind.value) };
    case "since":
      return { kind: "since", of: decode(kind.value.of), reset: decode(kind.value.reset) };
    case "filtered": {
      const allow = exactText("allow", kind.value.allow, selectionLengthMax);
      const ignore = exactText("ignore", kind.value.ignore, selectionLengthMax);
      const filter = { ...(allow === "" ? {} : { allow }), ...(ignore === "" ? {} : { ignore }) };
      return { kind: "filtered", of: decode(kind.value.of), ...filter };
    }
    case "inLatestTimeWindow":
      if (kind.value < 1) throw new WireError("wire.out_of_range", "in_latest_time_window is 0, of at least 1");
      return { kind: "inLatestTimeWindow", count: kind.value };
    case "operand":
      return operand(kind.value);
    case undefined:
      throw missingField("the kind of the automation condition");
  }
}

const selectionLengthMax = 4_096;

function cronTicks({ cron, timezone }: wire.CronTicks): CronTicks {
  return { cron: requiredText("a cron", cron), timezone: requiredText("the timezone of a cron", timezone) };
}

function operand(value: wire.ConditionOperand): Condition {
  switch (value) {
    case wire.ConditionOperand.CONDITION_OPERAND_MISSING:
      return { kind: "missing" };
    case wire.ConditionOperand.CONDITION_OPERAND_IN_PROGRESS:
      return { kind: "inProgress" };
    case wire.ConditionOperand.CONDITION_OPERAND_FAILED:
      return { kind: "failed" };
    case wire.ConditionOperand.CONDITION_OPERAND_CHECK_PENDING:
      return { kind: "checkPending" };
    case wire.ConditionOperand.CONDITION_OPERAND_CHECK_FAILED:
      return { kind: "checkFailed" };
    case wire.ConditionOperand.CONDITION_OPERAND_CODE_VERSION_CHANGED:
      return { kind: "codeVersionChanged" };
    case wire.ConditionOperand.CONDITION_OPERAND_GATE_OPEN:
      return { kind: "gateOpen" };
    case wire.ConditionOperand.CONDITION_OPERAND_NEWLY_REQUESTED:
      return { kind: "newlyRequested" };
    case wire.ConditionOperand.CONDITION_OPERAND_NEWLY_MATERIALIZED:
      return { kind: "newlyMaterialized" };
    case wire.ConditionOperand.CONDITION_OPERAND_REQUESTED_BEFORE:
      return { kind: "requestedBefore" };
    case wire.ConditionOperand.CONDITION_OPERAND_INITIAL_EVALUATION:
      return { kind: "initialEvaluation" };
    case wire.ConditionOperand.CONDITION_OPERAND_UPDATED:
      return { kind: "updated" };
    case wire.ConditionOperand.CONDITION_OPERAND_ON_ITS_WAY:
      return { kind: "onItsWay" };
    case wire.ConditionOperand.CONDITION_OPERAND_UNSPECIFIED:
    case wire.ConditionOperand.UNRECOGNIZED:
      break;
  }
  // The generated code hands on numbers that it does not know as they are.
  throw unknownEnum("an operand of an automation condition", value);
}
