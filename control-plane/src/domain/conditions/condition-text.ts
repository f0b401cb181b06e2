import type { Condition, CronTicks, DependencyFilter } from "./condition.ts";

/** A part of a condition in a few words, as it is shown in a tree. */
export function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case "onMissing":
      return "on missing";
    case "eager":
      return "eager";
    case "onCron":
      return `on cron ${cronText(condition)}`;
    case "and":
      return "all of";
    case "or":
      return "any of";
    case "not":
      return "not";
    case "since":
      return "since the first, until the second";
    case "newlyTrue":
      return "newly true";
    case "filtered":
      return filterText(condition);
    case "anyDeps":
      return `any dependency ${dependencyText(condition.of)}`;
    case "allDeps":
      return `every dependency ${dependencyText(condition.of)}`;
    case "missing":
      return "missing";
    case "inProgress":
      return "being made";
    case "failed":
      return "its last step failed";
    case "checkPending":
      return "a check has not ended yet";
    case "checkFailed":
      return "a check failed";
    case "codeVersionChanged":
      return "made by other code";
    case "inLatestTimeWindow":
      return condition.count === 1 ? "in the latest time window" : `in the latest ${condition.count} time windows`;
    case "gateOpen":
      return "its gate is open";
    case "cronTickPassed":
      return `cron ${cronText(condition)} has ticked`;
    case "newlyRequested":
      return "requested by the evaluation before";
    case "newlyMaterialized":
      return "made since the evaluation before";
    case "requestedBefore":
      return "requested before";
    case "initialEvaluation":
      return "evaluated for the first time";
    case "notRequestedYet":
      return "not requested like this before";
    case "updated":
    case "updatedSinceTick":
    case "onItsWay":
      return dependencyText(condition);
  }
}

/** What is said of a dependency, to follow "any dependency" or "every dependency". */
function dependencyText(condition: Condition): string {
  switch (condition.kind) {
    case "updated":
      return "is updated";
    case "updatedSinceTick":
      return `is updated since cron ${cronText(condition)} ticked`;
    case "onItsWay":
      return "is on its way";
    case "missing":
      return "is missing";
    case "inProgress":
      return "is being made";
    case "failed":
      return "has failed";
    case "checkPending":
      return "has a check that has not ended yet";
    case "checkFailed":
      return "has a check that failed";
    case "codeVersionChanged":
      return "was made by other code";
    case "inLatestTimeWindow":
      return `is ${conditionText(condition)}`;
    case "not":
      return `not (${dependencyText(condition.of)})`;
    case "and":
      return condition.of.map(dependencyText).join(" and ");
    case "or":
      return condition.of.map(dependencyText).join(" or ");
    default:
      return conditionText(condition);
  }
}

function cronText({ cron, timezone }: CronTicks): string {
  return `"${cron}" in ${timezone}`;
}

function filterText({ allow, ignore }: DependencyFilter): string {
  const parts = [
    ...(allow === undefined ? [] : [`dependencies in ${allow}`]),
    ...(ignore === undefined ? [] : [`no dependencies in ${ignore}`]),
  ];
  return `looks at ${parts.join(", and at ")}`;
}
