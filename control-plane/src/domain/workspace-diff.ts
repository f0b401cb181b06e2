import type { AssetKey } from "@headgate/model";
import { type AssetChange, assetChanges, audienceText } from "./asset-change.ts";
import type { AssetNode, Graph, GraphError } from "./asset-graph.ts";
import { isVisibleTo } from "./asset-graph.ts";
import { type ScheduleChanges, scheduleChanges } from "./schedule-change.ts";
import { type CheckChange, checkChanges } from "./check-change.ts";

/** Who still asks for an asset: another asset, by its key, or a check of another team, by its name. */
export interface Consumer {
  readonly kind: "asset" | "check";
  readonly key: string;
  readonly team: string;
}

export interface DiffedAsset {
  readonly key: AssetKey;
  readonly team: string;
  readonly location: string;
}

/** What one set of definitions makes of another. Everything is ordered by key. */
export interface WorkspaceDiff {
  readonly added: readonly DiffedAsset[];
  /** No longer defined; its stored versions go on serving the consumers that are left. */
  readonly removed: readonly (DiffedAsset & { readonly consumers: readonly Consumer[] })[];
  /** Served to fewer teams; the consumers are those of teams that lost it. */
  readonly unexported: readonly (DiffedAsset & {
    readonly before: string;
    readonly after: string;
    readonly consumers: readonly Consumer[];
  })[];
  readonly changed: readonly (DiffedAsset & { readonly changes: readonly AssetChange[] })[];
  /** Definitions that are refused, and were not. `served`: there was a good one before. */
  readonly refused: readonly (GraphError & { readonly served: boolean })[];
  readonly checks: {
    readonly added: readonly CheckChange[];
    readonly removed: readonly CheckChange[];
    readonly weakened: readonly CheckChange[];
    readonly strengthened: readonly CheckChange[];
  };
  readonly schedules: ScheduleChanges;
}

/**
 * Compares two asset graphs.
 *
 * @param after as the control plane would have it: with what vanished kept as retired for its readers, and with the
 *   edges of `before` established
 */
export function workspaceDiff(before: Graph, after: Graph): WorkspaceDiff {
  const defined = (graph: Graph, key: AssetKey): AssetNode | undefined => {
    const node = graph.asset(key);
    return node?.retired === true ? undefined : node;
  };
  const refused = newErrors(before, after);
  const refusedAssets = new Set(refused.filter(({ kind }) => kind === "asset").map(({ key }) => key));
  const old = inOrder(before).filter((node) => !node.retired);
  // A key that another one has taken over is renamed: neither removed nor added.
  const renamed = new Map<AssetKey, AssetNode>();
  for (const node of after.order) {
    const { formerly } = node.definition;
    const isRename = formerly !== undefined && defined(after, formerly) === undefined && !node.retired;
    if (isRename && defined(before, formerly) !== undefined && defined(before, node.key) === undefined) {
      renamed.set(formerly, node);
    }
  }
  const newNames = new Set([...renamed.values()].map(({ key }) => key));
  const pairs = old.flatMap((node) => {
    const newer = defined(after, node.key) ?? renamed.get(node.key);
    return newer === undefined ? [] : [{ older: node, newer }];
  });
  return {
    added: inOrder(after)
      .filter(({ key, retired }) => !retired && defined(before, key) === undefined && !newNames.has(key))
      .map(diffed),
    removed: old
      .filter(({ key }) => defined(after, key) === undefined && !renamed.has(key) && !refusedAssets.has(key))
      .map((node) => ({ ...diffed(node), consumers: consumersOf(after.asset(node.key), () => true) })),
    unexported: pairs.flatMap(({ older, newer }) => unexported(older, newer)),
    changed: pairs.flatMap(({ older, newer }) => changed(older, newer)),
    refused,
    checks: allChecks(pairs, refused),
    schedules: scheduleChanges(before, after, refused),
  };
}

