import type { CheckCompleted, Finished, StepCommand, StepError } from "@headgate/proto";
import { CheckOutcome, Outcome } from "@headgate/proto";
import type { WorkerExit } from "../load/worker-process.ts";
import type { AbortReason } from "../step/worker-protocol.ts";
import type { AttemptLog } from "./attempt-log.ts";
import type { EarlyResults } from "./early-results.ts";
import type { Session } from "./session.ts";
import type { WorkCommand } from "./work.ts";

/** What one worker process takes at once. */
export interface Work {
  readonly command: WorkCommand;
  readonly attempts: Attempt[];
}

/** An attempt that this instance holds: waiting for a worker, running, or finished and not acknowledged. */
export interface Attempt {
  readonly id: string;
  readonly runId: string;
  readonly command: StepCommand;
  /** What its worker process takes: this attempt, or all that one call computes. */
  readonly work: Work;
  readonly log: AttemptLog;
  /** On the monotonic clock. */
  readonly receivedAtMs: number;
  state: "queued" | "running" | "finished";
  /** Where its events go; closed or undefined: they wait. */
  session: Session | undefined;
  abortReason: AbortReason | undefined;
  timeoutTimer: NodeJS.Timeout | undefined;
  killTimer: NodeJS.Timeout | undefined;
  /** Runs while a check with a timeout of its own does. */
  checkTimer: NodeJS.Timeout | undefined;
  readonly early: EarlyResults;
}

/** The end of an attempt that its worker could not report itself. */
function finishedBy(outcome: Outcome, error: Pick<StepError, "code" | "message" | "hint">): Finished {
  return {
    outcome,
    computed: undefined,
    checks: [],
    error: { ...error, stack: "", position: undefined, cause: undefined },
    permanent: false,
  };
}

export function canceledBeforeStart(): Finished {
  return finishedBy(Outcome.OUTCOME_CANCELED, {
    code: "step.canceled",
    message: "The step was canceled before it began.",
    hint: "",
  });
}

/** The verdict on a check that held its worker process for longer than its timeout allows. */
export function checkTimedOut(name: string, checkVersion: number, timeoutMs: number): CheckCompleted {
  const error = {
    code: "check.timed_out",
    message: `The check "${name}" ran into its timeout of ${timeoutMs} ms; its worker process was killed.`,
    hint: "Raise `timeoutMs` of the check, or make it quicker and let it give way: await, or pass `signal` on.",
    stack: "",
    position: undefined,
    cause: undefined,
  };
  const outcome = CheckOutcome.CHECK_OUTCOME_ERRORED;
  return { name, checkVersion, outcome, description: "", metadata: [], error };
}

/** There is no code to run. */
export function notLoaded(words: string): Finished {
  const error = { code: "step.code_not_loaded", message: words, hint: "Mend the location's definitions." };
  return finishedBy(Outcome.OUTCOME_FAILED, error);
}

/** There is code, and no process that can load it. */
export function neverStarted(words: string): Finished {
  const hint = "See the location's stderr; its machine may be short of memory or disk.";
  return finishedBy(Outcome.OUTCOME_CRASHED, { code: "step.worker_start_failed", message: words, hint });
}

/** The end of an attempt whose worker process is gone. */
export function finishedByExit(attempt: Attempt, exit: WorkerExit, pid: number | undefined): Finished {
  switch (attempt.abortReason) {
    case "canceled":
      return finishedBy(Outcome.OUTCOME_CANCELED, {
        code: "step.canceled",
        message: "The step was canceled; it did not end by itself, so its worker process was killed.",
        hint: "Pass `signal` on to what takes long, so that compute ends when it is told to.",
      });
    case "timedOut":
      return finishedBy(Outcome.OUTCOME_TIMED_OUT, {
        code: "step.timed_out",
        message: `The step ran into its timeout of ${attempt.command.timeoutMs} ms; its worker process was killed.`,
        hint: "Raise `timeoutMs`, or pass `signal` on to what takes long.",
      });
    case undefined: {
      const how = exit.signal === null ? `with exit code ${exit.code}` : `by signal ${exit.signal}`;
      return finishedBy(Outcome.OUTCOME_CRASHED, {
        code: "step.worker_died",
        message: `The worker process ${pid ?? ""} ended ${how} while it ran the step.`,
        hint:
          exit.signal === "SIGKILL"
            ? "The system may have run out of memory: see the step's stderr and the machine's log."
            : "See the step's stderr; compute must not end the process.",
      });
    }
  }
}
