import type { AutomationCondition } from "./when.ts";

/** How often a step is tried again, and how long after. */
export interface RetryOptions {
  /** Tries after the first when compute throws; default 0. */
  readonly maxRetries?: number;
  /** Default 1,000. */
  readonly delayMs?: number;
  /** Default "constant". */
  readonly backoff?: "constant" | "linear" | "exponential";
  /** Part of the delay that is random, 0 to 1; default 0. */
  readonly jitter?: number;
  /** Tries after the first when the process that computes dies or contact with it is lost; counted apart. */
  readonly maxCrashes?: number;
}

/** When compute is asked for, how often it is tried and how long it may take: of an asset, or of several at once. */
export interface ComputeOptions {
  /** Default: nothing is requested automatically. */
  readonly automation?: AutomationCondition | undefined;
  readonly retry?: RetryOptions | undefined;
  /** Milliseconds for compute, what it writes and the checks together; default: the control plane's. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds without contact after which an attempt is given up on both sides; default 60,000. */
  readonly attemptLeaseMs?: number | undefined;
  /** Milliseconds that a step waits for pending checks upstream; default 3,600,000. */
  readonly gateTimeoutMs?: number | undefined;
  /**
   * Compute takes a slot of this pool, across all teams: at most as many as an operator has set with `headgate pool set`.
   * 1 to 63 of a to z, 0 to 9, _ and -, beginning with a letter or a digit.
   */
  readonly pool?: string | undefined;
  /** A value is overwritten: no version of it can be read but the newest. */
  readonly inPlace?: boolean | undefined;
}
