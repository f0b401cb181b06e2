import type { AssetNode } from "./asset-graph.ts";
import { type VersionView, judge } from "./gate.ts";
import { requiredChecks } from "./required-checks.ts";

/*
 * What readers outside Headgate should see of a partition: its newest open version. Outside nobody waits for a check or
 * reads a reason, so that what is shut is never shown, and what was shown stays until something else may be.
 */

/** What is known of a partition's publication, as its row has it. */
export interface PublicationView {
  /** What readers outside see; null: nothing yet. */
  readonly versionId: string | null;
  /** What was last asked for. */
  readonly wantedId: string;
  /** When it is tried again after a failure; null: at once. */
  readonly retryAtMs: number | null;
}

export type PublicationStep =
  | { readonly kind: "settled" }
  | { readonly kind: "publish"; readonly version: VersionView }
  /** It failed, and is tried again then. */
  | { readonly kind: "wait"; readonly untilMs: number };

/** Whether an asset's versions are shown to readers outside. */
export function publishes(node: AssetNode): boolean {
  return node.definition.publishes === true && !node.retired;
}

/**
 * What is to be done for a partition.
 *
 * @param versions of the partition, newest first, discarded ones left out
 */
export function publicationStep(
  node: AssetNode,
  versions: readonly VersionView[],
  known: PublicationView | undefined,
  nowMs: number,
): PublicationStep {
  const required = requiredChecks(node, node.team);
  const version = versions.find((candidate) => judge(node.key, candidate, required, nowMs).open);
  // Without a value there is nothing that could be shown in the place of what is.
  if (version === undefined || version.value === null || known?.versionId === version.id) return { kind: "settled" };
  if (known?.wantedId === version.id && known.retryAtMs !== null && known.retryAtMs > nowMs) {
    return { kind: "wait", untilMs: known.retryAtMs };
  }
  return { kind: "publish", version };
}

const retryDelayMsMin = 1_000;
const retryDelayMsMax = 300_000;

/** How long to wait after so many failures in a row: doubles up to five minutes. */
export function publicationRetryDelayMs(failures: number): number {
  return Math.min(retryDelayMsMin * 2 ** Math.min(failures - 1, 20), retryDelayMsMax);
}
