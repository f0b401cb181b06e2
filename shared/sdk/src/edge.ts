import type { DimensionMapping, PartitionMapping, SimpleMapping } from "@headgate/model";
import type { AnySpec, PartitionsOfAsset, ValueOfAsset } from "./asset-spec.ts";
import { rememberSite } from "./construction-site.ts";
import type { Self } from "./self.ts";
import { isSelf } from "./self.ts";
import type {
  DimensionsOf,
  DynamicPartitions,
  MultiPartitions,
  StaticPartitions,
  TimeDimension,
  TimeWindowPartitions,
} from "./partitions.ts";
import type { HeadgateTypeError } from "./type-error.ts";
import type { StoredValue, ValueDeclaration } from "./value-declaration.ts";

/** "strict": the newest version, which must be open; "lastValidated": the newest that is open; "orderOnly": made before, and not read. */
export type EdgeMode = "strict" | "lastValidated" | "orderOnly";

/** "offset" moves by one distance and keeps one window a window; "offsets" spans several. */
export type MappingKind = "default" | "all" | "last" | "offset" | "offsets" | "static" | "dimensions";

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
/** What an asset reads, by the name under which compute receives the value. */
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

/** True where both are cut in the same way, so that a partition of one is a partition of the other. */
type IsCutTheSame<U, P> =
  U extends TimeWindowPartitions<infer UpstreamCron, infer UpstreamZone>
    ? P extends TimeWindowPartitions<infer Cron, infer Zone>
      ? Same<[UpstreamCron, UpstreamZone], [Cron, Zone]>
      : false
    : U extends StaticPartitions<infer UpstreamKey>
      ? P extends StaticPartitions<infer Key>
        ? Same<UpstreamKey, Key>
        : false
      : IsSameSet<U, P>;

/** True where both are the same dynamic set. */
type IsSameSet<U, P> =
  U extends DynamicPartitions<infer UpstreamName>
    ? P extends DynamicPartitions<infer Name>
      ? Same<UpstreamName, Name>
      : false
    : false;

/** The names of the dimensions for which `Holds` is true. */
type Where<Holds> = { [Name in keyof Holds]: Holds[Name] extends true ? Name : never }[keyof Holds];

/** By dimension of `Us`: whether the dimension of `Ps` with that name is cut in the same way. */
type CutTheSame<Us, Ps> = { [Name in keyof Us]: Name extends keyof Ps ? IsCutTheSame<Us[Name], Ps[Name]> : false };

/** True where a partition of `P` follows exactly one of `U`, one or both of several dimensions. */
type FollowsOne<U, P> =
  U extends MultiPartitions<infer Us>
    ? P extends MultiPartitions<infer Ps>
      ? Same<Where<CutTheSame<Us, Ps>>, keyof Us>
      : false
    : P extends MultiPartitions<infer Ps>
      ? [Where<{ [Name in keyof Ps]: IsCutTheSame<U, Ps[Name]> }>] extends [never]
        ? false
        : true
      : IsCutTheSame<U, P>;

/** True where a reader's partition reads exactly one upstream partition; decided from the definitions alone. */
type IsSingle<U, P, M> = [U] extends [undefined]
  ? true
  : M extends "last"
    ? true
    : M extends "all" | "offsets" | "static" | "dimensions"
      ? false
      : FollowsOne<U, P>;

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
  HeadgateTypeError<"The partitions of this dependency do not match this asset's: say which to read, with allPartitions(x), lastPartition(x), mappedPartitions(x, { ... }) or mappedDimensions(x, { ... }).">;
type OffsetNeedsWindows =
  HeadgateTypeError<"windowOffset(x, n) needs time windows on both sides: partition this asset by time, or use allPartitions(x) or lastPartition(x).">;

type LastOfWhich =
  HeadgateTypeError<'The upstream has several dimensions and no last partition: say of which, as mappedDimensions(x, { month: "last" }).'>;
type SelfNeedsOffset =
  HeadgateTypeError<"An asset reads earlier windows of itself alone: write windowOffset(self, -1), or windowOffset(self, -7, -1).">;
type SelfNeedsWindows =
  HeadgateTypeError<"An asset that reads itself needs time windows: give it `partitions`, such as dailyPartitions({ ... }).">;
type SelfNeedsValue =
  HeadgateTypeError<"The value of an asset that reads itself is not inferred: give it `value`, a Standard Schema or valueOf<T>().">;

/** True where `P` is windows of time, or has a dimension that is. */
type HasWindows<P> = [P] extends [TimeWindowPartitions]
  ? true
  : [P] extends [MultiPartitions<infer Dimensions>]
    ? [TimeDimension<Dimensions>] extends [never]
      ? false
      : true
    : false;

