import type { PartitionOf } from "../partitions.ts";
import type { HeadgateTypeError } from "../type-error.ts";

/** `partition`, which is asked for exactly where the partitions definition `P` is one. */
export type PartitionOption<P> = [P] extends [undefined]
  ? { readonly partition?: HeadgateTypeError<"This asset is not partitioned: leave `partition` out."> | undefined }
  : { readonly partition: PartitionOf<P> extends { readonly key: infer Key } ? Key : string };
