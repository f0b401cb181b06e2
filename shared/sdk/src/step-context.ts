import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { CheckResult } from "./check-result.ts";
import type { Log } from "./log.ts";
import type { JsonValue, Metadata } from "./metadata.ts";
import type { PartitionOf } from "./partitions.ts";
import type { ComputedChecks } from "./reported-checks.ts";
import type { ResourceMap, ResourceValues } from "./resource.ts";
import type { HeadgateTypeError } from "./type-error.ts";

/** One upstream version that a step reads. */
export interface InputVersion {
  readonly versionId: string;
  /** "" where the upstream is not partitioned. */
  readonly partitionKey: string;
  readonly dataVersion: string;
  /** As the upstream reported it. */
  readonly metadata: Readonly<Record<string, JsonValue>>;
}

/** What is known of an input beside its value. */
export interface InputDetails {
  readonly assetKey: string;
  /** In partition order. */
  readonly versions: readonly InputVersion[];
  /** Keys of mapped partitions without an open version that `require` allowed to leave out. */
  readonly leftOut: readonly string[];
}

/** What every step knows: compute's and checks'. */
export interface StepContext<P, R extends ResourceMap> {
  readonly assetKey: string;
  /** The partition at hand; undefined for an asset without partitions. */
  readonly partition: PartitionOf<P>;
  readonly resources: ResourceValues<R>;
  readonly log: Log;
  /** Aborted when the step is canceled or times out; pass it on to whatever takes long. */
  readonly signal: AbortSignal;
  /** Of the version that is made or checked. */
  readonly versionId: string;
  readonly runId: string;
  readonly runTags: Readonly<Record<string, string>>;
  /** Counts from 1 within the step. */
  readonly attemptNumber: number;
}

export type ConfigOf<C> =
  C extends StandardSchemaV1<infer _Input, infer Output>
    ? Output
    : HeadgateTypeError<"This asset takes no config: give it `config`, a Standard Schema of an object."> | undefined;

type ReportCheck<K extends ComputedChecks> = [keyof K] extends [never]
  ? HeadgateTypeError<"This asset reports no checks itself: declare them, checks: { name: { blocking: true } }.">
  : (name: keyof K & string, verdict: CheckResult | boolean) => void;

/** The second argument of compute. */
export interface ComputeContext<
  P = unknown,
  C = unknown,
  R extends ResourceMap = ResourceMap,
  Name extends PropertyKey = string,
  K extends ComputedChecks = ComputedChecks,
> extends StepContext<P, R> {
  /** The run's config for this asset, validated; defaults applied. */
  readonly config: ConfigOf<C>;
  /** Adds metadata to the version; a later value of the same name replaces the earlier. */
  readonly metadata: (values: Metadata) => void;
  /** Sets the data version. Default: the digest of the stored value. Readers are stale only when it changes. */
  readonly dataVersion: (version: string) => void;
  /** Reports the verdict of a check that the asset declares in `checks`, of the version that is made. */
  readonly check: ReportCheck<K>;
  /** By dependency name; of an order-only one nothing is passed. */
  readonly inputs: { readonly [N in Name]: InputDetails };
}

/** The second argument of a check's run. */
export interface CheckContext<P = unknown, R extends ResourceMap = ResourceMap> extends StepContext<P, R> {
  /** What compute reported of the version that is checked. */
  readonly metadata: Readonly<Record<string, JsonValue>>;
  readonly dataVersion: string;
}