type CheckedSelf<D, P, M, S> = M extends "offset" | "offsets" | "dimensions"
  ? HasWindows<P> extends true
    ? [S] extends [undefined]
      ? ModeOf<D> extends "orderOnly"
        ? D
        : SelfNeedsValue
      : D
    : SelfNeedsWindows
  : SelfNeedsOffset;

/** True where one of several dimensions, or a single one, can follow the other by itself. */
type CanFollow<U, P> = [U, P] extends [TimeWindowPartitions, TimeWindowPartitions]
  ? true
  : [U, P] extends [StaticPartitions<infer UpstreamKey>, StaticPartitions<infer Key>]
    ? Same<UpstreamKey, Key>
    : IsSameSet<U, P>;

/** True where a default mapping joins `U` and `P`: they have a dimension in common, and each one of those can follow. */
type Follows<U, P> =
  U extends MultiPartitions<infer Us>
    ? P extends MultiPartitions<infer Ps>
      ? [keyof Us & keyof Ps] extends [never]
        ? false
        : Same<Where<{ [Name in keyof Us & keyof Ps]: CanFollow<Us[Name], Ps[Name]> }>, keyof Us & keyof Ps>
      : Same<[Where<{ [Name in keyof Us]: CanFollow<Us[Name], P> }>], [never]> extends true
        ? false
        : true
    : P extends MultiPartitions<infer Ps>
      ? Same<[Where<{ [Name in keyof Ps]: CanFollow<U, Ps[Name]> }>], [never]> extends true
        ? false
        : true
      : CanFollow<U, P>;

type CheckedMapping<D, U, P, M> = [U] extends [undefined]
  ? D
  : M extends "offset" | "offsets"
    ? [HasWindows<U>, HasWindows<P>] extends [true, true]
      ? D
      : OffsetNeedsWindows
    : M extends "default"
      ? [P] extends [undefined]
        ? D
        : Follows<U, P> extends true
          ? D
          : MissingMapping
      : M extends "last"
        ? [U] extends [MultiPartitions]
          ? LastOfWhich
          : D
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

/**
 * What is read of one dimension: "all" or the "last" of it, or what follows the reader's dimension of the same name,
 * or of the name `from`: the same key (`{ from: "region" }`), other windows (`{ offset: -1 }`, `{ offsets: [-6, 0] }`), or
 * keys by a table (`{ keys: { europe: ["de", "fr"] } }`).
 */
export type DimensionChoice =
  | "all"
  | "last"
  | { readonly from?: string; readonly offset: number }
  | { readonly from?: string; readonly offsets: readonly [start: number, end: number] }
  | { readonly from?: string; readonly keys: Readonly<Record<string, readonly string[]>> }
  | { readonly from: string };

type ChoicesOf<P> = [P] extends [MultiPartitions]
  ? { readonly [Name in keyof DimensionsOf<P>]?: DimensionChoice }
  : Readonly<Record<string, DimensionChoice>>;

/**
 * Says for each dimension of an upstream of several what is read of it; compute receives a `Partitioned`. A dimension
 * that is left out follows the reader's of the same name, and is read whole where there is none.
 */
export function mappedDimensions<D extends Dependency>(
  upstream: D,
  choices: ChoicesOf<PartitionsOfAsset<UpstreamOf<D>>>,
): Edge<UpstreamOf<D>, ModeOf<D>, "dimensions"> {
  const given = Object.entries(choices ?? {}) as [string, DimensionChoice][];
  const dimensions = given.map(([name, choice]) => dimensionMapping(name, choice));
  const change = { mappingKind: "dimensions", mapping: { kind: "dimensions", dimensions } } as const;
  return extend(upstream, change, mappedDimensions as () => unknown);
}

function dimensionMapping(upstream: string, choice: DimensionChoice): DimensionMapping {
  if (choice === "all" || choice === "last") return { upstream, mapping: { kind: choice } };
  const from = choice?.from;
  return { upstream, ...(from !== undefined && { downstream: from }), mapping: chosen(choice) };
}

function chosen(choice: Exclude<DimensionChoice, string>): SimpleMapping {
  // Constructors never throw: what is no choice is refused where the definition is loaded.
  if (typeof choice !== "object" || choice === null) return { kind: choice };
  if ("offset" in choice) return { kind: "window", startOffset: choice.offset, endOffset: choice.offset };
  if ("offsets" in choice) return { kind: "window", startOffset: choice.offsets?.[0], endOffset: choice.offsets?.[1] };
  if ("keys" in choice) return { kind: "static", upstreamOf: choice.keys };
  if ("from" in choice) return { kind: "identity" };
  return { kind: "nothing" as never };
}
