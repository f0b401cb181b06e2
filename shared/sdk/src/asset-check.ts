import type { AnySpec, PartitionsOfAsset, ValueOfAsset } from "./asset-spec.ts";
import type { CheckResult, CheckSeverity } from "./check-result.ts";
import { rememberSite } from "./construction-site.ts";
import type { ResourceMap } from "./resource.ts";
import type { CheckContext } from "./step-context.ts";

export type { CheckResult, CheckSeverity } from "./check-result.ts";

/** What a check judges, what its verdict means, and the function that reaches it. */
export interface AssetCheckOptions<A extends AnySpec, R extends ResourceMap> {
  /** An asset of this location, or another team's exported spec. */
  readonly asset: A;
  /** Unique among this team's checks of the asset: lower-case letters, digits and "_". */
  readonly name: string;
  readonly description?: string;
  /** True: while it has not passed, nothing downstream may read the version. Default false. */
  readonly blocking?: boolean;
  /** At least 1 (the default); raise it when older results should no longer count. */
  readonly version?: number;
  /** Versions made before this check was first seen are not judged by it. */
  readonly appliesTo?: "newVersions";
  /** Default "ERROR". */
  readonly severity?: CheckSeverity;
  readonly timeoutMs?: number;
  readonly resources?: R;
  /** Judges the stored value. Throwing makes the check errored, which also keeps the gate shut. */
  readonly run: (
    value: ValueOfAsset<A>,
    context: CheckContext<PartitionsOfAsset<A>, R>,
  ) => CheckResult | boolean | Promise<CheckResult | boolean>;
}

/** A check of one asset with its function, made by `assetCheck`. */
export interface AssetCheck<A extends AnySpec = AnySpec, R extends ResourceMap = ResourceMap> {
  readonly kind: "assetCheck";
  readonly asset: A;
  readonly name: string;
  readonly description?: string;
  readonly blocking?: boolean;
  readonly version?: number;
  readonly appliesTo?: "newVersions";
  readonly severity?: CheckSeverity;
  readonly timeoutMs?: number;
  readonly resources: R;
  readonly run: AssetCheckOptions<A, R>["run"];
}

/** Any check, where its parameters do not matter. */
export interface AnyAssetCheck extends Omit<AssetCheck, "run"> {
  readonly run: (...parameters: never[]) => unknown;
}

/** Declares a check of an asset's stored versions. Never throws. */
export function assetCheck<A extends AnySpec, R extends ResourceMap = Record<never, never>>(
  options: AssetCheckOptions<A, R>,
): AssetCheck<A, R> {
  const definition = { ...options, kind: "assetCheck", resources: options?.resources ?? {} };
  return rememberSite(definition, assetCheck as () => unknown) as unknown as AssetCheck<A, R>;
}
