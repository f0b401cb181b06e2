import type { AssetKey } from "@headgate/model";
import type { Reason } from "../../domain/reason.ts";
import { ancestors, rootReasons } from "../../domain/root-reasons.ts";
import type { DefinedStep } from "./defined-steps.ts";
import type { DriveState } from "./drive-state.ts";

export type ClosedRoots =
  | { readonly kind: "unknown"; readonly assets: readonly AssetKey[] }
  | { readonly kind: "roots"; readonly reasons: readonly Reason[]; readonly assets: readonly AssetKey[] };

/** Why a gate is closed, to its root, with the assets that tell; or the assets that must be loaded to know. */
export function closedRoots(
  drive: DriveState,
  parts: readonly DefinedStep[],
  reasons: readonly Reason[],
  nowMs: number,
): ClosedRoots {
  const nodes = [...new Set(parts.map(({ node }) => node))];
  const roots = rootReasons(drive.world.graph(), reasons, drive.memory, nowMs);
  // All at once: level by level, a deep graph would be read once a level.
  if (roots.kind === "unknown") return { kind: "unknown", assets: ancestors(nodes).map((upstream) => upstream.key) };
  const assets = [...reasons, ...roots.reasons].map((reason) => reason.asset);
  for (const node of nodes) assets.push(...node.upstream.map((edge) => edge.upstream.key));
  return { kind: "roots", reasons: roots.reasons, assets: [...new Set(assets)] };
}
