import type { PartitionsDefinition } from "./partitions-definition.ts";

/**
 * A partitions definition with its arithmetic. Partitions have ordinals from 0, in order. An unpartitioned asset is the
 * space with the one key `""` at ordinal 0.
 *
 * Ordinals count from `start`, so a definition that moves its start gives every partition another ordinal: what is
 * stored names partitions by key, and ordinals live no longer than the definition they were made with.
 */
export interface PartitionSpace {
  readonly definition: PartitionsDefinition | undefined;
  /** Absent: the space has one dimension, or the asset is not partitioned. */
  readonly dimensions?: Dimensions;
  /** How many partitions exist at `nowMs` (milliseconds since 1970, UTC): a time window exists once it has ended. */
  count(nowMs: number): number;
  /** @throws ModelError `partition_out_of_range` for an ordinal that the space never has */
  keyAt(ordinal: number): string;
  /** For a key that is well-formed and inside the space, whether or not its window has ended. */
  ordinalOf(key: string): number | undefined;
  /**
   * The half-open window of a partition, as milliseconds since 1970 and as local RFC 3339 text with its offset;
   * `undefined` without time windows, or outside the space. Of several dimensions, the window of the one that has them.
   */
  windowAt(ordinal: number): { startMs: number; endMs: number; start: string; end: string } | undefined;
  /**
   * The half-open range of ordinals whose windows share time with `startMs` up to but not including `endMs`, ended or
   * not; without time windows, every partition.
   */
  overlapping(startMs: number, endMs: number): readonly [number, number];
}

/** One dimension of a space of partitions. */
export interface Dimension {
  readonly name: string;
  readonly space: PartitionSpace;
  /** How far two partitions are apart that differ in this dimension by one. */
  readonly stride: number;
}

/** The dimensions of a space; one without dimensions of its own counts as one that has no name. */
export interface Dimensions {
  /** In the order in which a key names them. */
  readonly inKey: readonly Dimension[];
  /**
   * From the one that varies slowest. The dimension that grows is the first, so that no partition changes its ordinal
   * when another comes, and all combinations of some of its keys are one range.
   */
  readonly slowestFirst: readonly Dimension[];
}
