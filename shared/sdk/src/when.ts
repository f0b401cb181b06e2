import { type DependencySelection, selectionText } from "./dependency-selection.ts";

/** A five-field cron and an IANA zone. */
interface CronTicks {
  readonly cron: string;
  readonly timezone: string;
}

/** A condition as data. */
export type ConditionTree =
  | {
      readonly kind:
        | "onMissing"
        | "eager"
        | "missing"
        | "inProgress"
        | "failed"
        | "checkPending"
        | "checkFailed"
        | "codeVersionChanged"
        | "gateOpen"
        | "newlyRequested"
        | "newlyMaterialized"
        | "requestedBefore"
        | "initialEvaluation"
        | "updated"
        | "onItsWay";
    }
  | ({ readonly kind: "onCron" | "cronTickPassed" | "updatedSinceTick" } & CronTicks)
  | { readonly kind: "inLatestTimeWindow"; readonly count: number }
  | { readonly kind: "and" | "or"; readonly of: readonly ConditionTree[] }
  | { readonly kind: "not" | "newlyTrue" | "anyDeps" | "allDeps"; readonly of: ConditionTree }
  | { readonly kind: "since"; readonly of: ConditionTree; readonly reset: ConditionTree }
  | { readonly kind: "filtered"; readonly of: ConditionTree; readonly allow?: string; readonly ignore?: string };

/**
 * When the control plane requests an asset by itself, made with `when`. Whatever it says, a partition is requested only
 * while its gate is open, no run is making it, and nothing like it was requested before; what it wants behind a closed gate
 * is requested once the gate opens.
 */
export class AutomationCondition {
  readonly kind = "automationCondition";
  readonly tree: ConditionTree;

  constructor(tree: ConditionTree) {
    this.tree = tree;
  }

  /** True where both are. */
  and(other: AutomationCondition): AutomationCondition {
    return new AutomationCondition({ kind: "and", of: [this.tree, other.tree] });
  }

  /** True where one is. */
  or(other: AutomationCondition): AutomationCondition {
    return new AutomationCondition({ kind: "or", of: [this.tree, other.tree] });
  }

  /** True where it is not. */
  not(): AutomationCondition {
    return new AutomationCondition({ kind: "not", of: this.tree });
  }

  /** True from when this is, until `reset` is; where both are, `reset` wins. */
  since(reset: AutomationCondition): AutomationCondition {
    return new AutomationCondition({ kind: "since", of: this.tree, reset: reset.tree });
  }

  /** True in the evaluation in which this becomes true, and not in the next. */
  newlyTrue(): AutomationCondition {
    return new AutomationCondition({ kind: "newlyTrue", of: this.tree });
  }

  /** Looks at these dependencies alone, wherever it looks at dependencies. The gate is not concerned. */
  allow(dependencies: DependencySelection): AutomationCondition {
    return new AutomationCondition({ kind: "filtered", of: this.tree, allow: selectionText(dependencies) });
  }

  /** Looks at all dependencies but these, wherever it looks at dependencies. The gate is not concerned. */
  ignore(dependencies: DependencySelection): AutomationCondition {
    return new AutomationCondition({ kind: "filtered", of: this.tree, ignore: selectionText(dependencies) });
  }
}

/** What is said of a dependency, for `when.anyDeps` and `when.allDeps`. */
export class DependencyCondition {
  readonly kind = "dependencyCondition";
  readonly tree: ConditionTree;

  constructor(tree: ConditionTree) {
    this.tree = tree;
  }

  /** True where both are. */
  and(other: DependencyCondition | AssetCondition): DependencyCondition {
    return new DependencyCondition({ kind: "and", of: [this.tree, other.tree] });
  }

  /** True where one is. */
  or(other: DependencyCondition | AssetCondition): DependencyCondition {
    return new DependencyCondition({ kind: "or", of: [this.tree, other.tree] });
  }

  /** True where it is not. */
  not(): DependencyCondition {
    return new DependencyCondition({ kind: "not", of: this.tree });
  }
}

/** That a dependency was updated: it stands alone in `when.anyDeps` or `when.allDeps`. */
export class UpdatedCondition {
  readonly kind = "updatedCondition";
  readonly tree: ConditionTree = { kind: "updated" };
}

/** What can be said of the asset itself as well as of a dependency. */
export class AssetCondition extends AutomationCondition {
  /** Tells it from other conditions, for the compiler. */
  readonly ofAnyAsset = true;

  override not(): AssetCondition {
    return new AssetCondition({ kind: "not", of: this.tree });
  }

  override and(other: AssetCondition): AssetCondition;
  override and(other: AutomationCondition): AutomationCondition;
  override and(other: AutomationCondition): AutomationCondition {
    const tree: ConditionTree = { kind: "and", of: [this.tree, other.tree] };
    return other instanceof AssetCondition ? new AssetCondition(tree) : new AutomationCondition(tree);
  }

