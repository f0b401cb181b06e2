import type { PartitionMapping } from "@headgate/model";
import type { AnySpec, PartitionsOfAsset, ValueOfAsset } from "./asset-spec.ts";
import { rememberSite } from "./construction-site.ts";
import type { Self } from "./self.ts";
import { isSelf } from "./self.ts";
import type { StaticPartitions, TimeWindowPartitions } from "./partitions.ts";
import type { HeadgateTypeError } from "./type-error.ts";
import type { StoredValue, ValueDeclaration } from "./value-declaration.ts";

export type EdgeMode = "strict" | "lastValidated" | "orderOnly";

/** "offset" moves by one distance and keeps one window a window; "offsets" spans several. */
export type MappingKind = "default" | "all" | "last" | "offset" | "offsets" | "static";

/** "every": each mapped partition must have an open version; `{ atLeast: n }`: n of them, the others are left out. */
export type Require = "every" | { readonly atLeast: number };

/** A dependency with more to say than "the newest version of the mapped partition, if it is open". */
export interface Edge<
  Upstream extends AnySpec = AnySpec,
  Mode extends EdgeMode = EdgeMode,
  Mapping extends MappingKind = MappingKind,
> {
  readonly kind: "edge";
  readonly upstream: Upstream;
  readonly mode: Mode;
  readonly mappingKind: Mapping;
  /** Absent: the control plane's default for the two partitions definitions. */
  readonly mapping?: PartitionMapping;
  readonly require?: Require;
}

/** What may stand in `deps`: an asset or a spec (a strict edge), or an edge. */
export type Dependency = AnySpec | Edge;
export type Dependencies = Readonly<Record<string, Dependency>>;

/** Several partitions of one upstream, by partition key, in partition order. */
export interface Partitioned<T> extends ReadonlyMap<string, T> {
  /** Keys of mapped partitions that had no open version and that `require` allowed to leave out. */
  readonly leftOut: readonly string[];
}

type UpstreamOf<D> = D extends Edge<infer U> ? U : D extends AnySpec ? D : never;
type ModeOf<D> = D extends Edge<AnySpec, infer M> ? M : "strict";
type MappingOf<D> = D extends Edge<AnySpec, EdgeMode, infer M> ? M : "default";

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** True where a reader's partition reads exactly one upstream partition; decided from the definitions alone. */
type IsSingle<U, P, M> = [U] extends [undefined]
  ? true
  : M extends "last"
    ? true
    : M extends "all" | "offsets" | "static"
      ? false
      : U extends TimeWindowPartitions<infer UpstreamCron, infer UpstreamZone>
        ? P extends TimeWindowPartitions<infer Cron, infer Zone>
          ? Same<[UpstreamCron, UpstreamZone], [Cron, Zone]>
          : false
        : U extends StaticPartitions<infer UpstreamKey>
          ? P extends StaticPartitions<infer Key>
            ? Same<UpstreamKey, Key>
            : false
          : false;

/** The value of an asset by its declaration. */
type DeclaredValue<S> = S extends ValueDeclaration ? StoredValue<S> : unknown;

/** What compute receives for dependency `D` of an asset with partitions `P` and the declared value `S`. */
export type InputOf<D, P, S = undefined> =
  UpstreamOf<D> extends Self
    ? MappingOf<D> extends "offset"
      ? DeclaredValue<S> | undefined
      : Partitioned<DeclaredValue<S>>
    : IsSingle<PartitionsOfAsset<UpstreamOf<D>>, P, MappingOf<D>> extends true
      ? ValueOfAsset<UpstreamOf<D>>
      : Partitioned<ValueOfAsset<UpstreamOf<D>>>;

/** The first argument of compute: one value or `Partitioned` a dependency; what is order-only is absent. */
export type InputsOf<D, P, S = undefined> = {
  readonly [Name in keyof D as ModeOf<D[Name]> extends "orderOnly" ? never : Name]: InputOf<D[Name], P, S>;
};

type MissingMapping =
  HeadgateTypeError<"The partitions of this dependency do not match this asset's: say which to read, with allPartitions(x), lastPartition(x) or mappedPartitions(x, { ... }).">;
type OffsetNeedsWindows =
  HeadgateTypeError<"windowOffset(x, n) needs time windows on both sides: partition this asset by time, or use allPartitions(x) or lastPartition(x).">;

type SelfNeedsOffset =
  HeadgateTypeError<"An asset reads earlier windows of itself alone: write windowOffset(self, -1), or windowOffset(self, -7, -1).">;
type SelfNeedsWindows =
  HeadgateTypeError<"An asset that reads itself needs time windows: give it `partitions`, such as dailyPartitions({ ... }).">;
type SelfNeedsValue =
  HeadgateTypeError<"The value of an asset that reads itself is not inferred: give it `value`, a Standard Schema or valueOf<T>().">;

type CheckedSelf<D, P, M, S> = M extends "offset" | "offsets"
  ? [P] extends [TimeWindowPartitions]
    ? [S] extends [undefined]
      ? ModeOf<D> extends "orderOnly"
        ? D
        : SelfNeedsValue
      : D
    : SelfNeedsWindows
  : SelfNeedsOffset;

