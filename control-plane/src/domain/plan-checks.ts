import { rangeSet } from "@headgate/model";
import { isRunnable, planMissingChecks } from "./check-steps.ts";
import type { GateView } from "./gate.ts";
import type { AssetNode, CheckNode, Graph } from "./graph.ts";
import { partitionTargets, selectNodes } from "./plan-targets.ts";
import { type PlanRefusal, type PlanResult, type PlannedStep, refuse, stepsMax, tooLarge } from "./planned-step.ts";

function notRunnable(node: AssetNode, checks: readonly CheckNode[]): PlanRefusal {
  const names = checks.map((check) => check.name).join(", ");
  const what = checks.length === 1 ? `The check ${names} of ${node.key}` : `Each check of ${node.key} (${names})`;
  const by = checks[0]?.definition.reportedBy;
  if (by === "compute") {
    const hint = `npx headgate materialize ${node.key} makes a version with a new result.`;
    return refuse("check.not_runnable", `${what} is reported by compute, and cannot be run by itself.`, hint);
  }
  if (by === "api") {
    const hint = `npx headgate check report ${node.key} ${checks[0]?.name ?? ""} reports a result for a version.`;
    return refuse("check.not_runnable", `${what} is reported by API, and cannot be run.`, hint);
  }
  const hint = `npx headgate asset show ${node.key} lists its checks.`;
  return refuse("check.not_runnable", `${what} is required, and defined by nobody.`, hint);
}

export interface ChecksRequest {
  readonly asset: string;
  /** Absent: every check of the asset. */
  readonly check?: string;
  readonly partitions?: string;
  /** Absent: the newest version of each partition. */
  readonly versionId?: string;
}

/** A run that only checks versions that exist. */
export function planChecks(graph: Graph, request: ChecksRequest, view: GateView, nowMs: number): PlanResult {
  const { partitions } = request;
  const selection = { selection: `"${request.asset}"`, ...(partitions === undefined ? {} : { partitions }) };
  const selected = selectNodes(graph, selection);
  if (!Array.isArray(selected)) return selected;
  const targets = partitionTargets(selected, selection, nowMs);
  if (!Array.isArray(targets)) return targets;
  const steps: PlannedStep[] = [];
  for (const { node, set } of targets) {
    const checks = node.checks.filter((check) => request.check === undefined || check.name === request.check);
    if (checks.length === 0) {
      const known = node.checks.map((check) => check.name).join(", ") || "none";
      return refuse("check.unknown", `${node.key} has no check ${request.check ?? ""}.`, `Its checks: ${known}.`);
    }
    if (!checks.some(isRunnable)) return notRunnable(node, checks);
    for (const ordinal of rangeSet.ordinals(set)) {
      const partition = node.space.keyAt(ordinal);
      const versions = view.versions(node.key, partition) ?? [];
      const version = request.versionId === undefined ? versions[0] : versions.find((v) => v.id === request.versionId);
      if (version !== undefined) steps.push(...planMissingChecks(node, partition, version.id, checks, steps.length));
    }
  }
  if (steps.length > stepsMax) return tooLarge(steps.length);
  if (steps.length === 0) {
    const external = targets.some(({ node }) => node.definition.external !== undefined);
    const hint = `npx headgate ${external ? "asset report" : "materialize"} ${request.asset} makes a version to check.`;
    return refuse("check.no_version", `${request.asset} has no version to check there.`, hint);
  }
  return { ok: true, plan: { steps } };
}