  override or(other: AssetCondition): AssetCondition;
  override or(other: AutomationCondition): AutomationCondition;
  override or(other: AutomationCondition): AutomationCondition {
    const tree: ConditionTree = { kind: "or", of: [this.tree, other.tree] };
    return other instanceof AssetCondition ? new AssetCondition(tree) : new AutomationCondition(tree);
  }
}

type OfDependency = DependencyCondition | AssetCondition | UpdatedCondition;

const own = (tree: ConditionTree): AutomationCondition => new AutomationCondition(tree);
const ofAsset = (tree: ConditionTree): AssetCondition => new AssetCondition(tree);
const anyDeps = (condition: OfDependency): AutomationCondition => own({ kind: "anyDeps", of: condition.tree });
const updated = new UpdatedCondition();

/** Conditions under which the control plane requests an asset by itself: `automation: when.eager()`. */
export const when = Object.freeze({
  /** Requests what has no version, once its gate is open and nothing upstream is still to come. */
  onMissing: (): AutomationCondition => own({ kind: "onMissing" }),
  /** As `onMissing`, and also where something upstream became open in a version that it was not made from yet. */
  eager: (): AutomationCondition => own({ kind: "eager" }),
  /**
   * After every tick of a cron, once everything upstream has become open since that tick; of time windows the newest alone.
   *
   * @param cron five fields, minute hour day month weekday
   * @param timezone IANA name
   */
  onCron: (cron: string, timezone = "UTC"): AutomationCondition => own({ kind: "onCron", cron, timezone }),

  /** It has no version. */
  missing: (): AssetCondition => ofAsset({ kind: "missing" }),
  /** A run that has not ended is to make it. */
  inProgress: (): AssetCondition => ofAsset({ kind: "inProgress" }),
  /** Its last step failed, after its newest version. */
  failed: (): AssetCondition => ofAsset({ kind: "failed" }),
  /** A check of its newest version has no result yet. */
  checkPending: (): AssetCondition => ofAsset({ kind: "checkPending" }),
  /** A check of its newest version failed. */
  checkFailed: (): AssetCondition => ofAsset({ kind: "checkFailed" }),
  /** Its newest version was made by other code than is defined now. */
  codeVersionChanged: (): AssetCondition => ofAsset({ kind: "codeVersionChanged" }),
  /** It is one of the newest `count` time windows; true for every partition that is no time window. */
  inLatestTimeWindow: (count = 1): AssetCondition => ofAsset({ kind: "inLatestTimeWindow", count }),

  /** Everything that it reads may be read now. Every condition waits for that; here it can be part of another. */
  gateOpen: (): AutomationCondition => own({ kind: "gateOpen" }),
  /** A cron has ticked since it was last requested or made. Ticks before the condition was first seen do not count. */
  cronTickPassed: (cron: string, timezone = "UTC"): AutomationCondition =>
    own({ kind: "cronTickPassed", cron, timezone }),
  /** The evaluation before this one requested it. */
  newlyRequested: (): AutomationCondition => own({ kind: "newlyRequested" }),
  /** A version of it was recorded since the evaluation before, whoever asked for it. */
  newlyMaterialized: (): AutomationCondition => own({ kind: "newlyMaterialized" }),
  /** A condition requested it before, under the same definition. */
  requestedBefore: (): AutomationCondition => own({ kind: "requestedBefore" }),
  /** The condition is evaluated for the first time. */
  initialEvaluation: (): AutomationCondition => own({ kind: "initialEvaluation" }),

  /** One partition that it reads, of any dependency, is so. */
  anyDeps,
  /** Of every dependency one partition that it reads is so. */
  allDeps: (condition: OfDependency): AutomationCondition => own({ kind: "allDeps", of: condition.tree }),
  /** Of a dependency: it became open in a version that the reader was neither made from nor requested for. */
  updated: (): UpdatedCondition => updated,
  /** Of a dependency: it became open in the version that would be read, after the newest tick of a cron. */
  updatedSinceTick: (cron: string, timezone = "UTC"): DependencyCondition =>
    new DependencyCondition({ kind: "updatedSinceTick", cron, timezone }),
  /** Of a dependency: it is being made or checked, or would be requested once what it reads itself has arrived. */
  onItsWay: (): DependencyCondition => new DependencyCondition({ kind: "onItsWay" }),
  /** Something that it reads was updated: `when.anyDeps(when.updated())`. */
  anyDepsUpdated: (): AutomationCondition => anyDeps(updated),
  /** Something that it reads is missing: `when.anyDeps(when.missing())`. */
  anyDepsMissing: (): AutomationCondition => anyDeps(ofAsset({ kind: "missing" })),
  /** Something that it reads is on its way: `when.anyDeps(when.onItsWay())`. */
  anyDepsOnTheirWay: (): AutomationCondition => anyDeps(new DependencyCondition({ kind: "onItsWay" })),
});
