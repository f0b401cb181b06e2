import type { CheckSeverity } from "./check-result.ts";

/** A check whose verdict is reported, by compute or by API, and not reached by a function of its own. */
export interface ReportedCheck {
  readonly description?: string | undefined;
  /** True: while it has not passed, nothing downstream may read the version. Default false. */
  readonly blocking?: boolean | undefined;
  /** At least 1 (the default); raise it when older results should no longer count. */
  readonly version?: number | undefined;
  /** Versions made before this check was first seen are not judged by it. */
  readonly appliesTo?: "newVersions" | undefined;
}

/** By name: lower-case letters, digits, "_" and "-". */
export type ReportedChecks = Readonly<Record<string, ReportedCheck>>;

/** A check that compute reports. */
export interface ComputedCheck extends ReportedCheck {
  /** What not passing means unless the verdict says otherwise; default "ERROR". */
  readonly severity?: CheckSeverity | undefined;
}

/** By name. Compute has to report each with `context.check(name, verdict)`. */
export type ComputedChecks = Readonly<Record<string, ComputedCheck>>;
