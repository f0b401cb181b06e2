import type { AnySpec } from "./asset-spec.ts";
import type { DynamicPartitions } from "./partitions.ts";

/** A run that a sensor asks for. */
export interface RunRequest<Target extends AnySpec = AnySpec> {
  /**
   * Names what the run is for, a file or an id. Of one sensor, a run key gets one run, ever: asking again for the same is
   * harmless. Without one, every evaluation that asks gets a run. At most 255 characters.
   */
  readonly runKey?: string | undefined;
  /** What to materialize, out of the sensor's targets; default: all of them. */
  readonly target?: Target | readonly Target[] | undefined;
  /** As on the command line: "2001-03", "2001-01..2001-06", several with commas. Required where a target is partitioned. */
  readonly partitions?: string | undefined;
  /** By asset key: `{ [orders.key]: { since: "2001-03-01" } }`. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
  /** At most 50; a name is at most 63 letters, digits, _ . : / or -. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** Keys for a set of dynamic partitions; those that it has already are left as they are. */
export interface AddedPartitions {
  readonly set: DynamicPartitions;
  readonly keys: readonly string[];
}
