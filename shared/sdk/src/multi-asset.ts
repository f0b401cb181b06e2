import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { RequiredCheck } from "./asset.ts";
import type { AnySpec, PartitionsOfAsset } from "./asset-spec.ts";
import type { CheckResult } from "./check-result.ts";
import type { ComputeOptions } from "./compute-options.ts";
import { rememberSite } from "./construction-site.ts";
import type { CheckedDependencies, Dependencies, InputsOf } from "./edge.ts";
import type { IoManager } from "./io-manager.ts";
import type { Metadata } from "./metadata.ts";
import type { ComputedChecks } from "./reported-checks.ts";
import type { ResourceMap } from "./resource.ts";
import type { ComputeContext } from "./step-context.ts";
import type { HeadgateTypeError } from "./type-error.ts";
import type { WrittenValue } from "./value-declaration.ts";

/** What a multi-asset computes, by the name under which compute returns the value. */
export type Outputs = Readonly<Record<string, AnySpec>>;

type NameOf<A> = keyof A & string;

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** The partitions that all of them have. */
export type PartitionsOfOutputs<A> = PartitionsOfAsset<A[keyof A]>;

/** `A` again where all have the same partitions; an error in words at each that differs. */
export type CheckedOutputs<A> = {
  readonly [Name in keyof A]: Same<PartitionsOfAsset<A[Name]>, PartitionsOfOutputs<A>> extends true
    ? A[Name]
    : HeadgateTypeError<"What one call computes has the same partitions: give these assets the same `partitions`, or compute them apart.">;
};

/** The value that compute has to return for this output where one is declared; anything where none is. */
type OutputValue<Spec> = Spec extends { readonly value: infer S }
  ? [S] extends [undefined]
    ? unknown
    : WrittenValue<S>
  : unknown;

/** What compute returns, by name: all of them, or where it can be subset those of `context.selected`. */
export type ReturnedOutputs<A, Subset> = Subset extends true
  ? { readonly [Name in keyof A]?: OutputValue<A[Name]> }
  : { readonly [Name in keyof A]: OutputValue<A[Name]> };

/** The checks that compute reports, by the name of the output that they judge. */
export type OutputChecks<A> = { readonly [Name in keyof A]?: ComputedChecks };

/** An error in words at each name that no output has. */
type OfOutputs<Given, A> = {
  readonly [
    Name in Exclude<keyof Given, keyof A>
  ]: HeadgateTypeError<"No output has this name: write one of the names in `assets`.">;
};

type ReportOutputCheck<K extends ComputedChecks> = [keyof K] extends [never]
  ? HeadgateTypeError<"Compute reports no checks of this output: declare them, checks: { output: { name: { blocking: true } } }.">
  : (name: keyof K & string, verdict: CheckResult | boolean) => void;

/** What compute is told of one output, and says of it. */
export interface OutputContext<K extends ComputedChecks = Record<never, never>> {
  readonly assetKey: string;
  /** Of the version that is made. */
  readonly versionId: string;
  /** Adds metadata to the version; a later value of the same name replaces the earlier. */
  readonly metadata: (values: Metadata) => void;
  /** Sets the data version. Default: the digest of the stored value. */
  readonly dataVersion: (version: string) => void;
  /** Reports the verdict of a check that `checks` declares for this output, of the version that is made. */
  readonly check: ReportOutputCheck<K>;
}

type ChecksOfOutput<K, Name extends PropertyKey> = K extends { readonly [N in Name]: infer C extends ComputedChecks }
  ? C
  : Record<never, never>;

type OutputContexts<A, Subset, K> = Subset extends true
  ? { readonly [Name in keyof A]?: OutputContext<ChecksOfOutput<K, Name>> }
  : { readonly [Name in keyof A]: OutputContext<ChecksOfOutput<K, Name>> };

/** The second argument of a multi-asset's compute. */
export interface MultiComputeContext<
  A extends Outputs = Outputs,
  Subset = boolean,
  C = unknown,
  R extends ResourceMap = ResourceMap,
  Name extends PropertyKey = string,
  K = Record<never, never>,
> extends Omit<
  ComputeContext<PartitionsOfOutputs<A>, C, R, Name>,
  "assetKey" | "versionId" | "metadata" | "dataVersion" | "check"
> {
  /** Names of the outputs to compute; all of them unless the multi-asset can be subset. */
  readonly selected: ReadonlySet<NameOf<A>>;
  /** By name, those of `selected`. */
  readonly outputs: OutputContexts<A, Subset, K>;
}

