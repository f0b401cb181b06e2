import type { AssetKey } from "@headgate/model";
import type { VersionView } from "../../domain/gate.ts";
import type { Reason } from "../../domain/reason.ts";
import { type Flush, type LeaseEntry, emptyFlush } from "../../storage/drive-flush.ts";
import type { Attempt } from "./attempt.ts";
import type { Run, RunStep } from "../../domain/run-state.ts";

/** What one flush will write, and what is to be done once it is committed: persist, then act. */
export class Cycle {
  readonly flush: Flush;
  /** Leases asked for; commands go out for those that are granted. */
  readonly leases: {
    readonly attempt: Attempt;
    readonly entry: LeaseEntry;
    /** The run's pins that this lease has set, to be taken back with it. */
    readonly pins: readonly string[];
  }[] = [];
  /** Positions to acknowledge. */
  readonly acknowledged = new Set<Attempt>();
  readonly endedAttempts: Attempt[] = [];
  readonly endedRuns: Run[] = [];
  /** Versions that were added to memory under the number of their event in this flush. */
  readonly versions: { readonly asset: AssetKey; readonly version: VersionView; readonly event: number }[] = [];
  /** Assets of which memory knows more than the database until the commit, each with the entry that was changed. */
  readonly written = new Map<AssetKey, object | undefined>();
  /** Timers to set: milliseconds until the step is tried again. */
  readonly retries: { readonly run: Run; readonly step: RunStep; readonly delayMs: number }[] = [];

  constructor(daemon: string) {
    this.flush = emptyFlush(daemon);
  }

  /** Adds an event of a step; returns its 1-based index in the flush. */
  stepEvent(run: Run, step: RunStep, kind: string, payload: Record<string, unknown> = {}): number {
    const { index, asset, partition, location } = step.spec;
    return this.flush.events.push({
      kind,
      runId: run.id,
      stepIndex: index,
      assetKey: asset,
      partitionKey: partition,
      location,
      payload,
    });
  }

  /** Writes a step's new state. */
  step(run: Run, step: RunStep, more: { reasons?: readonly Reason[]; versionId?: string; error?: object } = {}): void {
    const state = step.state.phase;
    const ended = state !== "waiting" && state !== "retrying" && state !== "unknown" && state !== "started";
    this.flush.steps.push({
      runId: run.id,
      index: step.spec.index,
      state,
      ended: ended && state !== "leased",
      ...(more.reasons === undefined ? {} : { reasons: more.reasons }),
      ...(more.versionId === undefined ? {} : { versionId: more.versionId }),
      ...(more.error === undefined ? {} : { error: more.error as never }),
    });
  }
}
