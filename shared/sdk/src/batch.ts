import type { CheckResult } from "./check-result.ts";
import type { Dependencies, InputsOf } from "./edge.ts";
import type { Metadata } from "./metadata.ts";
import type { PartitionOf } from "./partitions.ts";
import type { ComputedChecks } from "./reported-checks.ts";
import type { ResourceMap } from "./resource.ts";
import type { Self } from "./self.ts";
import type { ComputeContext, InputDetails } from "./step-context.ts";
import type { HeadgateTypeError } from "./type-error.ts";

/** Asks compute for several partitions in one call. */
export interface Batch {
  /** How many at most, 1 to 400. */
  readonly partitionsMax: number;
}

/** Something for each partition that a call computes, by partition key, in partition order. */
export interface ByPartition<T> extends ReadonlyMap<string, T> {
  /** @throws Error for a key that is not among those that the call computes */
  get(key: string): T;
}

/** One of the partitions that a call computes: what is known of it, and what compute says of it. */
export type BatchPartition<
  P = unknown,
  Name extends PropertyKey = string,
  K extends ComputedChecks = ComputedChecks,
> = PartitionOf<P> & {
  /** Of the version that is made. */
  readonly versionId: string;
  /** Counts from 1 within the step, which is this partition's own. */
  readonly attemptNumber: number;
  /** What it reads, by dependency name. */
  readonly inputs: { readonly [N in Name]: InputDetails };
  /** Adds metadata to the version; a later value of the same name replaces the earlier. */
  readonly metadata: (values: Metadata) => void;
  /** Sets the data version. Default: the digest of the stored value. */
  readonly dataVersion: (version: string) => void;
  /** Reports the verdict of a check that the asset declares in `checks`, of the version that is made. */
  readonly check: [keyof K] extends [never]
    ? HeadgateTypeError<"This asset reports no checks itself: declare them, checks: { name: { blocking: true } }.">
    : (name: keyof K & string, verdict: CheckResult | boolean) => void;
  /** Lets this partition fail with this error, and no other: it needs no value then. */
  readonly fail: (error: Error) => void;
};

/** The second argument of a compute that makes several partitions in one call. */
export interface BatchContext<
  P = unknown,
  C = unknown,
  R extends ResourceMap = ResourceMap,
  Name extends PropertyKey = string,
  K extends ComputedChecks = ComputedChecks,
> extends Omit<
  ComputeContext<P, C, R, Name, K>,
  "partition" | "versionId" | "attemptNumber" | "inputs" | "metadata" | "dataVersion" | "check"
> {
  /** Those to compute, in partition order: 1 to `partitionsMax`, not necessarily in a row. */
  readonly partitions: readonly BatchPartition<P, Name, K>[];
}

/** The first argument of compute: what each dependency passes; in a batch, what it passes to each partition. */
export type ComputeInputs<D, P, S, B> = [B] extends [Batch]
  ? { readonly [Name in keyof InputsOf<D, P, S>]: ByPartition<InputsOf<D, P, S>[Name]> }
  : InputsOf<D, P, S>;

/** The second argument of compute. */
export type ContextOf<P, C, R extends ResourceMap, Name extends PropertyKey, K extends ComputedChecks, B> = [
  B,
] extends [Batch]
  ? BatchContext<P, C, R, Name, K>
  : ComputeContext<P, C, R, Name, K>;

/** What compute returns: the value; in a batch a Map from partition key to value. */
export type ComputedOf<Value, B> = [B] extends [Batch] ? ReadonlyMap<string, Value> : Value;

/** The value of one partition in what compute returned. */
export type ValueMade<Returned, B> = [B] extends [Batch]
  ? Awaited<Returned> extends ReadonlyMap<string, infer Value>
    ? Value
    : unknown
  : Returned;

type BatchNeedsPartitions =
  HeadgateTypeError<"One call computes several partitions, and this asset has none: give it `partitions`, or leave `batch` out.">;
type BatchReadsItself =
  HeadgateTypeError<"Partitions of an asset that reads itself wait for one another: leave `batch` out.">;

type ReadsItself<D extends Dependencies> = {
  [Name in keyof D]: D[Name] extends Self | { readonly upstream: Self } ? true : never;
}[keyof D];

/** Nothing to object to, or an error in words, at the `batch` of an asset with these partitions and dependencies. */
export type CheckedBatch<P, D extends Dependencies> = [P] extends [undefined]
  ? BatchNeedsPartitions
  : [ReadsItself<D>] extends [never]
    ? unknown
    : BatchReadsItself;
