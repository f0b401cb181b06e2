import type { AssetKey } from "@headgate/model";
import type { AssetNode, CheckNode, Graph } from "./asset-graph.ts";
import { type VersionView, judge } from "./gate.ts";
import { requiredChecks } from "./required-checks.ts";

/*
 * What a change of definitions does to gates. Both sides are whole graphs, so that what gates is said in one place: a
 * check that is removed, an asset that is no longer refused and a shorter list of required checks are all the same here.
 */

/** An asset whose gate other checks decide, or decide otherwise, than before. */
export interface GatingChange {
  readonly asset: AssetKey;
  /** Undefined: it was not in the graph. */
  readonly before: AssetNode | undefined;
  /** Undefined: it is no longer in the graph. */
  readonly after: AssetNode | undefined;
}

/** In ascending order of the keys, the order in which gates are locked. */
export function gatingChanges(before: Graph, after: Graph): GatingChange[] {
  const changes: GatingChange[] = [];
  for (const [asset, node] of before.assets) {
    const next = after.assets.get(asset);
    if (next === undefined || !gatesAlike(node, next)) changes.push({ asset, before: node, after: next });
  }
  for (const [asset, node] of after.assets) {
    if (!before.assets.has(asset)) changes.push({ asset, before: undefined, after: node });
  }
  return changes.sort((a, b) => (a.asset < b.asset ? -1 : 1));
}

function gatesAlike(a: AssetNode, b: AssetNode): boolean {
  return a.hash === b.hash && a.retired === b.retired && checksAlike(a.checks, b.checks);
}

function checksAlike(a: readonly CheckNode[], b: readonly CheckNode[]): boolean {
  return a.length === b.length && a.every((check, n) => checkAlike(check, b[n]));
}

function checkAlike(a: CheckNode, b: CheckNode | undefined): boolean {
  if (b === undefined || a.id !== b.id) return false;
  const { blocking, version, newVersionsOnly } = a.definition;
  return (
    blocking === b.definition.blocking &&
    version === b.definition.version &&
    newVersionsOnly === b.definition.newVersionsOnly &&
    a.firstSeenMs === b.firstSeenMs
  );
}

/** Whether the change may open a version that was closed: only then its versions have to be looked at. */
export function mayOpen({ before, after }: GatingChange): boolean {
  return before !== undefined && after !== undefined && before.checks.length > 0;
}

/** A version that was closed and, by a change of definitions alone, is open. */
export interface GateOpening {
  readonly asset: AssetKey;
  readonly partition: string;
  readonly version: string;
  /** Ids of the checks that held it closed. */
  readonly checks: readonly string[];
  /** Open to readers of this team only; undefined: to every reader. */
  readonly team: string | undefined;
}

/** Which of these versions the change opens. Source: semantics, "The gate": removing a check is never silent. */
export function gateOpenings(change: GatingChange, versions: readonly VersionView[], nowMs: number): GateOpening[] {
  const { asset, before, after } = change;
  if (before === undefined || after === undefined) return [];
  const openings: GateOpening[] = [];
  const reported = new Set<string>();
  // The owner first: what is open to its readers is not told again for each other team.
  for (const team of new Set([before.team, ...before.checks.map((check) => check.team)])) {
    const required = requiredChecks(before, team);
    const requiredNow = requiredChecks(after, team);
    if (checksAlike(required, requiredNow)) continue;
    for (const version of versions) {
      if (reported.has(version.id)) continue;
      const judgement = judge(asset, version, required, nowMs);
      if (judgement.open || !judge(asset, version, requiredNow, nowMs).open) continue;
      reported.add(version.id);
      const checks = judgement.reasons.flatMap((reason) =>
        "check" in reason ? [`${asset}@${reason.team}:${reason.check}`] : [],
      );
      const only = team === before.team ? undefined : team;
      openings.push({ asset, partition: version.partition, version: version.id, checks, team: only });
    }
  }
  return openings;
}
