import type { AnyAssetCheck, AssetCheck, CheckResult, CheckSeverity } from "../asset-check.ts";
import type { AnySpec, PartitionsOfAsset, ValueOfAsset } from "../asset-spec.ts";
import type { JsonValue, Metadata } from "../metadata.ts";
import type { ResourceMap, ResourceValues } from "../resource.ts";
import { type GroupCalls, judge } from "../step/judge.ts";
import { checkSizeBytesMax, metadataEntries, plainMetadata } from "../step/metadata-entries.ts";
import { Redaction } from "../step/redaction.ts";
import type { PartitionOption } from "./partition-option.ts";
import { testContext } from "./test-context.ts";

/** What came of a check, as a run records it. */
export interface CheckOutcome {
  /** "errored": it threw, timed out or gave no verdict; `error` says why. */
  readonly outcome: "passed" | "warned" | "failed" | "errored";
  /** True if it was passed; a check that warns has not passed. */
  readonly passed: boolean;
  readonly severity: CheckSeverity;
  /** "" where the check gave none. */
  readonly description: string;
  /** Plain JSON by name. */
  readonly metadata: Readonly<Record<string, JsonValue>>;
  /** What the check threw; undefined unless it errored. */
  readonly error: unknown;
}

/** True if this outcome of this check keeps readers from the version. */
export function shutsGate(check: Pick<AnyAssetCheck, "blocking">, { outcome }: CheckOutcome): boolean {
  return check.blocking === true && (outcome === "failed" || outcome === "errored");
}

/** What `runCheck` is given beside the value. */
export type RunCheckOptions<A extends AnySpec, R extends ResourceMap> = PartitionOption<PartitionsOfAsset<A>> & {
  /** By the names that the check declares; one that is missing throws when it is used. */
  readonly resources?: Partial<ResourceValues<R>>;
  /** What compute reported of the version that is checked. */
  readonly metadata?: Metadata;
  readonly dataVersion?: string;
  readonly signal?: AbortSignal;
};

/** The options as the last parameter: it may be left out where none of them is needed. */
export type Given<Options> = Record<never, never> extends Options ? [options?: Options] : [options: Options];

/**
 * Runs a check on a value, as a run does: under its timeout, with its severity. What the check throws is in the outcome.
 *
 * @throws Error for a partition key that the asset has not
 */
export function runCheck<A extends AnySpec, R extends ResourceMap>(
  check: AssetCheck<A, R>,
  value: NoInfer<ValueOfAsset<A>>,
  ...[options]: Given<RunCheckOptions<A, R>>
): Promise<CheckOutcome> {
  return outcomeOf(check, value, (options ?? {}) as AnyRunCheckOptions);
}

interface AnyRunCheckOptions {
  readonly partition?: string | undefined;
  readonly resources?: Readonly<Record<string, unknown>>;
  readonly metadata?: Metadata;
  readonly dataVersion?: string;
  readonly signal?: AbortSignal;
}

/** `runCheck` where the types of the check do not matter. */
export async function outcomeOf(
  check: AnyAssetCheck,
  value: unknown,
  { metadata = {}, ...given }: AnyRunCheckOptions,
  calls: GroupCalls = new Map(),
): Promise<CheckOutcome> {
  const options = { ...given, metadata: plainMetadata(metadataEntries(metadata, new Redaction())) };
  const context = testContext(check as never, options as never) as object;
  const declared = check.severity ?? "ERROR";
  const signal = given.signal ?? new AbortController().signal;
  try {
    const contextOf = (both: AbortSignal) => ({ ...context, signal: both });
    const result = await judge(check, check.asset.key, value, signal, contextOf, calls);
    return judgedOutcome(declared, result);
  } catch (error) {
    return erroredOutcome(declared, error);
  }
}

/** What a verdict comes to. */
export function judgedOutcome(declared: CheckSeverity, result: CheckResult): CheckOutcome {
  const severity = result.severity ?? declared;
  return {
    outcome: result.passed ? "passed" : severity === "WARN" ? "warned" : "failed",
    passed: result.passed,
    severity,
    description: String(result.description ?? ""),
    metadata: plainMetadata(metadataEntries(result.metadata ?? {}, new Redaction(), checkSizeBytesMax)),
    error: undefined,
  };
}

/** There is no verdict, and this is why. */
export function erroredOutcome(severity: CheckSeverity, error: unknown): CheckOutcome {
  return { outcome: "errored", passed: false, severity, description: "", metadata: {}, error };
}
