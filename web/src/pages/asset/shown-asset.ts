import type { Answered, ItemOf } from "../../api/answers.ts";

/** What the page of an asset is about. */
export type Asset = Answered<"getAsset">;
export type Version = ItemOf<"listVersions">;
