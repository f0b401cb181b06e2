/*
 * A condition as data: when the control plane requests partitions of an asset by itself. It is a tree; each part of it is
 * true for some partitions of the asset. `expand-condition.ts` says what the built-in ones are made of,
 * `evaluate-condition.ts` what each part is true for.
 */

/** A five-field cron and an IANA zone. */
export interface CronTicks {
  readonly cron: string;
  readonly timezone: string;
}

/** What can be said of an asset and of what it reads. */
export type AssetOperand =
  /** It has no version that counts. */
  | { readonly kind: "missing" }
  /** A run that has not ended is to make it. */
  | { readonly kind: "inProgress" }
  /** The last step that was to make it failed, after its newest version. */
  | { readonly kind: "failed" }
  /** A check of its newest version has no result yet. */
  | { readonly kind: "checkPending" }
  /** A check of its newest version failed. */
  | { readonly kind: "checkFailed" }
  /** Its newest version was made by other code than is defined now. */
  | { readonly kind: "codeVersionChanged" }
  /** It is one of the newest so many time windows; without time windows every partition is. */
  | { readonly kind: "inLatestTimeWindow"; readonly count: number };

/** What can be said of the asset that has the condition. */
export type OwnOperand =
  /** Everything that it reads may be read now. */
  | { readonly kind: "gateOpen" }
  /** A tick has passed since it was last requested or made, and it was there by then. */
  | ({ readonly kind: "cronTickPassed" } & CronTicks)
  /** The evaluation before this one requested it. */
  | { readonly kind: "newlyRequested" }
  /** A version of it was recorded since the evaluation before, whoever asked for it. */
  | { readonly kind: "newlyMaterialized" }
  /** A condition requested it before, under the same definition; a request that a gate blocked does not count. */
  | { readonly kind: "requestedBefore" }
  /** The condition is evaluated for the first time. */
  | { readonly kind: "initialEvaluation" }
  /** Not requested before; or something that it reads was updated, or a tick has passed, since. */
  | { readonly kind: "notRequestedYet" };

/** What can be said of what an asset reads, as its reader sees it. */
export type DependencyOperand =
  /** It became open in a version that the reader has neither been made from nor been requested for. */
  | { readonly kind: "updated" }
  /** The version that the reader would read became open after the newest tick. */
  | ({ readonly kind: "updatedSinceTick" } & CronTicks)
  /** It is being made or checked, or would be requested once what it reads itself has arrived. */
  | { readonly kind: "onItsWay" };

/** Leaves out dependencies on assets outside `allow`, and those in `ignore`: selections, as text. */
export interface DependencyFilter {
  readonly allow?: string;
  readonly ignore?: string;
}

export type BuiltIn =
  { readonly kind: "onMissing" } | { readonly kind: "eager" } | ({ readonly kind: "onCron" } & CronTicks);

export type Condition =
  | BuiltIn
  | AssetOperand
  | OwnOperand
  | DependencyOperand
  | { readonly kind: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition }
  /** True from when `of` is until `reset` is; where both are, `reset` wins. */
  | { readonly kind: "since"; readonly of: Condition; readonly reset: Condition }
  /** True in the evaluation in which `of` becomes true. */
  | { readonly kind: "newlyTrue"; readonly of: Condition }
  /** True if one partition that is read, of any dependency or of each, is so. */
  | { readonly kind: "anyDeps" | "allDeps"; readonly of: Condition }
  /** Every `anyDeps` and `allDeps` inside looks at some dependencies alone. */
  | ({ readonly kind: "filtered"; readonly of: Condition } & DependencyFilter);

/** How deep and how large a condition may be. */
export const conditionBounds = { depthMax: 20, partsMax: 200 } as const;

/** What a condition is made of, directly. */
export function partsOf(condition: Condition): readonly Condition[] {
  switch (condition.kind) {
    case "and":
    case "or":
      return condition.of;
    case "not":
    case "newlyTrue":
    case "anyDeps":
    case "allDeps":
    case "filtered":
      return [condition.of];
    case "since":
      return [condition.of, condition.reset];
    case "onMissing":
    case "eager":
    case "onCron":
    case "missing":
    case "inProgress":
    case "failed":
    case "checkPending":
    case "checkFailed":
    case "codeVersionChanged":
    case "inLatestTimeWindow":
    case "gateOpen":
    case "cronTickPassed":
    case "newlyRequested":
    case "newlyMaterialized":
    case "requestedBefore":
    case "initialEvaluation":
    case "notRequestedYet":
    case "updated":
    case "updatedSinceTick":
    case "onItsWay":
      return [];
  }
}

/** The condition and all parts of it, outermost first. */
export function* allParts(condition: Condition): Generator<Condition> {
  yield condition;
  for (const part of partsOf(condition)) yield* allParts(part);
}

/** Every cron that a condition names, each once. */
export function cronsOf(condition: Condition): readonly CronTicks[] {
  const crons = new Map<string, CronTicks>();
  for (const part of allParts(condition)) {
    if ("cron" in part) crons.set(`${part.timezone} ${part.cron}`, { cron: part.cron, timezone: part.timezone });
  }
  return [...crons.values()];
}
