import { DatabaseUnavailableError } from "./database-unavailable.ts";
import { fencedState } from "./drive-flush.ts";

/** True when the database could not be reached, or did not say whether it committed. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return error instanceof DatabaseUnavailableError;
}

/** True when the daemon's row is gone: another daemon has taken its runs over. */
export function isFenced(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === fencedState;
}
