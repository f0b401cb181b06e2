import { DatabaseUnavailableError } from "./database-unavailable.ts";
import { fencedState } from "./drive-flush.ts";

/** True when the database could not be reached, or did not say whether it committed. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return error instanceof DatabaseUnavailableError;
}

/** True when the same statement may well succeed the next time: a deadlock, a lock timeout, a server under strain. */
export function isTransient(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && typeof error.code === "string" && /^(40|53|55|57)...$/.test(error.code)
  );
}

/** True when the daemon's row is gone: another daemon has taken its runs over. */
export function isFenced(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === fencedState;
}
