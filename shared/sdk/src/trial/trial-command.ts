import { randomUUID } from "node:crypto";
import type { StepCommand } from "@headgate/proto";
import { DependencyMode } from "@headgate/proto";
import type { EdgeMode } from "../edge.ts";
import type { ValueReference } from "../io-manager.ts";
import type { TrialPlan } from "./plan-trial.ts";

/** A version that a trial reads. */
export interface TrialVersion {
  readonly versionId: string;
  readonly partitionKey: string;
  /** Undefined: nothing was stored for it. */
  readonly value: ValueReference | undefined;
  readonly dataVersion: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The versions that a trial reads through one dependency. */
export interface TrialInput {
  readonly name: string;
  readonly assetKey: string;
  readonly mode: EdgeMode;
  readonly single: boolean;
  /** In partition order. */
  readonly versions: readonly TrialVersion[];
  readonly leftOut: readonly string[];
}

/** A trial: what was planned, on which inputs and under which config. */
export interface TrialRequest {
  readonly plan: TrialPlan;
  readonly inputs: readonly TrialInput[];
  /** As a run would give it; undefined: none. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  readonly runTags?: Readonly<Record<string, string>>;
  /** Absolute path of an existing folder in which the value is stored. */
  readonly folder: string;
}

const modes: Readonly<Record<EdgeMode, DependencyMode>> = {
  strict: DependencyMode.DEPENDENCY_MODE_STRICT,
  lastValidated: DependencyMode.DEPENDENCY_MODE_LAST_VALIDATED,
  orderOnly: DependencyMode.DEPENDENCY_MODE_ORDER_ONLY,
};

/** The command that a control plane would send, with ids that are nobody's. */
export function commandOf({ plan, inputs, config, runTags = {} }: TrialRequest): StepCommand {
  return {
    attemptId: randomUUID(),
    runId: `try-${randomUUID()}`,
    epoch: 1,
    attemptNumber: 1,
    assetKey: plan.assetKey,
    partitionKey: plan.partitionKey,
    window: plan.window,
    work: {
      $case: "materialize",
      value: {
        versionId: randomUUID(),
        inputs: inputs.map(({ name, assetKey, mode, single, versions, leftOut }) => ({
          name,
          assetKey,
          mode: modes[mode],
          single,
          leftOut: [...leftOut],
          versions: versions.map(({ metadata, ...version }) => ({ ...version, metadata: JSON.stringify(metadata) })),
        })),
        checks: plan.checks.flatMap(({ name, runs }) => (runs ? [name] : [])),
        config: config === undefined ? "" : JSON.stringify(config),
      },
    },
    timeoutMs: plan.timeoutMs,
    leaseMs: 0,
    traceparent: "",
    runTags: { ...runTags },
  };
}
