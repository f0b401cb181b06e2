import type { AssetSpec, AssetSpecOptions } from "./asset-spec.ts";
import type { RequiredCheck } from "./asset.ts";
import { rememberSite } from "./construction-site.ts";
import type { AnyPartitions } from "./partitions.ts";
import type { ReportedChecks } from "./reported-checks.ts";
import type { StoredValue, ValueDeclaration } from "./value-declaration.ts";

/** An asset that something else makes, whose versions are reported. */
export interface ExternalAssetOptions<
  S extends ValueDeclaration | undefined,
  P extends AnyPartitions | undefined,
> extends AssetSpecOptions<S, P> {
  /**
   * True: it changes without anybody saying so. There is one version at most, without a value, and readers are gated by
   * its checks alone. Default false: every change is reported, as a version of its own.
   */
  readonly unversioned?: boolean | undefined;
  /** The value is overwritten: no version of it can be read but the newest. Default: as `unversioned`. */
  readonly inPlace?: boolean | undefined;
  readonly requiredChecks?: readonly RequiredCheck[] | undefined;
  /** The key that it had before, of the same team: versions, results, waivers and events are found under the new one. */
  readonly formerly?: string | undefined;
  /** Checks whose results are reported by API. Those that run here are made with `assetCheck`. */
  readonly checks?: ReportedChecks | undefined;
}

/** An asset that is reported, by API, and not computed. */
export interface ExternalAsset<
  Value = unknown,
  P extends AnyPartitions | undefined = AnyPartitions | undefined,
  S extends ValueDeclaration | undefined = ValueDeclaration | undefined,
> extends AssetSpec<Value, P, S> {
  readonly kind: "externalAsset";
  readonly unversioned?: boolean;
  readonly inPlace?: boolean;
  readonly requiredChecks?: readonly RequiredCheck[];
  readonly formerly?: string;
  readonly checks?: ReportedChecks;
}

/** Any external asset, where its parameters do not matter. */
export type AnyExternalAsset = ExternalAsset;

/** What readers receive: what is declared, of which every report must name a value; nothing is known of others. */
type ExternalValue<S, U> = [S] extends [undefined] ? (U extends true ? undefined : unknown) : StoredValue<S>;

/**
 * Declares an asset that something else makes: its versions are reported by API, its checks run here or are reported
 * too. With `value` every report must say where the value is. Never throws.
 */
export function externalAsset<
  S extends ValueDeclaration | undefined = undefined,
  P extends AnyPartitions | undefined = undefined,
  const U extends boolean | undefined = undefined,
>(options: ExternalAssetOptions<S, P> & { readonly unversioned?: U }): ExternalAsset<ExternalValue<S, U>, P, S> {
  const definition = { ...options, kind: "externalAsset", value: options?.value, partitions: options?.partitions };
  return rememberSite(definition, externalAsset) as unknown as ExternalAsset<ExternalValue<S, U>, P, S>;
}
