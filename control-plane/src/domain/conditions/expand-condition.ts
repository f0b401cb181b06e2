import type { BuiltIn, Condition } from "./condition.ts";

/*
 * The built-in conditions in the algebra, and the guards around every condition.
 *
 * - `onMissing`: missing, and nothing that it reads is on its way; so a reader of many partitions is made once, from all
 *   that can be had.
 * - `eager`: the same, and also where something that it reads was updated.
 * - `onCron`: a tick has passed, everything that it reads became open since, and nothing more is on its way. Of time
 *   windows the newest alone.
 *
 * Guards: the gate is open, no run is making it, and a request like it was not made before. A condition cannot be written
 * without them: what it wants behind a closed gate is requested once the gate opens, and what fails is not requested again
 * and again.
 */

const nothingOnItsWay: Condition = { kind: "not", of: { kind: "anyDeps", of: { kind: "onItsWay" } } };
const missing: Condition = { kind: "missing" };
const anyUpdated: Condition = { kind: "anyDeps", of: { kind: "updated" } };

const guards: readonly Condition[] = [
  { kind: "gateOpen" },
  { kind: "not", of: { kind: "inProgress" } },
  { kind: "notRequestedYet" },
];

/** What a built-in condition is made of. */
export function expanded(condition: BuiltIn): Condition {
  switch (condition.kind) {
    case "onMissing":
      return { kind: "and", of: [missing, nothingOnItsWay] };
    case "eager":
      return { kind: "and", of: [{ kind: "or", of: [missing, anyUpdated] }, nothingOnItsWay] };
    case "onCron": {
      const { cron, timezone } = condition;
      return {
        kind: "and",
        of: [
          { kind: "cronTickPassed", cron, timezone },
          { kind: "inLatestTimeWindow", count: 1 },
          { kind: "allDeps", of: { kind: "updatedSinceTick", cron, timezone } },
          nothingOnItsWay,
        ],
      };
    }
  }
}

/** The condition with the guards that no request goes without. */
export function guarded(condition: Condition): Condition {
  return { kind: "and", of: [condition, ...guards] };
}
