import type { RetryPolicy } from "./definitions.ts";

/*
 * One step of a run.
 *
 * waiting   Entered at creation, and again when a retry is due or a lease was refused. It holds nothing: no slot, no
 *           attempt. Left by a lease, or for an end: blocked (a gate is closed), skipped (what it needs failed in this
 *           run), canceled.
 * leased    An attempt's row exists and its command may be on its way. Left for started, unknown, retrying or an end.
 * started   Compute outlasted 250 ms and its location said so. Left like leased.
 * unknown   Contact with the instance was lost. It must converge: back to leased or started when the instance holds the
 *           attempt, or on, as lost, when its lease has run out or its exit is proven.
 * retrying  An attempt ended badly and the policy grants another, after a delay.
 *
 * succeeded, failed, blocked, skipped, canceled: ends; nothing leaves them. A step whose check failed has succeeded: a
 * verdict was reached.
 */

export type StepPhase =
  | "waiting"
  | "leased"
  | "started"
  | "unknown"
  | "retrying"
  | "succeeded"
  | "failed"
  | "blocked"
  | "skipped"
  | "canceled";

export interface StepState {
  readonly phase: StepPhase;
  /** Attempts leased so far. */
  readonly attempts: number;
  /** Of them, those in which compute threw or timed out. */
  readonly thrown: number;
  /** Of them, those whose process died or whose contact was lost. */
  readonly crashed: number;
}

export type StepEvent =
  | { readonly kind: "leased" }
  | { readonly kind: "leaseRefused" }
  | { readonly kind: "started" }
  | { readonly kind: "contactLost" }
  | { readonly kind: "contactRegained"; readonly started: boolean }
  | { readonly kind: "succeeded" }
  /** Compute threw or timed out; `permanent`: the code says that a retry is of no use, or its value is stored already. */
  | { readonly kind: "threw"; readonly permanent: boolean; readonly retryAfterMs?: number; readonly random: number }
  /** The process died under it, or its lease ran out without contact. */
  | { readonly kind: "crashed"; readonly random: number }
  | { readonly kind: "retryDue" }
  | { readonly kind: "blocked" }
  | { readonly kind: "skipped" }
  | { readonly kind: "canceled" };

export type StepEffect =
  /** Come back with `retryDue` after this delay. */
  { readonly kind: "retryAfter"; readonly delayMs: number };

export interface StepTransition {
  readonly state: StepState;
  readonly effects: readonly StepEffect[];
}

export const newStep: StepState = { phase: "waiting", attempts: 0, thrown: 0, crashed: 0 };

export function hasEnded(phase: StepPhase): boolean {
  return (
    phase === "succeeded" || phase === "failed" || phase === "blocked" || phase === "skipped" || phase === "canceled"
  );
}

/** True while an attempt is in flight. */
export function inFlight(phase: StepPhase): boolean {
  return phase === "leased" || phase === "started" || phase === "unknown";
}

/** Longest delay between two attempts. */
const delayMsMax = 3_600_000;

/** The delay before try `n + 1`, after `n` that failed; `random` in [0, 1) spreads it by the policy's jitter. */
export function retryDelayMs(policy: RetryPolicy, n: number, random: number): number {
  const factor = { constant: 1, linear: n, exponential: 2 ** Math.min(n - 1, 30) }[policy.backoff];
  const delayMs = Math.min(policy.delayMs * factor, delayMsMax);
  return Math.round(delayMs * (1 - policy.jitter * random));
}

/** Processes that die at once must not be restarted in a tight loop. */
const crashDelayMsMin = 100;

function move(state: StepState, phase: StepPhase, effects: readonly StepEffect[] = []): StepTransition {
  return { state: { ...state, phase }, effects };
}

/** The next state. What does not apply to the present one changes nothing: late news are no news. */
export function step(state: StepState, event: StepEvent, policy: RetryPolicy): StepTransition {
  if (hasEnded(state.phase)) return { state, effects: [] };
  const running = inFlight(state.phase);
  switch (event.kind) {
    case "leased":
      return state.phase === "waiting"
        ? move({ ...state, attempts: state.attempts + 1 }, "leased")
        : { state, effects: [] };
    case "leaseRefused":
      return state.phase === "leased"
        ? move({ ...state, attempts: state.attempts - 1 }, "waiting")
        : { state, effects: [] };
    case "started":
      return running ? move(state, "started") : { state, effects: [] };
    case "contactLost":
      return running ? move(state, "unknown") : { state, effects: [] };
    case "contactRegained":
      return state.phase === "unknown" ? move(state, event.started ? "started" : "leased") : { state, effects: [] };
    case "succeeded":
      return running ? move(state, "succeeded") : { state, effects: [] };
    case "threw": {
      if (!running) return { state, effects: [] };
      const thrown = state.thrown + 1;
      const next = { ...state, thrown };
      if (event.permanent || thrown > policy.maxRetries) return move(next, "failed");
      const delayMs = event.retryAfterMs ?? retryDelayMs(policy, thrown, event.random);
      return move(next, "retrying", [{ kind: "retryAfter", delayMs: Math.min(delayMs, delayMsMax) }]);
    }
    case "crashed": {
      if (!running) return { state, effects: [] };
      const crashed = state.crashed + 1;
      const next = { ...state, crashed };
      if (crashed > policy.maxCrashes) return move(next, "failed");
      const delayMs = Math.max(crashDelayMsMin * crashed, retryDelayMs(policy, crashed, event.random));
      return move(next, "retrying", [{ kind: "retryAfter", delayMs }]);
    }
    case "retryDue":
      return state.phase === "retrying" ? move(state, "waiting") : { state, effects: [] };
    case "blocked":
      return state.phase === "waiting" ? move(state, "blocked") : { state, effects: [] };
    case "skipped":
      return state.phase === "waiting" ? move(state, "skipped") : { state, effects: [] };
    case "canceled":
      return move(state, "canceled");
  }
}
