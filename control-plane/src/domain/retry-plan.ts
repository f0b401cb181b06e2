import type { Graph } from "./asset-graph.ts";
import { computedTogether } from "./computed-together.ts";
import type { Plan, PlannedStep } from "./planned-step.ts";

/** Names what a step makes, so that a step of a run and one of its retry can be told to be the same. */
export function stepIdentity(step: Pick<PlannedStep, "kind" | "asset" | "partition" | "location">): string {
  return [step.kind, step.asset, step.partition, step.location].join("\n");
}

/**
 * The plan without the steps that have `succeeded`, numbered and joined anew; what came after them no longer waits for
 * them. Of what can only be computed as a whole all is kept, or nothing.
 */
export function withoutSucceeded(graph: Graph, plan: Plan, succeeded: ReadonlySet<string>): Plan {
  const isOpen = (step: PlannedStep): boolean => !succeeded.has(stepIdentity(step));
  const whole = new Set<number>();
  for (const step of plan.steps) {
    if (step.computation?.canSubset === false && isOpen(step)) whole.add(step.computation.first);
  }
  const isKept = (step: PlannedStep): boolean => isOpen(step) || whole.has(step.computation?.first ?? -1);
  // What is made anew is checked anew.
  const isOfKept = ({ kind, after }: PlannedStep): boolean =>
    kind === "checks" && after.some((index) => isKept(plan.steps[index]!));
  const kept = plan.steps.filter((step) => isKept(step) || isOfKept(step));
  const indexOf = new Map(kept.map((step, index) => [step.index, index]));
  const numbered = kept.map((step, index): PlannedStep => {
    return { ...step, index, after: step.after.flatMap((earlier) => indexOf.get(earlier) ?? []) };
  });
  return { steps: computedTogether(graph, numbered) };
}
