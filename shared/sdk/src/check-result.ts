import type { Metadata } from "./metadata.ts";

/** What failing means: "WARN" is shown and lets readers pass; "ERROR" shuts the gate of a blocking check. */
export type CheckSeverity = "WARN" | "ERROR";

/** The verdict of a check on one version. Returning a boolean says `passed` alone. */
export interface CheckResult {
  readonly passed: boolean;
  /** Default: the check's. */
  readonly severity?: CheckSeverity;
  readonly description?: string;
  readonly metadata?: Metadata;
}
