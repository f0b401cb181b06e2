import type { CheckCompleted, Computed, Finished, StepError } from "@headgate/proto";
import { Outcome } from "@headgate/proto";
import { retryWish } from "./retry-wish.ts";
import type { Cleaning } from "./step-error.ts";
import { stepError } from "./step-error.ts";
import { StepFailure } from "./step-failure.ts";
import type { AbortReason } from "./worker-protocol.ts";

/** What is known of an attempt when it ends. */
export interface Done {
  readonly computed: Computed | undefined;
  readonly checks: readonly CheckCompleted[];
}

/** Why a step is told to stop. */
export function abortError(reason: AbortReason, timeoutMs: number): StepFailure {
  const words = reason === "canceled" ? "The step was canceled." : `The step ran into its timeout of ${timeoutMs} ms.`;
  return new StepFailure(reason === "canceled" ? "step.canceled" : "step.timed_out", words, "");
}

/** The end of an attempt that has come through: it failed if a check of it reached no verdict. */
export function endedInOrder(done: Done): Finished {
  const errored = done.checks.find((check) => check.error !== undefined);
  const outcome = errored === undefined ? Outcome.OUTCOME_SUCCEEDED : Outcome.OUTCOME_FAILED;
  return finishedWith(done, { outcome, error: errored && noVerdict(errored) });
}

/** The end of an attempt of `definition` that threw, or that was told to stop for `reason` with `abort`. */
export function endedBy(
  done: Done,
  error: unknown,
  reason: AbortReason | undefined,
  abort: unknown,
  cleaning: Cleaning,
  definition?: object,
): Finished {
  const code = reason === "canceled" ? "step.canceled" : reason === "timedOut" ? "step.timed_out" : "step.threw";
  if (reason === undefined) {
    const outcome = Outcome.OUTCOME_FAILED;
    return finishedWith(done, { outcome, error: stepError(error, code, cleaning, definition), ...retryWish(error) });
  }
  // What user code throws once it was told to stop is the echo of the abort, and no cause of its own.
  const outcome = reason === "canceled" ? Outcome.OUTCOME_CANCELED : Outcome.OUTCOME_TIMED_OUT;
  return finishedWith(done, { outcome, error: { ...stepError(abort, code, cleaning), code } });
}

function finishedWith(done: Done, parts: Pick<Finished, "outcome" | "error"> & Partial<Finished>): Finished {
  return { computed: done.computed, checks: [...done.checks], permanent: false, ...parts };
}

/** The step's error names the check: the check's own may be as short as what user code threw. */
function noVerdict({ name, error }: CheckCompleted): StepError | undefined {
  if (error === undefined || (error.code.startsWith("check.") && error.code !== "check.threw")) return error;
  const how = error.code === "check.threw" ? "threw" : "reached no verdict";
  return { ...error, message: `The check "${name}" ${how}: ${error.message}` };
}
