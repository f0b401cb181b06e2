import { parsePartitions, partitionSpace } from "@headgate/model";
import type { CheckResult } from "../asset-check.ts";
import type { AnySpec } from "../asset-spec.ts";
import type { Batch } from "../batch.ts";
import type { Dependencies } from "../edge.ts";
import { upstreamOf } from "../edge.ts";
import { dynamicKeysOf, partitionDimensions } from "../partition-dimensions.ts";
import type { AnyPartitions } from "../partitions.ts";
import type { Metadata } from "../metadata.ts";
import type { ComputedChecks } from "../reported-checks.ts";
import type { ResourceValues, ResourceMap } from "../resource.ts";
import type { InputDetails } from "../step-context.ts";
import { checkResult, declaredCheck } from "../step/check-result.ts";
import { outputOf, schemaOf } from "../step/value-check.ts";

/** An asset or a check: what runs under a context. */
export type Runnable<Context> =
  | { readonly compute: (inputs: never, context: Context) => unknown }
  | { readonly run: (value: never, context: Context) => unknown };

/** What a run may give as config of this definition: as its schema takes it. */
export type ConfigInput<D> = D extends { readonly config: infer C }
  ? C extends { readonly "~standard": { readonly types?: { readonly input: infer Input } | undefined } }
    ? Input
    : undefined
  : undefined;

/** The values that stand for the resources of this definition. */
export type ResourcesOf<D> = D extends { readonly resources: infer R extends ResourceMap } ? ResourceValues<R> : never;

/** What the context of a test holds; what is left out has a default, or throws when it is used. */
export interface TestContextOptions<D> {
  /** A partition key; its window is worked out. */
  readonly partition?: string;
  /** Of an asset that computes several in one call: their keys. */
  readonly partitions?: readonly string[];
  /** As a run would give it: validated, defaults applied. */
  readonly config?: ConfigInput<D>;
  /** What stands for the resources; one that is missing throws when it is used. */
  readonly resources?: Partial<ResourcesOf<D>>;
  readonly signal?: AbortSignal;
  readonly versionId?: string;
  readonly runId?: string;
  readonly runTags?: Readonly<Record<string, string>>;
  readonly attemptNumber?: number;
  /** Metadata of the version that is checked: for checks. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly dataVersion?: string;
  /** Names of the outputs that a multi-asset computes; default: all. */
  readonly selected?: D extends { readonly kind: "multiAsset"; readonly assets: infer A }
    ? readonly (keyof A)[]
    : never;
}

/** What ran under a test's context said about itself. */
export interface Reported {
  readonly metadata: Readonly<Record<string, Metadata[string]>>;
  readonly dataVersion: string | undefined;
  /** By name, the verdicts that compute reported with `context.check`. */
  readonly checks: Readonly<Record<string, CheckResult>>;
  readonly logs: readonly { readonly level: string; readonly message: string; readonly fields: unknown }[];
  /** Of a multi-asset: what it said of each output, by name. */
  readonly outputs: Readonly<Record<string, Pick<Reported, "metadata" | "dataVersion" | "checks">>>;
  /** Of an asset that computes several partitions in one call: what it said of each, by key. */
  readonly partitions: Readonly<Record<string, ReportedPartition>>;
}

/** What compute said of one of several partitions that it was asked for at once. */
export interface ReportedPartition extends Pick<Reported, "metadata" | "dataVersion" | "checks"> {
  /** With which compute let it fail. */
  readonly error: Error | undefined;
}

/**
 * The second argument of an asset's compute, or of a check's run, for a test that calls it as the function that it is.
 * `context.reported` has what it reported.
 *
 * @throws Error for a partition key that the asset has not; `step.config_invalid` for config that its schema refuses
 */