type CheckedMapping<D, U, P, M> = [U] extends [undefined]
  ? D
  : M extends "offset" | "offsets"
    ? [U, P] extends [TimeWindowPartitions, TimeWindowPartitions]
      ? D
      : OffsetNeedsWindows
    : M extends "default"
      ? [P] extends [undefined]
        ? D
        : [U, P] extends [TimeWindowPartitions, TimeWindowPartitions]
          ? D
          : [U, P] extends [StaticPartitions<infer UpstreamKey>, StaticPartitions<infer Key>]
            ? Same<UpstreamKey, Key> extends true
              ? D
              : MissingMapping
            : MissingMapping
      : D;

/** `D` again where every dependency can be mapped to partitions `P`; an error in words at the one that cannot. */
export type CheckedDependencies<D, P, S = undefined> = {
  readonly [Name in keyof D]: UpstreamOf<D[Name]> extends Self
    ? CheckedSelf<D[Name], P, MappingOf<D[Name]>, S>
    : CheckedMapping<D[Name], PartitionsOfAsset<UpstreamOf<D[Name]>>, P, MappingOf<D[Name]>>;
};

interface EdgeParts {
  readonly upstream: AnySpec;
  readonly mode: EdgeMode;
  readonly mappingKind: MappingKind;
  readonly mapping?: PartitionMapping | undefined;
  readonly require?: Require | undefined;
}

/** The asset or spec that a dependency of `reader` leads to: `reader` for `self`. */
export function upstreamOf(dependency: Dependency, reader: AnySpec): AnySpec {
  const upstream = isEdge(dependency) ? dependency.upstream : dependency;
  return isSelf(upstream) ? reader : upstream;
}

/** True for what `lastValidated`, `allPartitions` and the others return. */
export function isEdge(value: unknown): value is Edge {
  return typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "edge";
}

function extend<Result>(inner: Dependency, change: Partial<EdgeParts>, constructor: () => unknown): Result {
  const base: EdgeParts = isEdge(inner) ? inner : { upstream: inner, mode: "strict", mappingKind: "default" };
  const { mapping, require, ...rest } = { ...base, ...dropUndefined(change) };
  const edge = { ...rest, kind: "edge", ...(mapping && { mapping }), ...(require !== undefined && { require }) };
  return rememberSite(edge, constructor) as Result;
}

function dropUndefined(parts: Partial<EdgeParts>): Partial<EdgeParts> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

interface RequireOptions {
  readonly require?: Require;
}

/** Reads the newest *open* version instead of insisting on the newest one. */
export function lastValidated<D extends Dependency>(
  upstream: D,
  options?: RequireOptions,
): Edge<UpstreamOf<D>, "lastValidated", MappingOf<D>> {
  return extend(upstream, { mode: "lastValidated", require: options?.require }, lastValidated as () => unknown);
}

/** Runs after the upstream; compute receives no value of it. */
export function orderOnly<D extends Dependency>(upstream: D): Edge<UpstreamOf<D>, "orderOnly", MappingOf<D>> {
  return extend(upstream, { mode: "orderOnly" }, orderOnly as () => unknown);
}

/** Reads every partition that exists. */
export function allPartitions<D extends Dependency>(
  upstream: D,
  options?: RequireOptions,
): Edge<UpstreamOf<D>, ModeOf<D>, "all"> {
  const change = { mappingKind: "all", mapping: { kind: "all" }, require: options?.require } as const;
  return extend(upstream, change, allPartitions as () => unknown);
}

/** Reads the last partition that exists. */
export function lastPartition<D extends Dependency>(upstream: D): Edge<UpstreamOf<D>, ModeOf<D>, "last"> {
  return extend(upstream, { mappingKind: "last", mapping: { kind: "last" } }, lastPartition as () => unknown);
}

/**
 * Reads other windows than the reader's own, counted in upstream windows: `windowOffset(x, -1)` the one before,
 * `windowOffset(x, -6, 0)` the last seven.
 */
export function windowOffset<D extends Dependency>(
  upstream: D,
  offset: number,
): Edge<UpstreamOf<D>, ModeOf<D>, "offset">;
export function windowOffset<D extends Dependency>(
  upstream: D,
  startOffset: number,
  endOffset: number,
): Edge<UpstreamOf<D>, ModeOf<D>, "offsets">;
export function windowOffset(upstream: Dependency, startOffset: number, endOffset?: number): Edge {
  const mapping: PartitionMapping = { kind: "window", startOffset, endOffset: endOffset ?? startOffset };
  const mappingKind = endOffset === undefined ? "offset" : "offsets";
  return extend(upstream, { mappingKind, mapping }, windowOffset as () => unknown);
}

/** Says for each of the reader's partition keys which upstream keys it reads: `{ europe: ["de", "fr"] }`. */
export function mappedPartitions<D extends Dependency>(
  upstream: D,
  upstreamOf: Readonly<Record<string, readonly string[]>>,
): Edge<UpstreamOf<D>, ModeOf<D>, "static"> {
  const change = { mappingKind: "static", mapping: { kind: "static", upstreamOf } } as const;
  return extend(upstream, change, mappedPartitions as () => unknown);
}
