import type { AssetKey } from "@headgate/model";

/** What became of a wish to carry a history over. */
export interface Rename {
  /** The key that has the history, or is to have it. */
  readonly key: AssetKey;
  readonly state: "asked" | "refused" | "done";
}

/** By former key. */
export type Renames = ReadonlyMap<string, Rename>;

/** A history that is to be carried from one key to another. */
export interface CarryOver {
  readonly from: AssetKey;
  readonly to: AssetKey;
}
