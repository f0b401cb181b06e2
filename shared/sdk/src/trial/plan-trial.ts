import {
  defaultMapping,
  formatPartitions,
  parsePartitions,
  partitionSpace,
  rangeSet,
  upstreamPartitions,
} from "@headgate/model";
import type { PartitionSpace } from "@headgate/model";
import type { AnyAssetCheck } from "../asset-check.ts";
import type { AnyAsset } from "../asset.ts";
import type { Dependency, EdgeMode } from "../edge.ts";
import { isEdge, upstreamOf } from "../edge.ts";
import { nearestName } from "../describe/nearest-name.ts";
import { inputIsSingle, readsItself } from "../input-shape.ts";

/** What one dependency reads, as this code says it. */
export interface TrialEdge {
  readonly name: string;
  readonly assetKey: string;
  readonly mode: EdgeMode;
  readonly single: boolean;
  /** The mapped partitions as text ("2001-01..2001-06"); "" where the upstream has none, or none is mapped. */
  readonly partitions: string;
  /** How many are mapped; 1 where the upstream has no partitions. */
  readonly count: number;
  /** How many must be there. */
  readonly needed: number;
}

/** What trying an asset takes, by its own definition alone. */
export interface TrialPlan {
  readonly assetKey: string;
  /** "" where the asset is not partitioned. */
  readonly partitionKey: string;
  /** RFC 3339. */
  readonly window: { readonly start: string; readonly end: string } | undefined;
  readonly edges: readonly TrialEdge[];
  /** The location's own checks of the asset: first those whose verdicts compute reports, then those that run after it. */
  readonly checks: readonly { readonly name: string; readonly blocking: boolean; readonly runs: boolean }[];
  /** Milliseconds; 0: none. */
  readonly timeoutMs: number;
}

/** Why an asset cannot be tried as asked, and what to do about it. */
export interface TrialRefusal {
  readonly code: "trial.asset_unknown" | "trial.not_computed" | "trial.partition_needed" | "trial.partition_unknown";
  readonly message: string;
  readonly hint: string;
}

/** What trying an asset takes, or why it cannot be tried as asked. */
export type PlannedTrial =
  { readonly ok: true; readonly plan: TrialPlan } | { readonly ok: false; readonly refusal: TrialRefusal };

/** What an asset of this code reads for one of its partitions, and which checks judge it. */
export function planTrial(
  code: {
    readonly assets: ReadonlyMap<string, AnyAsset>;
    readonly checks: ReadonlyMap<string, AnyAssetCheck>;
    /** Keys that one function makes together with others. */
    readonly outputs: Pick<ReadonlyMap<string, unknown>, "has">;
  },
  assetKey: string,
  partition: string | undefined,
  nowMs: number,
): PlannedTrial {
  const asset = code.assets.get(assetKey);
  if (asset === undefined) return refuse("trial.asset_unknown", ...unknownAsset(assetKey, [...code.assets.keys()]));
  if (typeof asset.compute !== "function") {
    return refuse("trial.not_computed", `${assetKey} is not computed here.`, "Try an asset that reads it.");
  }
  if (code.outputs.has(assetKey)) {
    const message = `${assetKey} is an output of a multi-asset, which cannot be tried yet.`;
    return refuse(
      "trial.not_computed",
      message,
      "Run its function in a unit test, or materialize it on a `headgate dev`.",
    );
  }
  const space = partitionSpace(asset.partitions);
  const found = ordinalOf(assetKey, space, partition, nowMs);
  if (typeof found !== "number") return { ok: false, refusal: found };
  const checks = [...code.checks.values()].filter((check) => check.asset.key === assetKey);
  const plan: TrialPlan = {
    assetKey,
    partitionKey: space.keyAt(found),
    window: windowOf(space, found),
    edges: Object.entries(asset.deps).map(([name, given]) => edgeOf(name, given, asset, space, found, nowMs)),
    checks: [
      ...Object.entries(asset.checks ?? {}).map(([name, { blocking = false }]) => ({ name, blocking, runs: false })),
      ...checks.map(({ name, blocking = false }) => ({ name, blocking, runs: true })),
    ],
    timeoutMs: asset.timeoutMs ?? 0,
  };
  return { ok: true, plan };
}

function refuse(code: TrialRefusal["code"], message: string, hint: string): PlannedTrial {
  return { ok: false, refusal: { code, message, hint } };
}

function unknownAsset(assetKey: string, known: readonly string[]): [message: string, hint: string] {
  const nearest = nearestName(assetKey, known);
  const shown = known.slice(0, 10).join(", ");
  return [
    `This code defines no asset ${assetKey}.`,
    nearest === undefined ? `It defines ${shown === "" ? "none" : shown}.` : `Did you mean ${nearest}?`,
  ];
}

function ordinalOf(
  assetKey: string,
  space: PartitionSpace,
  partition: string | undefined,
  nowMs: number,
): number | TrialRefusal {
  if (space.definition !== undefined && partition === undefined) {
    const count = space.count(nowMs);
    const all = formatPartitions(space, rangeSet.range(0, count));
    const hint =
      count === 0 ? "It has none yet." : `For example --partition ${space.keyAt(count - 1)}; there are ${short(all)}.`;
    return { code: "trial.partition_needed", message: `${assetKey} is partitioned: say which partition.`, hint };
  }
  const parsed = parsePartitions(space, partition ?? "", nowMs);
  if (!parsed.ok) {
    return { code: "trial.partition_unknown", message: `${assetKey}: ${parsed.message}.`, hint: sentence(parsed.hint) };
  }
  const [first, second] = [...rangeSet.ordinals(parsed.set)];
  if (first !== undefined && second === undefined) return first;
  const message = `One partition of ${assetKey} is tried at a time, and ${partition} names several.`;
  return { code: "trial.partition_unknown", message, hint: `For example --partition ${space.keyAt(first ?? 0)}.` };
}

function edgeOf(
  name: string,
  given: Dependency,
  asset: AnyAsset,
  space: PartitionSpace,
  ordinal: number,
  nowMs: number,
): TrialEdge {
  const upstream = upstreamOf(given, asset);
  const edge = isEdge(given) ? given : undefined;
  const upstreamSpace = partitionSpace(upstream.partitions);
  const mapping = edge?.mapping ?? defaultMapping(upstreamSpace, space);
  const set = upstreamPartitions(mapping, upstreamSpace, space, rangeSet.of(ordinal), nowMs);
  const count = rangeSet.size(set);
  const mode = edge?.mode ?? "strict";
  const single = inputIsSingle(given, asset.partitions);
  const require = edge?.require ?? (mode === "lastValidated" && !single ? { atLeast: 1 } : "every");
  // A window may reach to before the first partition; of itself an asset reads no more than there is.
  const every = count === 0 && mapping.kind !== "window" ? 1 : count;
  const needed = require === "every" ? every : readsItself(given) ? Math.min(require.atLeast, count) : require.atLeast;
  return {
    name,
    assetKey: upstream.key,
    mode,
    single,
    partitions: formatPartitions(upstreamSpace, set),
    count,
    needed,
  };
}

function windowOf(space: PartitionSpace, ordinal: number): TrialPlan["window"] {
  const window = space.windowAt(ordinal);
  return window && { start: window.start, end: window.end };
}

function short(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;
}