/** True if nothing is removed, served to fewer, refused or checked less. */
export function isSafe(diff: WorkspaceDiff): boolean {
  const { removed, unexported: withdrawn, changed: others, refused, checks, schedules } = diff;
  const lost = [removed, withdrawn, refused, checks.removed, checks.weakened, schedules.removed];
  return (
    lost.every(({ length }) => length === 0) && !others.some(({ changes }) => changes.some(({ weakens }) => weakens))
  );
}

function inOrder(graph: Graph): AssetNode[] {
  return [...graph.order].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function diffed({ key, team, location }: AssetNode): DiffedAsset {
  return { key, team, location };
}

function consumersOf(node: AssetNode | undefined, concerns: (team: string) => boolean): Consumer[] {
  if (node === undefined) return [];
  // An asset that reads its own earlier partitions is no reason to keep it.
  const others = node.downstream.filter(({ downstream }) => downstream !== node);
  const readers = others.map(({ downstream: { key, team } }): Consumer => ({ kind: "asset", key, team }));
  const checks = node.checks
    .filter(({ team }) => team !== node.team)
    .map(({ name, team }): Consumer => ({ kind: "check", key: name, team }));
  const unique = new Map([...readers, ...checks].map((consumer) => [`${consumer.kind} ${consumer.key}`, consumer]));
  return [...unique.values()]
    .filter(({ team }) => concerns(team))
    .sort((a, b) => (a.kind === b.kind ? (a.key < b.key ? -1 : 1) : a.kind < b.kind ? -1 : 1));
}

function unexported(older: AssetNode, newer: AssetNode): WorkspaceDiff["unexported"][number][] {
  const [was, is] = [older.definition, newer.definition];
  // What everybody could read and only some can now is served to fewer, and so is a list that lost a name.
  const fewer = is.export ? false : was.export || was.exportTo.some((team) => !is.exportTo.includes(team));
  if (!fewer) return [];
  const lost = (team: string): boolean => isVisibleTo(was, older.team, team) && !isVisibleTo(is, newer.team, team);
  return [
    { ...diffed(newer), before: audienceText(was), after: audienceText(is), consumers: consumersOf(newer, lost) },
  ];
}

function changed(older: AssetNode, newer: AssetNode): WorkspaceDiff["changed"][number][] {
  const changes = assetChanges(older.definition, newer.definition);
  if (older.location !== newer.location) {
    changes.push({ aspect: "location", text: `location ${older.location} → ${newer.location}`, weakens: false });
  }
  return changes.length === 0 ? [] : [{ ...diffed(newer), changes }];
}

/** Errors of the newer side that the older one does not have. */
function newErrors(before: Graph, after: Graph): WorkspaceDiff["refused"] {
  const identity = ({ kind, key, location, code }: GraphError): string => `${kind} ${key} ${location} ${code}`;
  const known = new Set(before.errors.map(identity));
  const served = new Set<string>();
  for (const node of before.order) {
    if (!node.retired) served.add(node.key);
    for (const { asset, name, location } of node.checks) served.add(`${location} ${asset}@${name}`);
  }
  return after.errors
    .filter((error) => !known.has(identity(error)))
    .map((error) => {
      const name = error.kind === "check" ? `${error.location} ${error.key}` : error.key;
      return { ...error, served: served.has(name) };
    });
}

function allChecks(
  pairs: readonly { readonly older: AssetNode; readonly newer: AssetNode }[],
  refused: WorkspaceDiff["refused"],
): WorkspaceDiff["checks"] {
  const refusedChecks = new Set(
    refused.filter(({ kind }) => kind === "check").map(({ location, key }) => `${location} ${key}`),
  );
  const each = pairs.map(({ older, newer }) =>
    checkChanges(older, newer, ({ location, asset, name }) => refusedChecks.has(`${location} ${asset}@${name}`)),
  );
  return {
    added: each.flatMap(({ added }) => added),
    removed: each.flatMap(({ removed }) => removed),
    weakened: each.flatMap(({ weakened }) => weakened),
    strengthened: each.flatMap(({ strengthened }) => strengthened),
  };
}
