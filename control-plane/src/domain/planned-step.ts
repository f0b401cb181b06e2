import type { AssetKey, RangeSet } from "@headgate/model";
import type { PlannedComputation } from "./computed-together.ts";
import type { Edge } from "./graph.ts";
import type { Reason } from "./reason.ts";

/** The most steps that a run may have. */
export const stepsMax = 50_000;

/** An edge of a planned step with its mapped partitions, resolved once. */
export interface PlannedEdge {
  readonly edge: Edge;
  readonly set: RangeSet;
}

export type Forecast =
  | { readonly kind: "runs" }
  | { readonly kind: "waits"; readonly reasons: readonly Reason[] }
  | { readonly kind: "blocked"; readonly reasons: readonly Reason[] };

export interface PlannedStep {
  readonly index: number;
  readonly kind: "materialize" | "checks";
  readonly asset: AssetKey;
  readonly team: string;
  readonly location: string;
  /** '' where the asset is not partitioned. */
  readonly partition: string;
  /** Steps of this run that must have ended before it. */
  readonly after: readonly number[];
  readonly edges: readonly PlannedEdge[];
  /** Names of the checks that it runs: its own location's (materialize), or those of this step (checks). */
  readonly checks: readonly string[];
  /** The version to check; absent: the one that the step in `after` makes. */
  readonly versionId?: string;
  /** Absent: it is computed alone. */
  readonly computation?: PlannedComputation;
  /** Nobody asked for it: what was asked for cannot be computed without it. */
  readonly added?: true;
  readonly forecast: Forecast;
}

export interface Plan {
  readonly steps: readonly PlannedStep[];
  /** External assets of the selection: they are reported, and no step makes them. */
  readonly leftOut?: readonly AssetKey[];
}

export interface PlanRefusal {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export type PlanResult = { readonly ok: true; readonly plan: Plan } | PlanRefusal;

export function refuse(code: string, message: string, hint: string): PlanRefusal {
  return { ok: false, code, message, hint };
}

export function tooLarge(count: number): PlanRefusal {
  const hint = "Use a backfill, or select fewer partitions.";
  return refuse("run.too_large", `The run would have ${count} steps; ${stepsMax} is the most.`, hint);
}
