import type { AssetKey } from "@headgate/model";
import type { VersionView } from "../gate.ts";

/** A version with the time of the last thing that the gate judges it by: itself, its newest result or waiver. */
export interface ObservedVersion extends VersionView {
  readonly judgedAtMs: number;
}

/** A version that was read, or was to be read. */
export interface HandledVersion {
  readonly asset: AssetKey;
  readonly partition: string;
  readonly seq: number;
}

/** What is recorded of one partition, as conditions see it. */
export interface PartitionState {
  /** Newest first, discarded ones left out. */
  readonly versions: readonly ObservedVersion[];
  /** A run that has not ended is to make it. */
  readonly inProgress: boolean;
  /** A run that has not ended is to check it. */
  readonly checking: boolean;
  /** When the last step that was to make it failed; absent: it did not. */
  readonly failedAtMs?: number;
  /** The newest request of a condition, other than those whose step ended blocked. */
  readonly request?: { readonly definition: string; readonly atMs: number };
  /** The run of the newest request, whatever became of it. */
  readonly lastRun?: string;
  /** What the newest version was made from, and what was requested: of one partition the newest counts. */
  readonly handled: readonly HandledVersion[];
}
