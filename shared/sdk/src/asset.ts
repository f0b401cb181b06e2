import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { AssetSpec, AssetSpecOptions } from "./asset-spec.ts";
import type { Batch, CheckedBatch, ComputedOf, ComputeInputs, ContextOf, ValueMade } from "./batch.ts";
import type { ComputeOptions } from "./compute-options.ts";
import { rememberSite } from "./construction-site.ts";
import type { CheckedDependencies, Dependencies, InputsOf } from "./edge.ts";
import type { IoManager } from "./io-manager.ts";
import type { AnyPartitions } from "./partitions.ts";
import type { ComputedChecks } from "./reported-checks.ts";
import type { ResourceMap } from "./resource.ts";
import type { StoredValue, ValueDeclaration, WrittenValue } from "./value-declaration.ts";

/** A blocking check of another team that gates every reader of the asset. */
export interface RequiredCheck {
  readonly team: string;
  readonly name: string;
}

/** What compute has to return where a value is declared; in a batch for each partition. Anything where none is. */
type ReturnBound<S, B> = ComputedOf<[S] extends [undefined] ? unknown : WrittenValue<S>, B>;

/**
 * What an asset's IO manager has to take. The compiler looks at `io` once before it knows what compute returns, when
 * that is unknown: then any will do, or none that is choosy could be given to a compute with inputs.
 */
export type ToWrite<Returned> = unknown extends Returned ? never : Exclude<Returned, undefined | void>;

/** The value that readers receive: as declared, or as compute returns it. */
type AssetValue<S, Returned, B> = [S] extends [undefined] ? Awaited<ValueMade<Returned, B>> : StoredValue<S>;

/** What an asset is, what it reads, and how it is computed. */
export interface AssetOptions<
  S extends ValueDeclaration | undefined,
  P extends AnyPartitions | undefined,
  D extends Dependencies,
  R extends ResourceMap,
  C extends StandardSchemaV1 | undefined,
  Returned,
  K extends ComputedChecks = ComputedChecks,
  B extends Batch | undefined = undefined,
>
  extends AssetSpecOptions<S, P>, ComputeOptions {
  /** By the name under which compute receives the value. */
  readonly deps?: D & CheckedDependencies<D, P, S>;
  readonly resources?: R;
  /** A Standard Schema of the run's config for this asset. */
  readonly config?: C;
  /** Writes this asset's value and reads its inputs; default: that of `definitions`. */
  readonly io?: IoManager<NoInfer<ToWrite<ValueMade<Returned, B>>>> | undefined;
  readonly requiredChecks?: readonly RequiredCheck[] | undefined;
  /** Checks that compute reports itself, by name: `context.check(name, verdict)` for each. Those that run apart are made with `assetCheck`. */
  readonly checks?: K;
  /** The key that it had before, of the same team: versions, results, waivers and events are found under the new one. */
  readonly formerly?: string | undefined;
  /**
   * Compute is given several partitions in one call, as `context.partitions`, and returns a Map with the value of each.
   * Each is a step of its own all the same, with its own gate, checks, retries and version.
   */
  readonly batch?: B & CheckedBatch<P, D>;
  /** Makes the value. What it returns is validated, stored, checked. */
  readonly compute: (
    inputs: ComputeInputs<D, P, S, B>,
    context: ContextOf<P, C, R, keyof InputsOf<D, P, S>, K, B>,
  ) => Returned | Promise<Returned>;
}

/** An asset with its implementation. */
export interface Asset<
  Value = unknown,
  P extends AnyPartitions | undefined = AnyPartitions | undefined,
  S extends ValueDeclaration | undefined = ValueDeclaration | undefined,
  D extends Dependencies = Dependencies,
  R extends ResourceMap = ResourceMap,
  C extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
  Returned = unknown,
  K extends ComputedChecks = ComputedChecks,
  B extends Batch | undefined = Batch | undefined,
>
  extends AssetSpec<Value, P, S>, ComputeOptions {
  readonly kind: "asset";
  readonly deps: D;
  readonly resources: R;
  readonly config: C;
  readonly io?: IoManager;
  readonly requiredChecks?: readonly RequiredCheck[];
  readonly checks?: K;
  readonly formerly?: string;
  readonly batch: B;
  readonly compute: (
    inputs: ComputeInputs<D, P, S, B>,
    context: ContextOf<P, C, R, keyof InputsOf<D, P, S>, K, B>,
  ) => Returned | Promise<Returned>;
}

/** Any asset, where its parameters do not matter. */
export interface AnyAsset extends AssetSpec, ComputeOptions {
  readonly kind: "asset";
  readonly deps: Dependencies;
  readonly resources: ResourceMap;
  readonly config: StandardSchemaV1 | undefined;
  readonly io?: IoManager;
  readonly requiredChecks?: readonly RequiredCheck[];
  readonly checks?: ComputedChecks;
  readonly formerly?: string;
  readonly batch?: Batch | undefined;
  readonly compute: (...parameters: never[]) => unknown;
}

/**
 * Declares an asset and how it is computed. The types of what it depends on, its partitions, resources and config flow
 * into `compute`. Never throws: what is wrong with it is reported where it is loaded, on this asset alone.
 */
export function asset<
  S extends ValueDeclaration | undefined = undefined,
  P extends AnyPartitions | undefined = undefined,
  D extends Dependencies = Record<never, never>,
  R extends ResourceMap = Record<never, never>,
  C extends StandardSchemaV1 | undefined = undefined,
  B extends Batch | undefined = undefined,
  Returned extends ReturnBound<S, B> = ReturnBound<S, B>,
  K extends ComputedChecks = Record<never, never>,
>(
  options: AssetOptions<S, P, D, R, C, Returned, K, B>,
): Asset<AssetValue<S, Returned, B>, P, S, D, R, C, Returned, K, B> {
  const given: Partial<AssetOptions<S, P, D, R, C, Returned, K, B>> = options ?? {};
  const definition = {
    ...given,
    kind: "asset",
    value: given.value,
    partitions: given.partitions,
    deps: given.deps ?? {},
    resources: given.resources ?? {},
    config: given.config,
    batch: given.batch,
  };
  return rememberSite(definition, asset as () => unknown) as unknown as Asset<
    AssetValue<S, Returned, B>,
    P,
    S,
    D,
    R,
    C,
    Returned,
    K,
    B
  >;
}
