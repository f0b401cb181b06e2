import type { AssetKey, RangeSet } from "@headgate/model";
import { rangeSet, teamOf } from "@headgate/model";
import { isVisibleTo } from "./asset-graph.ts";
import type { GateView, PinnedVersion } from "./gate.ts";
import { judge } from "./gate.ts";
import type { AssetNode } from "./graph.ts";
import { requiredChecks } from "./graph.ts";
import type { Reason } from "./reason.ts";

/** The newest open version of a partition, or why there is none. */
export type OpenVersion =
  | ({ readonly partition: string; readonly kind: "open"; readonly isNewest: boolean } & PinnedVersion)
  | { readonly partition: string; readonly kind: "closed"; readonly reasons: readonly Reason[] };

/** What `reader` may read of these partitions, in order: of each the newest version that is open to its team. */
export function openVersions(
  node: AssetNode,
  set: RangeSet,
  reader: AssetKey,
  view: GateView,
  nowMs: number,
): OpenVersion[] {
  const team = teamOf(reader);
  const partitions = [...rangeSet.ordinals(set)].map((ordinal) => node.space.keyAt(ordinal));
  if (!isVisibleTo(node.definition, node.team, team)) {
    return partitions.map((partition) => {
      return { partition, kind: "closed", reasons: [{ kind: "notExported", asset: node.key, partition, reader }] };
    });
  }
  const required = requiredChecks(node, team);
  return partitions.map((partition): OpenVersion => {
    const known = view.versions(node.key, partition) ?? [];
    const judged = known.map((version) => ({ version, judgement: judge(node.key, version, required, nowMs) }));
    const at = judged.findIndex(({ judgement }) => judgement.open);
    const found = judged[at];
    if (found !== undefined) {
      const { version, judgement } = found;
      const waivers = [...new Set([...judgement.waivers, ...version.waivers])];
      return { partition, kind: "open", isNewest: at === 0, version, waivers };
    }
    const newest = judged[0];
    const reasons = newest?.judgement.reasons ?? [{ kind: "neverMaterialized", asset: node.key, partition }];
    return { partition, kind: "closed", reasons };
  });
}
