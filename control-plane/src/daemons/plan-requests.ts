import type { RequestedRun } from "../domain/evaluation.ts";
import type { Graph, SensorNode } from "../domain/graph.ts";
import { planRequest } from "../domain/plan-request.ts";
import { refuse, stepsMax } from "../domain/planned-step.ts";
import type { NewRun } from "../storage/create-run.ts";
import type { RefusedRequest, ReservedRun } from "../storage/sensors.ts";

/** Other loops get their turn between so many plans. */
const plansInATurn = 20;

export interface RequestsToPlan {
  readonly graph: Graph;
  readonly sensor: SensorNode;
  readonly requests: readonly ReservedRun[];
  /** Run keys that have their run. */
  readonly answered: ReadonlySet<string>;
  readonly tickId: string;
  readonly actor: string;
  readonly nowMs: number;
  readonly failed: (error: unknown) => void;
}

export interface PlannedRequests {
  readonly runs: readonly NewRun[];
  readonly keys: readonly { readonly runKey: string; readonly runId: string }[];
  readonly refused: readonly RefusedRequest[];
}

/** The runs of requests that have none yet; those that cannot be planned do not cost the others theirs. */
export async function planRequests(asked: RequestsToPlan): Promise<PlannedRequests> {
  const { graph, sensor, requests, answered, tickId, actor, nowMs, failed } = asked;
  const runs: NewRun[] = [];
  const keys: { readonly runKey: string; readonly runId: string }[] = [];
  const refused: RefusedRequest[] = [];
  const taken = new Set(answered);
  let steps = 0;
  for (const [index, { runId, runKey, ...request }] of requests.entries()) {
    if (index % plansInATurn === plansInATurn - 1) await new Promise((resolve) => setImmediate(resolve));
    if (runKey !== undefined && taken.has(runKey)) continue;
    const planned = plannedSafely(graph, sensor, request, nowMs, failed);
    const isTooMuch = planned.ok && steps + planned.plan.steps.length > stepsMax;
    if (!planned.ok || isTooMuch) {
      const { code, message, hint } = planned.ok ? tooManySteps : planned;
      const { targets, partitions } = request;
      refused.push({ ...(runKey === undefined ? {} : { runKey }), targets, partitions, code, message, hint });
      continue;
    }
    steps += planned.plan.steps.length;
    if (runKey !== undefined) {
      taken.add(runKey);
      keys.push({ runKey, runId });
    }
    const { selection, plan } = planned;
    const { partitions, config, tags } = request;
    runs.push({ id: runId, source: "sensor", actor, selection, partitions, config, tags, tickId, plan });
  }
  return { runs, keys, refused };
}

/** A fault of ours costs this request, and no other. */
function plannedSafely(
  graph: Graph,
  sensor: SensorNode,
  request: RequestedRun,
  nowMs: number,
  failed: (error: unknown) => void,
): ReturnType<typeof planRequest> {
  try {
    return planRequest(graph, sensor, request, nowMs);
  } catch (error) {
    failed(error);
    const message = error instanceof Error ? error.message : String(error);
    return refuse("sensor.plan_failed", message, "Report it, with the sensor's definition and its request.");
  }
}

const tooManySteps = {
  code: "sensor.too_many_steps",
  message: `The runs of this evaluation would have more than ${stepsMax} steps.`,
  hint: "Ask for fewer partitions at once.",
};
