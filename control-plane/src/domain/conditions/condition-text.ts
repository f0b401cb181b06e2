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

const ofDependency: Partial<Record<Condition["kind"], string>> = {
  updated: "is updated",
  onItsWay: "is on its way",
  missing: "is missing",
  inProgress: "is being made",
  failed: "has failed",
  checkPending: "has a check that has not ended yet",
  checkFailed: "has a check that failed",
  codeVersionChanged: "was made by other code",
};

/** What is said of a dependency, to follow "any dependency" or "every dependency". */
function dependencyText(condition: Condition): string {
  if (condition.kind === "updatedSinceTick") return `is updated since cron ${cronText(condition)} ticked`;
  if (condition.kind === "inLatestTimeWindow") return `is ${conditionText(condition)}`;
  if (condition.kind === "not") return `not (${dependencyText(condition.of)})`;
  if (condition.kind === "and" || condition.kind === "or") {
    return condition.of.map(dependencyText).join(` ${condition.kind} `);
  }
  return ofDependency[condition.kind] ?? condition.kind;
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
