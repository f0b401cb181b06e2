import type { AnyAssetCheck } from "./asset-check.ts";
import type { AnyAssetChecks } from "./asset-checks.ts";
import type { AnyAsset } from "./asset.ts";
import type { AnyExternalAsset } from "./external-asset.ts";
import type { AnyMultiAsset } from "./multi-asset.ts";
import { rememberSite } from "./construction-site.ts";
import type { IoManager } from "./io-manager.ts";
import type { Schedule } from "./schedule.ts";
import type { AnySensor } from "./sensor.ts";

/** All that a code location defines. */
export interface DefinitionsOptions {
  /** Owns every asset and check here: the first segment of each asset's key. */
  readonly team: string;
  /** Writes and reads the values of assets without an `io` of their own. Of several the first writes, all read. */
  readonly io?: IoManager | readonly IoManager[];
  readonly assets: readonly (AnyAsset | AnyExternalAsset | AnyMultiAsset)[];
  readonly checks?: readonly (AnyAssetCheck | AnyAssetChecks)[];
  readonly schedules?: readonly Schedule[];
  readonly sensors?: readonly AnySensor[];
}

/** What a code location defines: the default export of its `definitions.ts`. */
export interface Definitions {
  readonly kind: "definitions";
  readonly team: string;
  readonly io?: IoManager | readonly IoManager[];
  readonly assets: readonly (AnyAsset | AnyExternalAsset | AnyMultiAsset)[];
  readonly checks: readonly (AnyAssetCheck | AnyAssetChecks)[];
  readonly schedules: readonly Schedule[];
  readonly sensors: readonly AnySensor[];
}

/** Gathers what a code location defines. Never throws: a definition that is wrong is reported and hides no other. */
export function definitions(options: DefinitionsOptions): Definitions {
  const given: Partial<DefinitionsOptions> = options ?? {};
  const { assets = [], checks = [], schedules = [], sensors = [] } = given;
  const gathered = { ...given, kind: "definitions", assets, checks, schedules, sensors };
  return rememberSite(gathered, definitions) as unknown as Definitions;
}

/** Those of them that are IO managers: the first writes. */
export function ioManagersOf(given: Definitions["io"]): IoManager[] {
  const list = Array.isArray(given) ? (given as readonly (IoManager | undefined)[]) : [given as IoManager | undefined];
  return list.filter((io): io is IoManager => io?.kind === "ioManager");
}
