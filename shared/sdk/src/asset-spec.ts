import { rememberSite } from "./construction-site.ts";
import type { AnyPartitions } from "./partitions.ts";
import type { StoredValue, ValueDeclaration } from "./value-declaration.ts";

/** Phantom: the type of the value that readers receive. */
export declare const valueType: unique symbol;

/** The part of an asset that other teams may know: its key, its value, its partitions. */
export interface AssetSpecOptions<S extends ValueDeclaration | undefined, P extends AnyPartitions | undefined> {
  /** "team/name": lower-case letters, digits, "_" and "-"; the first segment is the owning team. */
  readonly key: string;
  /** A Standard Schema of the value, or `valueOf<T>()`. Without it the type is what compute returns. */
  readonly value?: S;
  /** Default: not partitioned. */
  readonly partitions?: P;
  /** True: every team may read it. A list: these teams. Default: only its own team. */
  readonly export?: boolean | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly group?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Technologies, for display and selection: ["duckdb", "parquet"]. */
  readonly kinds?: readonly string[] | undefined;
  /** Opaque; a change makes versions stale. Default: derived from the source text of the module that defines it. */
  readonly codeVersion?: string | undefined;
}

/** What others may know of an asset, made by `assetSpec`; every asset is one as well. */
export interface AssetSpec<
  Value = unknown,
  P extends AnyPartitions | undefined = AnyPartitions | undefined,
  S extends ValueDeclaration | undefined = ValueDeclaration | undefined,
> {
  readonly [valueType]: Value;
  readonly key: string;
  readonly value: S;
  readonly partitions: P;
  readonly export?: boolean | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly group?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly kinds?: readonly string[] | undefined;
  readonly codeVersion?: string | undefined;
}

/** Any asset or asset spec, as the upstream end of an edge. */
export type AnySpec = AssetSpec;

/** The type of the value that readers of this asset receive. */
export type ValueOfAsset<A> = A extends { readonly [valueType]: infer Value } ? Value : unknown;

/** The partitions definition of this asset; undefined when it has none. */
export type PartitionsOfAsset<A> = A extends { readonly partitions: infer P } ? P : undefined;

/**
 * Declares an asset without implementing it: the contract that a team's `contract.ts` publishes. Implement it with
 * `asset({ ...spec, deps, compute })`. Never throws: what is wrong with it is reported where it is loaded.
 */
export function assetSpec<
  S extends ValueDeclaration | undefined = undefined,
  P extends AnyPartitions | undefined = undefined,
>(options: AssetSpecOptions<S, P>): AssetSpec<StoredValue<S>, P, S> {
  const spec = { ...options, value: options?.value, partitions: options?.partitions };
  return rememberSite(spec, assetSpec) as unknown as AssetSpec<StoredValue<S>, P, S>;
}