/** Several assets that one call computes, what all of them read, and the function that makes them. */
export interface MultiAssetOptions<
  A extends Outputs,
  D extends Dependencies,
  R extends ResourceMap,
  C extends StandardSchemaV1 | undefined,
  Subset extends boolean,
  K extends OutputChecks<A> = Record<never, never>,
> extends ComputeOptions {
  /** What it computes, by the name under which compute returns the value: 1 to 100, all with the same partitions. */
  readonly assets: A & CheckedOutputs<A>;
  /** What all of them read, by the name under which compute receives the value. */
  readonly deps?: D & CheckedDependencies<D, PartitionsOfOutputs<A>>;
  /**
   * True: compute makes those of `context.selected`. Default false: it makes all or none, and whoever asks for one gets
   * all; their versions are recorded together.
   */
  readonly canSubset?: Subset;
  readonly resources?: R;
  /** A Standard Schema of the run's config, which may be given under any of the assets. */
  readonly config?: C;
  /** Writes the values and reads the inputs; default: that of `definitions`. */
  readonly io?: IoManager | undefined;
  /** Of the assets that have none of their own; default: derived from the source text of this module. */
  readonly codeVersion?: string | undefined;
  /** Checks that compute reports itself, by output: `outputs.name.check(check, verdict)` for each. */
  readonly checks?: K & OfOutputs<K, A>;
  /** Blocking checks of other teams that gate every reader, by output. */
  readonly requiredChecks?: { readonly [Name in keyof A]?: readonly RequiredCheck[] | undefined } | undefined;
  /** The keys that assets had before, by output: their histories are found under the new keys. */
  readonly formerly?: { readonly [Name in keyof A]?: string | undefined } | undefined;
  /** Makes the values. Each that it returns is validated, stored and checked for itself. */
  readonly compute: (
    inputs: InputsOf<D, PartitionsOfOutputs<A>>,
    context: MultiComputeContext<A, Subset, C, R, keyof InputsOf<D, PartitionsOfOutputs<A>>, K>,
  ) => ReturnedOutputs<A, Subset> | Promise<ReturnedOutputs<A, Subset>>;
}

/** Several assets that one call computes. Read one of them as `multi.assets.name`. */
export interface MultiAsset<
  A extends Outputs = Outputs,
  D extends Dependencies = Dependencies,
  R extends ResourceMap = ResourceMap,
  C extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
  Subset extends boolean = boolean,
  K extends OutputChecks<A> = OutputChecks<A>,
> extends ComputeOptions {
  readonly kind: "multiAsset";
  readonly assets: A;
  readonly deps: D;
  readonly canSubset: Subset;
  readonly resources: R;
  readonly config: C;
  readonly io?: IoManager;
  readonly codeVersion?: string;
  readonly checks?: K;
  readonly requiredChecks?: { readonly [Name in keyof A]?: readonly RequiredCheck[] | undefined };
  readonly formerly?: { readonly [Name in keyof A]?: string | undefined };
  readonly compute: MultiAssetOptions<A, D, R, C, Subset, K>["compute"];
}

/** Any multi-asset, where its parameters do not matter. */
export interface AnyMultiAsset extends Omit<MultiAsset, "compute"> {
  readonly compute: (...parameters: never[]) => unknown;
}

/**
 * Declares assets that one call computes together. Never throws: what is wrong with it is reported where it is loaded, on
 * the asset that it concerns.
 */
export function multiAsset<
  A extends Outputs,
  D extends Dependencies = Record<never, never>,
  R extends ResourceMap = Record<never, never>,
  C extends StandardSchemaV1 | undefined = undefined,
  Subset extends boolean = false,
  K extends OutputChecks<A> = Record<never, never>,
>(options: MultiAssetOptions<A, D, R, C, Subset, K>): MultiAsset<A, D, R, C, Subset, K> {
  const given: Partial<MultiAssetOptions<A, D, R, C, Subset, K>> = options ?? {};
  const definition = {
    ...given,
    kind: "multiAsset",
    assets: given.assets ?? {},
    deps: given.deps ?? {},
    canSubset: given.canSubset ?? false,
    resources: given.resources ?? {},
    config: given.config,
  };
  return rememberSite(definition, multiAsset as () => unknown) as unknown as MultiAsset<A, D, R, C, Subset, K>;
}
