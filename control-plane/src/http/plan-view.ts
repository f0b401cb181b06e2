import type pg from "pg";
import type { GateView } from "../domain/gate.ts";
import type { PlanTarget } from "../domain/plan-targets.ts";
import type { PlanRefusal } from "../domain/planned-step.ts";
import { ancestors } from "../domain/root-reasons.ts";
import { loadGateView } from "../storage/gate-state.ts";
import { Problem } from "./problem.ts";

/** The gate's view of whatever decides about these targets: themselves and all that is upstream of them. */
export function viewFor(db: Pick<pg.Pool | pg.PoolClient, "query">, targets: readonly PlanTarget[]): Promise<GateView> {
  const nodes = ancestors(targets.map((target) => target.node));
  return loadGateView(
    db,
    nodes.map((node) => node.key),
  );
}

/** A planner's refusal under its own code. */
export function planProblem(refusal: PlanRefusal): Problem {
  return new Problem("plan.refused", refusal.message, refusal.hint, { as: refusal.code });
}
