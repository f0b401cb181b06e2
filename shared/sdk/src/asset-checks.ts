import type { AnyAssetCheck } from "./asset-check.ts";
import type { AnySpec, PartitionsOfAsset, ValueOfAsset } from "./asset-spec.ts";
import type { CheckResult } from "./check-result.ts";
import { rememberSite } from "./construction-site.ts";
import type { ComputedCheck } from "./reported-checks.ts";
import type { ResourceMap } from "./resource.ts";
import type { CheckContext } from "./step-context.ts";

/** One check of several that share a function. */
export type GroupedCheck = ComputedCheck;

/** By name: lower-case letters, digits, "_" and "-". */
export type GroupedChecks = Readonly<Record<string, GroupedCheck>>;

/** A verdict for each check. */
export type Verdicts<K extends GroupedChecks> = { readonly [Name in keyof K]: CheckResult | boolean };

/** Several checks of one asset, and the one function that judges them all. */
export interface AssetChecksOptions<A extends AnySpec, K extends GroupedChecks, R extends ResourceMap> {
  /** An asset of this location, or another team's exported spec. */
  readonly asset: A;
  /** Each a check of its own: judged, waived, counted and versioned by itself. */
  readonly checks: K;
  /** Milliseconds for the function, which is called once for all of them. */
  readonly timeoutMs?: number;
  readonly resources?: R;
  /** Judges the stored value, once for all checks. Throwing makes each of them errored. */
  readonly run: (
    value: ValueOfAsset<A>,
    context: CheckContext<PartitionsOfAsset<A>, R>,
  ) => Verdicts<NoInfer<K>> | Promise<Verdicts<NoInfer<K>>>;
}

/** Several checks of one asset whose verdicts one function reaches. */
export interface AssetChecks<
  A extends AnySpec = AnySpec,
  K extends GroupedChecks = GroupedChecks,
  R extends ResourceMap = ResourceMap,
> {
  readonly kind: "assetChecks";
  readonly asset: A;
  readonly checks: K;
  readonly timeoutMs?: number;
  readonly resources: R;
  readonly run: AssetChecksOptions<A, K, R>["run"];
}

/** Any group of checks, where its parameters do not matter. */
export interface AnyAssetChecks extends Omit<AssetChecks, "run"> {
  readonly run: (...parameters: never[]) => unknown;
}

/** Declares several checks of an asset's stored versions that one function judges. Never throws. */
export function assetChecks<A extends AnySpec, K extends GroupedChecks, R extends ResourceMap = Record<never, never>>(
  options: AssetChecksOptions<A, K, R>,
): AssetChecks<A, K, R> {
  const definition = { ...options, kind: "assetChecks", resources: options?.resources ?? {} };
  return rememberSite(definition, assetChecks as () => unknown) as unknown as AssetChecks<A, K, R>;
}

/** A check of a group, as one that can be run by itself. */
export interface GroupMember extends AnyAssetCheck {
  /** Its function is the group's: asked once, it answers for all. */
  readonly group: AnyAssetChecks;
}

/** The checks of a group, each by itself. */
export function groupMembers(group: AnyAssetChecks): GroupMember[] {
  const { asset, checks, timeoutMs, resources, run } = group;
  return Object.entries(checks).map(([name, check]) => ({
    ...(check as Omit<GroupMember, "name">),
    kind: "assetCheck",
    asset,
    name,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    resources,
    run,
    group,
  }));
}

/** Checks by themselves and groups, as a list of checks. */
export function singleChecks(checks: readonly (AnyAssetCheck | AnyAssetChecks)[]): AnyAssetCheck[] {
  return checks.flatMap((check) => (check.kind === "assetChecks" ? groupMembers(check) : [check]));
}
