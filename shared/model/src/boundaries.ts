/**
 * The instants at which windows of one cron in one zone begin and end, numbered over all time: the index depends on
 * cron and zone alone, so spaces that differ in their start share it. It may be negative.
 */
export interface Boundaries {
  /** The instant of a boundary; infinite for what lies before 1900 or after 2199. */
  at(index: number): number;
  /** The index of the last boundary at or before an instant. */
  indexAtOrBefore(instantMs: number): number;
  /** The key of the window that begins at a boundary. */
  keyAt(index: number): string;
  /** The index of the boundary with exactly that key. */
  indexOf(key: string): number | undefined;
  /** What a key looks like, for messages. */
  readonly keyShape: KeyShape;
}

/** `noun` completes "partition 2001-13 is no ..."; `example` is a key of that shape. */
export interface KeyShape {
  readonly kind: "year" | "month" | "day" | "instant";
  readonly noun: string;
  readonly example: string;
}
