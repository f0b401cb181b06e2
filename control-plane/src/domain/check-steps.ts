import type { AssetNode, CheckNode } from "./graph.ts";
import type { PlannedStep } from "./planned-step.ts";

/** The step that makes it, and those that check it elsewhere. */
export function stepsPerPartition(node: AssetNode): number {
  return 1 + byLocation(node.checks.filter((check) => check.location !== node.location)).length;
}

/** Checks of other locations are steps of their own, one a location, after the step that makes the version. */
export function foreignChecks(node: AssetNode, step: PlannedStep, firstIndex: number): PlannedStep[] {
  return byLocation(node.checks.filter((check) => check.location !== node.location)).map(([location, checks], n) =>
    checkStep(node, step.partition, location, checks, firstIndex + n, [step.index]),
  );
}

/** False for what is required and defined by nobody, and for what others report: it can be waived, never run. */
export function isRunnable(check: CheckNode): boolean {
  return check.location !== "" && check.definition.reportedBy === undefined;
}

/** Names of the checks that run with the asset, in its step: those of its own location. */
export function checksWithAsset(node: AssetNode): string[] {
  return node.checks.filter((check) => check.location === node.location && isRunnable(check)).map(({ name }) => name);
}

function byLocation(checks: readonly CheckNode[]): [string, CheckNode[]][] {
  const groups = new Map<string, CheckNode[]>();
  for (const check of checks) {
    if (!isRunnable(check)) continue;
    const group = groups.get(check.location);
    if (group === undefined) groups.set(check.location, [check]);
    else group.push(check);
  }
  return [...groups];
}

function checkStep(
  node: AssetNode,
  partition: string,
  location: string,
  checks: readonly CheckNode[],
  index: number,
  after: readonly number[],
  versionId?: string,
): PlannedStep {
  return {
    index,
    kind: "checks",
    asset: node.key,
    team: checks[0]?.team ?? node.team,
    location,
    partition,
    after,
    edges: [],
    checks: checks.map((check) => check.name),
    ...(versionId === undefined ? {} : { versionId }),
    forecast: { kind: "runs" },
  };
}

/** Steps that run these checks of an existing version, one a location; `index` is that of the first. */
export function planMissingChecks(
  node: AssetNode,
  partition: string,
  versionId: string,
  checks: readonly CheckNode[],
  index: number,
): PlannedStep[] {
  return byLocation(checks).map(([location, group], n) =>
    checkStep(node, partition, location, group, index + n, [], versionId),
  );
}
