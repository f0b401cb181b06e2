import type { Plan, PlannedStep } from "./plan.ts";

/** Names what a step makes, so that a step of a run and one of its retry can be told to be the same. */
export function stepIdentity(step: Pick<PlannedStep, "kind" | "asset" | "partition" | "location">): string {
  return [step.kind, step.asset, step.partition, step.location].join("\n");
}

/** The plan without the steps that have `succeeded`, numbered anew; what came after them no longer waits for them. */
export function withoutSucceeded(plan: Plan, succeeded: ReadonlySet<string>): Plan {
  const kept = plan.steps.filter((step) => !succeeded.has(stepIdentity(step)));
  const indexOf = new Map(kept.map((step, index) => [step.index, index]));
  return {
    steps: kept.map((step, index) => ({
      ...step,
      index,
      after: step.after.flatMap((earlier) => indexOf.get(earlier) ?? []),
    })),
  };
}
