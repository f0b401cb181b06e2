/**
 * How an asset is cut into partitions; an asset without a definition has the one partition `""`.
 *
 * - `static`: the keys, in their order.
 * - `timeWindow`: one partition from each tick of `cron` (five fields, or `@daily` and the like) to the next, in the
 *   IANA zone `timezone`. `start` and the exclusive `end` are local times in that zone (`2001`, `2001-01`,
 *   `2001-01-31`, `2001-01-31T06:00`, with an offset where the local time is ambiguous); the first window begins at the
 *   first tick at or after `start`, the last one ends at the last tick at or before `end`.
 * - `dynamic`: the keys that the set `name` of the asset's team has at the moment, in the order in which they were added.
 * - `multi`: one partition for every combination of the keys of its dimensions, named `region=eu,month=2001-02` in the
 *   order of the dimensions. At most one of them grows with time.
 */
export type PartitionsDefinition =
  DimensionDefinition | { readonly kind: "multi"; readonly dimensions: readonly NamedDimension[] };

/** How one dimension is cut, or an asset that has only one. */
export type DimensionDefinition =
  | { readonly kind: "static"; readonly keys: readonly string[] }
  | {
      readonly kind: "timeWindow";
      readonly cron: string;
      readonly timezone: string;
      readonly start: string;
      readonly end?: string;
    }
  | { readonly kind: "dynamic"; readonly name: string };

export interface NamedDimension {
  /** Letters, digits, "_" and "-", starting with a letter; at most 63. */
  readonly name: string;
  readonly definition: DimensionDefinition;
}
