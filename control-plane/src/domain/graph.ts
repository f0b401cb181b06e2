import type { AssetKey } from "@headgate/model";
import type { AssetDeletions } from "./asset-deletion.ts";
import type { AssetOwners, Graph, GraphError, LocationSegment } from "./asset-graph.ts";
import { assembledAssets, type GrowingNode } from "./assembled-assets.ts";
import { type ClaimedAsset, claimedAssets, refusedAt } from "./claimed-assets.ts";
import type { DefinitionError } from "./definitions.ts";
import type { DynamicSets } from "./dynamic-sets.ts";
import { reversed, topologicalOrder } from "./graph-cycles.ts";
import { formerKeys } from "./former-keys.ts";
import { linkChecks } from "./link-checks.ts";
import { linkSensors } from "./link-sensors.ts";
import { linkedEdges, type IsEstablished } from "./linked-edges.ts";
import { nearestKeys } from "./nearest-key.ts";
import { refusalRoots } from "./refusal-roots.ts";
import type { Renames } from "./rename.ts";
import { scheduleNodes } from "./schedule-nodes.ts";
import { withoutDeleted } from "./without-deleted.ts";

export type {
  AssetNode,
  AssetOwners,
  CheckNode,
  Edge,
  Graph,
  GraphError,
  LocationSegment,
  ScheduleNode,
  SensorNode,
  StoredDefinition,
} from "./asset-graph.ts";
export { checkId } from "./asset-graph.ts";
export { requiredChecks } from "./required-checks.ts";

export interface GraphOptions {
  /**
   * Which edges served before. With it, an edge to what is no longer exported goes on with a warning, and a new edge to
   * a retired asset is refused. Without it nothing is known: retired assets serve all, what is not exported nobody.
   */
  readonly established?: IsEstablished;
  /**
   * What is known of former keys. With it, an asset that takes over a history is held back until it has it. Without it
   * nothing is known of histories, as where a checkout is looked at: the asset is served as it will be.
   */
  readonly renames?: Renames;
  /** Keys whose history was deleted. One of which rows are still being removed cannot be defined. */
  readonly deletions?: AssetDeletions;
  /** The keys of dynamic partitions at one moment. Absent: no set has any. */
  readonly dynamicSets?: DynamicSets;
}

/**
 * The asset graph of all code locations. Never throws for a bad definition: each is refused on its own, with a stable
 * code, and the rest loads. The result does not depend on the order of `segments`. Linear in assets and edges.
 */
export function buildGraph(
  segments: readonly LocationSegment[],
  owners: AssetOwners,
  options: GraphOptions = {},
): Graph {
  const sorted = [...segments].sort((a, b) => (a.location < b.location ? -1 : 1));
  const errors: GraphError[] = [...manifestErrors(sorted)];
  const warnings: GraphError[] = [];
  const refuse = (error: GraphError): void => void errors.push(error);
  const warn = (warning: GraphError): void => void warnings.push(warning);

  const claims = claimedAssets(sorted, owners, refuse, options.dynamicSets ?? (() => []));
  // What is known of keys that nobody holds: refused, or never loaded. The first error of a key explains it.
  const unclaimed = new Map<string, GraphError>();
  for (const error of errors) if (error.kind === "asset" && !unclaimed.has(error.key)) unclaimed.set(error.key, error);

  const assets = [...claims.values()];
  const nearest = nearestKeys(claims.keys());
  // The first error of each asset that is refused for what it says itself.
  const own = new Map<string, GraphError>();
  for (const { stored, space } of assets) {
    const error = space === undefined ? unclaimed.get(stored.definition.key) : undefined;
    if (error !== undefined) own.set(error.key, error);
  }
  const refuseClaim = ({ segment, stored }: ClaimedAsset, problem: DefinitionError): void => {
    const error = refusedAt(segment, stored.definition.key, problem);
    if (!own.has(error.key)) own.set(error.key, error);
    refuse(error);
  };
  const deleted: AssetDeletions = options.deletions ?? new Map();
  const held = withoutDeleted(claims, owners, deleted, refuseClaim);
  const { renamed, carryOvers } = formerKeys(
    held.claims,
    options.renames === undefined ? new Map() : held.owners,
    options.renames ?? new Map(),
    refuseClaim,
  );
  const edges = linkedEdges(assets, {
    claims,
    segments: sorted,
    unclaimed,
    renamed,
    established: options.established,
    nearest,
    refuse: refuseClaim,
    warn: ({ segment, stored }, problem) => warn(refusedAt(segment, stored.definition.key, problem)),
  });
  const readers = reversed(edges);
  const order = topologicalOrder(edges, readers);
  const roots = refusalRoots(assets, edges, readers, order, { own, unclaimed, refuse });
  const nodes = assembledAssets(assets, edges, order, roots);

  const byKey = new Map<AssetKey, GrowingNode>();
  for (const node of nodes) byKey.set(node.key, node);
  linkChecks(sorted, {
    assets: byKey,
    retiredMsOf: (key) => claims.get(key)?.stored.retiredMs,
    renamed,
    rootOf: (key) => roots.get(key) ?? unclaimed.get(key),
    nearest,
    refuse,
    warn,
  });
  const schedules = scheduleNodes(sorted, {
    assets: byKey,
    rootOf: (key) => roots.get(key) ?? unclaimed.get(key),
    nearest,
    refuse,
    warn,
  });
  const sensors = linkSensors(sorted, { assets: byKey, schedules, nearest, refuse });
  return {
    assets: byKey,
    order: nodes,
    schedules,
    sensors,
    errors: inOrder(errors),
    warnings: inOrder(warnings),
    renamed,
    carryOvers,
    deleted,
    asset: (key) => byKey.get(key as AssetKey),
  };
}

/** What the newest manifests say did not load, with or without a last good definition. */
function* manifestErrors(segments: readonly LocationSegment[]): Generator<GraphError> {
  for (const { location, assets, checks, schedules = [], sensors = [], errors } of segments) {
    for (const error of errors) yield { ...error, location };
    for (const { definition, error } of assets) {
      if (error !== undefined) yield { ...error, location, kind: "asset", key: definition.key };
    }
    for (const { definition, error } of checks) {
      const key = `${definition.asset}@${definition.name}`;
      if (error !== undefined) yield { ...error, location, kind: "check", key };
    }
    for (const { definition, error } of schedules) {
      if (error !== undefined) yield { ...error, location, kind: "schedule", key: definition.name };
    }
    for (const { definition, error } of sensors) {
      if (error !== undefined) yield { ...error, location, kind: "sensor", key: definition.name };
    }
  }
}

/** By location, then key, each error once: two edges to one upstream say the same twice. */
function inOrder(errors: readonly GraphError[]): GraphError[] {
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...errors]
    .sort((a, b) => compare(a.location, b.location) || compare(a.key, b.key))
    .filter((error, i, all) => {
      for (let j = i - 1; j >= 0; j--) {
        const other = all[j];
        if (other === undefined || other.location !== error.location || other.key !== error.key) return true;
        if (other.code === error.code && other.message === error.message) return false;
      }
      return true;
    });
}
