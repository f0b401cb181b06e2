import type { AssetKey } from "@headgate/model";
import type { GrowingNode } from "./assembled-assets.ts";
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
  unexportedAsset,
  type DefinitionSite,
} from "./definition-problems.ts";
import { renamedAsset } from "./former-key-problems.ts";
import type { CheckDefinition, CheckReference, DefinitionError } from "./definitions.ts";
import type { NearestKeys } from "./nearest-key.ts";

export interface CheckContext {
  /** By key; their checks are filled in. */
  readonly assets: ReadonlyMap<AssetKey, GrowingNode>;
  /** When a retired asset vanished, where that is known. */
  readonly retiredMsOf: (key: AssetKey) => number | undefined;
  /** Former keys, and what they are called now. */
  readonly renamed: ReadonlyMap<string, AssetKey>;
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
 * Gives each asset its checks, of every team, ordered by team, then name.
 *
 * Unknown is closed: a check that `requiredChecks` names and that nobody defines is there all the same, with its last
 * definition or an empty one, an error and, in the empty case, no location; the asset is kept, and says so as an error.
 */
export function linkChecks(segments: readonly LocationSegment[], context: CheckContext): void {
  const known = new Map<string, CheckNode>();
  const removed = new Map<string, StoredCheck>();
  for (const segment of segments) {
    for (const stored of segment.checks) {
      const { asset, name } = stored.definition;
      const id = checkId(asset, segment.team, name);
      const node = context.assets.get(asset);
      if (stored.retired === true && !wentWithItsAsset(stored, segment, node, context)) {
        removed.set(id, { stored, segment });
        continue;
      }
      const problem = checkProblem(stored, segment, node, known.get(id), context);
      if (problem === undefined && node !== undefined) {
        const check = checkNode(id, { stored, segment });
        known.set(id, check);
        node.checks.push(check);
      } else if (problem !== undefined && stored.retired !== true) {
        context.refuse(checkError(stored.definition, segment, problem));
      }
    }
  }
  for (const node of context.assets.values()) {
    addRequired(node, known, removed, context);
    if (node.checks.length > 1) node.checks.sort(byTeamThenName);
  }
}

/**
 * An asset whose whole module is deleted loses its checks in the same manifest. Its versions still serve, so those
 * checks still judge them; only a check that was removed before its asset is gone.
 */
function wentWithItsAsset(
  stored: StoredDefinition<CheckDefinition>,
  segment: LocationSegment,
  asset: AssetNode | undefined,
  { retiredMsOf }: CheckContext,
): boolean {
  if (asset?.retired !== true || asset.location !== segment.location) return false;
  const assetMs = retiredMsOf(asset.key);
  return assetMs === undefined || stored.retiredMs === undefined || stored.retiredMs >= assetMs;
}

function checkProblem(
  { definition: check, retired: vanished }: StoredDefinition<CheckDefinition>,
  segment: LocationSegment,
  asset: AssetNode | undefined,
  first: CheckNode | undefined,
  context: CheckContext,
): DefinitionError | undefined {
  if (asset === undefined) {
    const site = checkSite(check, segment);
    const now = context.renamed.get(check.asset);
    if (now !== undefined) return renamedAsset(site, check, now);
    const root = context.rootOf(check.asset);
    if (root !== undefined) return refusedAsset(site, check, { key: root.key, error: root });
    const visible = (key: AssetKey): boolean => {
      const node = context.assets.get(key);
      return node !== undefined && isVisibleTo(node.definition, node.team, segment.team);
    };
    return missingAsset(site, check, context.nearest.nearest(check.asset, visible));
  }
  const isVisible = isVisibleTo(asset.definition, asset.team, segment.team);
  if (!isVisible && !isReadBy(asset, segment.team)) {
    return notExported(checkSite(check, segment), "checks", check.asset);
  }
  if (first !== undefined) return duplicateCheck(checkSite(check, segment), check, first.location);
  if (asset.retired && !vanished)
    context.warn(checkError(check, segment, retiredAsset(checkSite(check, segment), check)));
  if (!isVisible) context.warn(checkError(check, segment, unexportedAsset(checkSite(check, segment), check)));
  return undefined;
}

/**
 * Edges that are older than the end of the export go on being served, and so the reader's own checks go on gating them:
 * else the owner of the asset could open a gate that another team shut.
 */
function isReadBy(asset: AssetNode, team: string): boolean {
  return asset.downstream.some(({ downstream }) => downstream.team === team);
}

function checkNode(id: string, { stored, segment }: StoredCheck, error = stored.error): CheckNode {
  const { definition, firstSeenMs } = stored;
  const { asset, name } = definition;
  const { team, location } = segment;
  return { id, asset, team, name, location, definition, firstSeenMs, ...(error && { error }) };
}

function addRequired(
  node: GrowingNode,
  known: ReadonlyMap<string, CheckNode>,
  removed: ReadonlyMap<string, StoredCheck>,
  context: CheckContext,
): void {
  const { key, location, definition } = node;
  for (const reference of definition.requiredChecks) {
    const { asset, team, name } = reference;
    const site: DefinitionSite = { key, team: node.team, location, source: definition.source };
    const id = checkId(asset, team, name);
    const found = asset === key ? known.get(id) : undefined;
    if (found !== undefined) {
      if (found.definition.blocking) continue;
      context.warn({ ...requiredCheckNotBlocking(site, team, name), location, kind: "asset", key });
      continue;
    }
    if (node.checks.some((check) => check.id === id)) continue;
    const error = missingRequiredCheck(site, definition, reference);
    if (!node.retired) context.refuse({ ...error, location, kind: "asset", key });
    const last = asset === key ? removed.get(id) : undefined;
    node.checks.push(last === undefined ? undefinedCheck(node, id, reference, error) : checkNode(id, last, error));
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