export function testContext<Context, D extends Runnable<Context>>(
  definition: D & Runnable<Context>,
  options: TestContextOptions<D> = {},
): Context & { readonly reported: Reported } {
  const { metadata: given = {}, dataVersion: givenDataVersion = "", ...rest } = options;
  const parts = partsOf(definition);
  const metadata: Record<string, Metadata[string]> = {};
  const checks: Record<string, CheckResult> = {};
  const outputs = new Outputs(parts, rest.selected);
  const batch = new TestBatch(parts, rest.partitions ?? []);
  const reported = {
    metadata,
    checks,
    dataVersion: undefined as string | undefined,
    logs: [] as Reported["logs"][number][],
    outputs: outputs.reported,
    partitions: batch.reported,
  };
  const log = (level: string) => (message: string, fields?: unknown) => {
    reported.logs.push({ level, message, fields });
  };
  const context = {
    assetKey: parts.key,
    partition: parts.batch === undefined ? partitionOf(parts, rest.partition) : undefined,
    config: configOf(parts, rest.config),
    resources: testResources(parts.resources, rest.resources ?? {}),
    log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    signal: rest.signal ?? new AbortController().signal,
    versionId: rest.versionId ?? "test-version",
    runId: rest.runId ?? "test-run",
    runTags: rest.runTags ?? {},
    attemptNumber: rest.attemptNumber ?? 1,
    inputs: parts.inputs,
    // Compute reports metadata by calling; a check reads that of the version.
    metadata: parts.isCheck ? given : (values: Metadata) => void Object.assign(metadata, values),
    dataVersion: parts.isCheck ? givenDataVersion : (version: string) => void (reported.dataVersion = version),
    check: (name: string, verdict: CheckResult | boolean) => {
      declaredCheck(parts, name);
      checks[name] = checkResult(verdict, `The verdict of check "${name}" of ${parts.key} is`);
    },
    ...outputs.context,
    ...batch.context,
    reported,
  };
  return context as unknown as Context & { readonly reported: Reported };
}

interface SaidOfOutput {
  metadata: Record<string, Metadata[string]>;
  dataVersion: string | undefined;
  checks: Record<string, CheckResult>;
}

/** What compute of a multi-asset is told of its outputs, and says of them. */
class Outputs {
  readonly reported: Record<string, SaidOfOutput> = {};
  readonly context: object;

  constructor({ outputs: specs, checks }: Parts, names: readonly string[] | undefined) {
    if (specs === undefined) {
      this.context = {};
      return;
    }
    const selected = new Set(names ?? Object.keys(specs));
    const outputs = [...selected].map((name) => {
      const said: SaidOfOutput = { metadata: {}, dataVersion: undefined, checks: {} };
      this.reported[name] = said;
      const key = specs[name]?.key ?? "";
      const declared = (checks as Readonly<Record<string, ComputedChecks | undefined>>)[name] ?? {};
      return [
        name,
        {
          assetKey: key,
          versionId: `test-version-${name}`,
          metadata: (values: Metadata) => void Object.assign(said.metadata, values),
          dataVersion: (version: string) => void (said.dataVersion = version),
          check: (check: string, verdict: CheckResult | boolean) => {
            declaredCheck({ key, checks: declared }, check);
            said.checks[check] = checkResult(verdict, `The verdict of check "${check}" of ${key} is`);
          },
        },
      ] as const;
    });
    this.context = { selected, outputs: Object.fromEntries(outputs) };
  }
}

/** What compute is told of the partitions of one call, and says of them. */
class TestBatch {
  readonly reported: Record<string, ReportedPartition> = {};
  readonly context: object;

