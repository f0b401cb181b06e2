import type { AnyAsset } from "./asset.ts";
import { constructionSite, siteOf } from "./construction-site.ts";
import type { AnyMultiAsset } from "./multi-asset.ts";

/** An asset that a multi-asset computes. */
export interface OutputAsset {
  /** As any other asset is described and checked; its `compute` is that of the multi-asset. */
  readonly asset: AnyAsset;
  readonly multi: AnyMultiAsset;
  /** The name under which compute returns its value. */
  readonly name: string;
  /** What each of them is told of the whole. */
  readonly part: { readonly outputs: string[]; readonly canSubset: boolean };
}

/** The assets of a multi-asset, in its order. What is wrong with them is found when each is described. */
export function outputAssets(multi: AnyMultiAsset): OutputAsset[] {
  const { assets, canSubset, codeVersion, checks, requiredChecks, formerly, kind: _kind, ...shared } = multi;
  const outputs = Object.entries(assets);
  const part = { outputs: outputs.map(([, spec]) => String(spec?.key)), canSubset };
  return outputs.map(([name, spec]) => {
    // Said once for all, unless a spec says its own; then what is said by output.
    const own = {
      ...dropUndefined({ codeVersion }),
      ...dropUndefined(spec),
      ...dropUndefined({ checks: checks?.[name], requiredChecks: requiredChecks?.[name], formerly: formerly?.[name] }),
    };
    const asset = { ...shared, ...own, kind: "asset" };
    // Where the multi-asset was written is where all of them were.
    Object.defineProperty(asset, constructionSite, { value: siteOf(multi), enumerable: false });
    return { asset: Object.freeze(asset) as unknown as AnyAsset, multi, name, part };
  });
}

function dropUndefined(spec: object): object {
  return Object.fromEntries(Object.entries(spec ?? {}).filter(([, value]) => value !== undefined));
}
