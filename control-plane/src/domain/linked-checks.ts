import type { AssetKey } from "@headgate/model";
import type { AssetNode, CheckNode, GraphError, LocationSegment, StoredDefinition } from "./asset-graph.ts";
import { checkId, isVisibleTo } from "./asset-graph.ts";
import {
  duplicateCheck,
  missingAsset,
  missingRequiredCheck,
  notExported,
  refusedAsset,
  requiredCheckNotBlocking,
  retiredAsset,
  type DefinitionSite,
} from "./definition-problems.ts";
import type { CheckDefinition, CheckReference, DefinitionError } from "./definitions.ts";
import type { NearestKeys } from "./nearest-key.ts";

export interface CheckContext {
  readonly assets: ReadonlyMap<AssetKey, AssetNode>;
  /** When each retired asset vanished, where that is known. */
  readonly retiredMs: ReadonlyMap<AssetKey, number>;
  /** The first cause of the refusal of each key that is not among `assets`. */
  readonly rootOf: (key: AssetKey) => GraphError | undefined;
  readonly nearest: NearestKeys;
  readonly refuse: (error: GraphError) => void;
  readonly warn: (error: GraphError) => void;
}

interface StoredCheck {
  readonly stored: StoredDefinition<CheckDefinition>;
  readonly segment: LocationSegment;
}

/**
 * The checks of each asset, of every team, ordered by team, then name.
 *
 * Unknown is closed: a check that `requiredChecks` names and that nobody defines is there all the same, with its last
 * definition or an empty one, an error and, in the empty case, no location; the asset is kept, and says so as an error.
 */
export function linkedChecks(
  segments: readonly LocationSegment[],
  context: CheckContext,
): ReadonlyMap<AssetKey, readonly CheckNode[]> {
  const byAsset = new Map<AssetKey, Map<string, CheckNode>>();
  const removed = new Map<string, StoredCheck>();
  for (const segment of segments) {
    for (const stored of segment.checks) {
      const { asset, name } = stored.definition;
      const id = checkId(asset, segment.team, name);
      const first = byAsset.get(asset)?.get(id);
      if (stored.retired === true && !wentWithItsAsset(stored, segment, context)) {
        removed.set(id, { stored, segment });
        continue;
      }
      const problem = checkProblem(stored.definition, segment, first, context);
      if (problem === undefined) add(byAsset, checkNode(id, { stored, segment }));
      else if (stored.retired !== true) context.refuse(checkError(stored.definition, segment, problem));
    }
  }
  for (const node of context.assets.values()) addRequired(node, byAsset, removed, context);
  const ordered = new Map<AssetKey, readonly CheckNode[]>();
  for (const [asset, checks] of byAsset) ordered.set(asset, [...checks.values()].sort(byTeamThenName));
  return ordered;
}

/**
 * An asset whose whole module is deleted loses its checks in the same manifest. Its versions still serve, so those
 * checks still judge them; only a check that was removed before its asset is gone.
 */
function wentWithItsAsset(
  stored: StoredDefinition<CheckDefinition>,
  segment: LocationSegment,
  { assets, retiredMs }: CheckContext,
): boolean {
  const asset = assets.get(stored.definition.asset);
  if (asset?.retired !== true || asset.location !== segment.location) return false;
  const assetMs = retiredMs.get(asset.key);
  return assetMs === undefined || stored.retiredMs === undefined || stored.retiredMs >= assetMs;
}

function checkProblem(
  check: CheckDefinition,
  segment: LocationSegment,
  first: CheckNode | undefined,
  context: CheckContext,
): DefinitionError | undefined {
  const site = checkSite(check, segment);
  const asset = context.assets.get(check.asset);
  if (asset === undefined) {
    const root = context.rootOf(check.asset);
    if (root !== undefined) return refusedAsset(site, check, { key: root.key, error: root });
    const visible = (key: AssetKey): boolean => {
      const node = context.assets.get(key);
      return node !== undefined && isVisibleTo(node.definition, node.team, segment.team);
    };
    return missingAsset(site, check, context.nearest.nearest(check.asset, visible));
  }
  if (!isVisibleTo(asset.definition, asset.team, segment.team)) return notExported(site, "checks", check.asset);
  if (first !== undefined) return duplicateCheck(site, check, first.location);
  if (asset.retired) context.warn(checkError(check, segment, retiredAsset(site, check)));
  return undefined;
}

function checkNode(id: string, { stored, segment }: StoredCheck, error = stored.error): CheckNode {
  const { definition, firstSeenMs } = stored;
  const { asset, name } = definition;
  const { team, location } = segment;
  return { id, asset, team, name, location, definition, firstSeenMs, ...(error && { error }) };
}

function add(byAsset: Map<AssetKey, Map<string, CheckNode>>, check: CheckNode): void {
  const checks = byAsset.get(check.asset);
  if (checks === undefined) byAsset.set(check.asset, new Map([[check.id, check]]));
  else checks.set(check.id, check);
}

function addRequired(
  node: AssetNode,
  byAsset: Map<AssetKey, Map<string, CheckNode>>,
  removed: ReadonlyMap<string, StoredCheck>,
  context: CheckContext,
): void {
  const { key, location, definition } = node;
  const site: DefinitionSite = { key, team: node.team, location, source: definition.source };
  for (const reference of definition.requiredChecks) {
    const { asset, team, name } = reference;
    const id = checkId(asset, team, name);
    const found = byAsset.get(key)?.get(id);
    if (found !== undefined) {
      if (found.error?.code === "definition.missing_required_check" || found.definition.blocking) continue;
      context.warn({ ...requiredCheckNotBlocking(site, team, name), location, kind: "asset", key });
      continue;
    }
    const error = missingRequiredCheck(site, definition, reference);
    if (!node.retired) context.refuse({ ...error, location, kind: "asset", key });
    const last = asset === key ? removed.get(id) : undefined;
    add(byAsset, last === undefined ? undefinedCheck(node, id, reference, error) : checkNode(id, last, error));
  }
}

function undefinedCheck(node: AssetNode, id: string, reference: CheckReference, error: DefinitionError): CheckNode {
  const { team, name } = reference;
  const definition: CheckDefinition = {
    kind: "check",
    asset: node.key,
    name,
    description: "",
    blocking: true,
    version: 1,
    newVersionsOnly: false,
    timeoutMs: 0,
    source: node.definition.source,
  };
  return { id, asset: node.key, team, name, location: "", definition, firstSeenMs: 0, error };
}

function byTeamThenName(a: CheckNode, b: CheckNode): number {
  if (a.team !== b.team) return a.team < b.team ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function checkSite(check: CheckDefinition, { team, location }: LocationSegment): DefinitionSite {
  return { key: `${check.asset}@${check.name}`, team, location, source: check.source };
}

function checkError(check: CheckDefinition, segment: LocationSegment, error: DefinitionError): GraphError {
  return { ...error, location: segment.location, kind: "check", key: `${check.asset}@${check.name}` };
}