  constructor(parts: Parts, keys: readonly string[]) {
    if (parts.batch === undefined) {
      this.context = {};
      return;
    }
    const partitions = keys.map((key) => {
      const metadata: Record<string, Metadata[string]> = {};
      const checks: Record<string, CheckResult> = {};
      const said = {
        metadata,
        checks,
        dataVersion: undefined as string | undefined,
        error: undefined as Error | undefined,
      };
      this.reported[key] = said;
      return {
        ...partitionOf(parts, key),
        versionId: `test-version-${key}`,
        attemptNumber: 1,
        inputs: parts.inputs,
        metadata: (values: Metadata) => void Object.assign(metadata, values),
        dataVersion: (version: string) => void (said.dataVersion = version),
        check: (name: string, verdict: CheckResult | boolean) => {
          declaredCheck(parts, name);
          checks[name] = checkResult(verdict, `The verdict of check "${name}" of ${parts.key} is`);
        },
        fail: (error: Error) => void (said.error ??= error),
      };
    });
    this.context = { partitions };
  }
}

interface Parts {
  readonly key: string;
  readonly partitions: AnyPartitions | undefined;
  readonly config: unknown;
  readonly resources: ResourceMap;
  /** Nothing is known of versions: a test hands compute its values. */
  readonly inputs: Readonly<Record<string, InputDetails>>;
  /** Those that compute reports; of a multi-asset, by output. */
  readonly checks: ComputedChecks;
  readonly isCheck: boolean;
  /** Of a multi-asset. */
  readonly outputs: Readonly<Record<string, AnySpec>> | undefined;
  readonly batch: Batch | undefined;
}

function partsOf(definition: object): Parts {
  const { asset, assets, ...own } = definition as {
    asset?: Partial<Parts>;
    assets?: Readonly<Record<string, AnySpec>>;
    deps?: Dependencies;
  } & Partial<Parts>;
  const { key = "", partitions } = asset ?? Object.values(assets ?? {})[0] ?? own;
  const inputs = Object.entries(own.deps ?? {}).map(([name, dependency]) => {
    const { key: assetKey } = upstreamOf(dependency, { key } as AnySpec);
    return [name, { assetKey, versions: [], leftOut: [] }] as const;
  });
  return {
    key,
    partitions,
    config: own.config,
    resources: own.resources ?? {},
    inputs: Object.fromEntries(inputs),
    checks: own.checks ?? {},
    isCheck: asset !== undefined,
    outputs: assets,
    batch: own.batch,
  };
}

function partitionOf({ key: assetKey, partitions }: Parts, key: string | undefined) {
  if (key === undefined) {
    if (partitions === undefined) return undefined;
    throw new Error(`${assetKey} is partitioned: give it a \`partition\`.`);
  }
  const space = partitionSpace(partitions, dynamicKeysOf(partitions, key));
  const ordinal = partitions === undefined ? undefined : space.ordinalOf(key);
  if (ordinal === undefined) {
    const parsed = parsePartitions(space, key, Date.now());
    throw new Error(`${assetKey} has no partition ${JSON.stringify(key)}${parsed.ok ? "" : `: ${parsed.hint}`}.`);
  }
  const window = space.windowAt(ordinal);
  const dimensions = partitionDimensions(partitions, key);
  return {
    key,
    ...(window && { window: { start: new Date(window.startMs), end: new Date(window.endMs) } }),
    ...(dimensions && { dimensions }),
  };
}

function configOf({ key, config }: Parts, given: unknown): unknown {
  const schema = schemaOf(config);
  if (schema === undefined) return undefined;
  const result = schema["~standard"].validate(given ?? {});
  if (result instanceof Promise)
    throw new Error(`The config schema of ${key} is asynchronous: pass a context of your own.`);
  return outputOf(result, "step.config_invalid", `The config for ${key}`);
}

/** What stands for resources in a test; one that was not given throws when it is used. */
export function testResources(declared: ResourceMap, given: Readonly<Record<string, unknown>>): object {
  return new Proxy(given, {
    get(target, name) {
      if (typeof name === "symbol" || Object.hasOwn(target, name)) return Reflect.get(target, name) as unknown;
      const why = Object.hasOwn(declared, name) ? "was not given to the test" : "is not declared";
      throw new Error(`The resource "${name}" ${why}: pass resources: { ${name}: ... }.`);
    },
  });
}
