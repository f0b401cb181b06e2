import { type PartitionSpace, type RangeSet, rangeSet } from "@headgate/model";
import { type VersionView, isResultOf, judge } from "./gate.ts";
import { type AssetNode, requiredChecks } from "./graph.ts";

/*
 * The status of one partition of an asset, as its own team sees it: the one function behind every page, table, filter
 * and count.
 *
 * - materializing: a step of a run is at it.
 * - failed, errored, pending: its newest version is closed by a check.
 * - waived, warned, passed, unchecked: its newest version is open. `warned`: a check that does not close the gate was
 *   not content.
 * - computeFailed: the last step ended without a version, after the newest version there is.
 * - blocked: the last request was refused by a gate upstream, after the newest version there is.
 * - neverMaterialized: none of these.
 */
export const partitionStatuses = [
  "materializing",
  "failed",
  "errored",
  "computeFailed",
  "blocked",
  "pending",
  "waived",
  "warned",
  "passed",
  "unchecked",
  "neverMaterialized",
] as const;

export type PartitionStatus = (typeof partitionStatuses)[number];

/** What is known of one partition besides its versions. */
export interface PartitionActivity {
  /** A step has leased it and has not ended. */
  readonly inFlight: boolean;
  /** The last step that ended without a version, or the last stored decision: which, and when. */
  readonly setback?: { readonly kind: "computeFailed" | "blocked"; readonly atMs: number };
}

/** @param newest its newest version that is not discarded */
export function partitionStatus(
  node: AssetNode,
  newest: VersionView | undefined,
  activity: PartitionActivity | undefined,
  nowMs: number,
): PartitionStatus {
  if (activity?.inFlight === true) return "materializing";
  const setback = activity?.setback;
  if (setback !== undefined && setback.atMs > (newest?.createdAtMs ?? -Infinity)) return setback.kind;
  if (newest === undefined) return "neverMaterialized";
  const { state } = judge(node.key, newest, requiredChecks(node, node.team), nowMs);
  switch (state) {
    case "passed":
    case "unchecked":
      return newest.results.some((r) => r.outcome !== "passed" && node.checks.some((check) => isResultOf(r, check)))
        ? "warned"
        : state;
    case "waived":
    case "pending":
    case "failed":
    case "errored":
      return state;
  }
}

/** True if readers of the asset's own team may read what this partition has. */
export function isOpenStatus(status: PartitionStatus): boolean {
  return status === "passed" || status === "warned" || status === "unchecked" || status === "waived";
}

export interface StatusRange {
  readonly status: PartitionStatus;
  readonly set: RangeSet;
}

/** The partitions that exist, grouped by status in the order of `partitionStatuses`; `known` names all but the never materialized. */
export function statusRanges(
  space: PartitionSpace,
  known: ReadonlyMap<string, PartitionStatus>,
  nowMs: number,
): readonly StatusRange[] {
  const ordinals = new Map<PartitionStatus, number[]>();
  const all = rangeSet.range(0, space.count(nowMs));
  for (const [key, status] of known) {
    const ordinal = space.ordinalOf(key);
    if (ordinal === undefined || status === "neverMaterialized" || !rangeSet.has(all, ordinal)) continue;
    const list = ordinals.get(status);
    if (list === undefined) ordinals.set(status, [ordinal]);
    else list.push(ordinal);
  }
  const touched = rangeSet.from([...ordinals.values()].flat());
  return partitionStatuses
    .map((status) => ({
      status,
      set:
        status === "neverMaterialized" ? rangeSet.difference(all, touched) : rangeSet.from(ordinals.get(status) ?? []),
    }))
    .filter(({ set }) => !rangeSet.isEmpty(set));
}

/** The one word for all partitions of an asset: what most needs somebody's eye. */
export function worstStatus(ranges: readonly StatusRange[]): PartitionStatus {
  return ranges[0]?.status ?? "neverMaterialized";
}
