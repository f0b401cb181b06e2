import type { Graph, SensorNode } from "./asset-graph.ts";
import { configRefusal } from "./config-refusal.ts";
import type { RequestedRun } from "./evaluation.ts";
import type { GateView } from "./gate.ts";
import { planSteps } from "./plan.ts";
import { partitionTargets } from "./plan-targets.ts";
import { type Plan, type PlanRefusal, refuse } from "./planned-step.ts";

/** The run that a request of a sensor comes to. */
export interface PlannedRequest {
  readonly ok: true;
  readonly selection: string;
  readonly partitions: string;
  readonly plan: Plan;
}

/** As for a run by API. */
const tagName = /^[A-Za-z0-9_.:/-]{1,63}$/;

/** Nothing is known of versions: a sensor asks for runs, and the gate judges when their steps are ready. */
const blind: GateView = { versions: () => undefined };

/**
 * Plans what a sensor asks for: of its own targets only, and of partitioned ones never all by default.
 *
 * @param nowMs which partitions there are is judged at this time
 */
export function planRequest(
  graph: Graph,
  sensor: SensorNode,
  request: RequestedRun,
  nowMs: number,
): PlannedRequest | PlanRefusal {
  const foreign = request.targets.find((target) => !sensor.targets.some(({ key }) => key === target));
  if (foreign !== undefined) {
    const hint = `Its targets are ${sensor.targets.map(({ key }) => key).join(", ")}: list the asset among them.`;
    return refuse("sensor.foreign_target", `${foreign} is not a target of sensor ${sensor.name}.`, hint);
  }
  const tag = Object.keys(request.tags).find((name) => !tagName.test(name));
  if (tag !== undefined) {
    const message = `${JSON.stringify(tag)} is not the name of a tag.`;
    return refuse("sensor.tag_invalid", message, "A name is 1 to 63 letters, digits, _ . : / or -.");
  }
  const nodes = sensor.targets.filter(({ key }) => request.targets.length === 0 || request.targets.includes(key));
  const cut = nodes.find(({ space }) => space.definition !== undefined);
  if (cut !== undefined && request.partitions === "") {
    const message = `${cut.key} is partitioned, and the request names no partitions: it would make all of them.`;
    return refuse("sensor.partitions_missing", message, 'Name them: { partitions: "2001-07" }.');
  }
  const selection = nodes.map(({ key }) => key).join(" or ");
  const targets = partitionTargets(nodes, { selection, partitions: request.partitions }, nowMs);
  if (!Array.isArray(targets)) return targets;
  const planned = planSteps(graph, targets, blind, nowMs);
  if (!planned.ok) return planned;
  const wrong = configRefusal(graph, request.config, planned.plan);
  if (wrong !== undefined) return wrong;
  return { ok: true, selection, partitions: request.partitions, plan: planned.plan };
}
