import type { ComputationCommand, StepCommand } from "@headgate/proto";

/** What one worker process is given at once: one step, or all that one call computes. */
export type WorkCommand =
  | { readonly kind: "step"; readonly command: StepCommand }
  | { readonly kind: "computation"; readonly command: ComputationCommand };
