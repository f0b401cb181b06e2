import type { AnyAssetCheck } from "../asset-check.ts";
import type { AnyAsset } from "../asset.ts";
import type { OutputAsset } from "../output-assets.ts";
import type { IoManager } from "../io-manager.ts";
import type { CodeBase } from "./code-base.ts";
import type { LogCapture } from "./log-capture.ts";
import type { Redaction } from "./redaction.ts";
import type { Scratch } from "../trial/scratch.ts";
import type { ResourceCache } from "./resource-cache.ts";

/** What the steps of one worker process share; `log` is that of the attempt that runs. */
export interface StepEnvironment {
  readonly assets: ReadonlyMap<string, AnyAsset>;
  /** Those of multi-assets, by key. */
  readonly outputs: ReadonlyMap<string, OutputAsset>;
  /** By "team/name@check". */
  readonly checks: ReadonlyMap<string, AnyAssetCheck>;
  /** The location's IO managers: the first writes, each is asked for what it can read. */
  readonly ioManagers: readonly IoManager[];
  readonly codeVersionOf: (asset: AnyAsset) => string;
  readonly resources: ResourceCache;
  readonly codeBase: CodeBase | undefined;
  readonly redaction: Redaction;
  readonly log: LogCapture;
  /** Where values go when an asset is tried; absent in a run. */
  readonly scratch?: Scratch | undefined;
}
