import type { Condition } from "./condition.ts";

/** A condition on one line, much as it is written in code: `eager or onCron("0 6 * * *", "UTC")`. */
export function conditionLine(condition: Condition): string {
  switch (condition.kind) {
    case "and":
    case "or":
      return condition.of.map(inner).join(` ${condition.kind} `);
    case "not":
      return `not ${inner(condition.of)}`;
    case "newlyTrue":
    case "anyDeps":
    case "allDeps":
      return `${condition.kind}(${conditionLine(condition.of)})`;
    case "since":
      return `${inner(condition.of)} since ${inner(condition.reset)}`;
    case "filtered": {
      const { allow, ignore } = condition;
      const filters = [
        ...(allow === undefined ? [] : [`allow ${JSON.stringify(allow)}`]),
        ...(ignore === undefined ? [] : [`ignore ${JSON.stringify(ignore)}`]),
      ];
      return `${inner(condition.of)} ${filters.join(" ")}`;
    }
    case "onCron":
    case "cronTickPassed":
    case "updatedSinceTick":
      return `${condition.kind}(${JSON.stringify(condition.cron)}, ${JSON.stringify(condition.timezone)})`;
    case "inLatestTimeWindow":
      return `inLatestTimeWindow(${condition.count})`;
    case "onMissing":
    case "eager":
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
    case "notRequestedYet":
    case "updated":
    case "onItsWay":
      return condition.kind;
  }
}

const compound: ReadonlySet<Condition["kind"]> = new Set<Condition["kind"]>(["and", "or", "since", "filtered"]);

/** In parentheses where it could be read otherwise. */
function inner(condition: Condition): string {
  const line = conditionLine(condition);
  return compound.has(condition.kind) ? `(${line})` : line;
}
