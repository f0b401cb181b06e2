import type { AssetDefinition, MultiAssetPart, PartitionBatch, RetryPolicy } from "@headgate/proto";
import { Backoff } from "@headgate/proto";
import { assetKeyRule, batchPartitionsMax, cleanText, parseAssetKey, teamOf } from "@headgate/model";
import type { AnySpec } from "../asset-spec.ts";
import type { AnyAsset, RequiredCheck } from "../asset.ts";
import type { Batch } from "../batch.ts";
import type { RetryOptions } from "../compute-options.ts";
import type { IoManager } from "../io-manager.ts";
import { readsItself } from "../input-shape.ts";
import type { ResourceMap } from "../resource.ts";
import { schemaOf } from "../step/value-check.ts";
import { describeCondition } from "./describe-condition.ts";
import { describeDependencies } from "./describe-dependencies.ts";
import { describeFormerKey } from "./describe-former-key.ts";
import { describePartitions, spaceOf } from "./describe-partitions.ts";
import { checkIo } from "./check-io.ts";
import type { FieldRule } from "./fields.ts";
import {
  anything,
  callable,
  checkFields,
  describeValue,
  filledText,
  flag,
  milliseconds,
  oneOf,
  record,
  text,
  textRecord,
  texts,
  wholeNumber,
} from "./fields.ts";
import { DefinitionProblem } from "./problem.ts";
import { sortedRecord } from "./sorted-record.ts";

const kindOf =
  (kind: string): FieldRule["is"] =>
  (value) =>
    (value as { kind?: unknown } | null)?.kind === kind;

/** What a spec has, and so every asset. */
export const specFields: Readonly<Record<string, FieldRule>> = {
  kind: anything,
  key: text,
  value: { is: isValueDeclaration, words: "a Standard Schema or valueOf<T>()" },
  partitions: record,
  export: { is: (value) => flag.is(value) || texts.is(value), words: "true, false or a list of teams" },
  description: text,
  group: text,
  tags: textRecord,
  kinds: texts,
  codeVersion: filledText,
};

const assetFields: Readonly<Record<string, FieldRule>> = {
  ...specFields,
  deps: record,
  resources: record,
  config: { is: (value) => schemaOf(value) !== undefined, words: "a Standard Schema" },
  io: { is: kindOf("ioManager"), words: "an IO manager, as ioManager({ ... }) makes it" },
  automation: { is: kindOf("automationCondition"), words: "a condition, as when.eager() makes it" },
  retry: record,
  timeoutMs: milliseconds,
  attemptLeaseMs: milliseconds,
  gateTimeoutMs: milliseconds,
  pool: {
    is: (value) => typeof value === "string" && /^[a-z0-9][a-z0-9_-]{0,62}$/.test(value),
    words: "the name of a pool: 1 to 63 of a to z, 0 to 9, _ and -, beginning with a letter or a digit",
  },
  inPlace: flag,
  requiredChecks: { is: Array.isArray, words: "a list of { team, name }" },
  checks: record,
  formerly: filledText,
  batch: record,
  compute: callable,
};

const batchFields: Readonly<Record<string, FieldRule>> = { partitionsMax: wholeNumber(1, batchPartitionsMax) };

const retryFields: Readonly<Record<string, FieldRule>> = {
  maxRetries: wholeNumber(0, 1_000),
  delayMs: wholeNumber(0, 31 * 86_400_000),
  backoff: oneOf("constant", "linear", "exponential"),
  jitter: { is: (value) => typeof value === "number" && value >= 0 && value <= 1, words: "a number from 0 to 1" },
  maxCrashes: wholeNumber(0, 1_000),
};

function isValueDeclaration(value: unknown): boolean {
  return schemaOf(value) !== undefined || kindOf("valueMarker")(value);
}

/**
 * An asset as it goes into the manifest.
 *
 * @param io the IO manager that stores its values if it has none of its own
 * @throws DefinitionProblem
 */
export function describeAsset(
  asset: AnyAsset,
  team: string,
  codeVersion: string,
  io?: IoManager,
  multi?: MultiAssetPart,
): AssetDefinition {
  checkKey(asset.key, team);
  const what = `asset ${asset.key}`;
  checkFields(what, asset, assetFields);
  if (typeof asset.compute !== "function") {
    throw new DefinitionProblem(
      "definition.invalid",
      `${what} has no compute function.`,
      "Give it `compute`, or keep it out of `assets` if it is another team's spec.",
    );
  }
  checkResources(what, asset);
  if (asset.io !== undefined) checkIo(`the IO manager of ${what}`, asset.io);
  const space = spaceOf(what, asset.partitions);
  return {
    ...describeSpec(asset, codeVersion),
    dependencies: describeDependencies(asset, space),
    inPlace: asset.inPlace ?? false,
    retry: asset.retry && describeRetry(what, asset.retry),
    timeoutMs: asset.timeoutMs ?? 0,
    attemptLeaseMs: asset.attemptLeaseMs ?? 0,
    gateTimeoutMs: asset.gateTimeoutMs ?? 0,
    pool: asset.pool ?? "",
    automation: asset.automation && describeCondition(what, asset.automation),
    requiredChecks: describeRequiredChecks(what, asset),
    configSchema: configSchema(asset.config),
    formerly: describeFormerKey(what, asset, team),
    multi,
    batch: describeBatch(what, asset, multi !== undefined),
    external: undefined,
    publishes: (asset.io ?? io)?.publish !== undefined,
  };
}

/** What the spec of an asset says. */
export function describeSpec(asset: AnySpec, codeVersion: string) {
  const exported = asset.export ?? false;
  return {
    key: asset.key,
    description: cleanText(asset.description ?? ""),
    partitions: describePartitions(asset.partitions),
    export: exported === true,
    exportTo: typeof exported === "object" ? [...exported] : [],
    codeVersion: cleanText(codeVersion),
    group: cleanText(asset.group ?? ""),
    tags: sortedRecord(asset.tags ?? {}),
    kinds: [...(asset.kinds ?? [])],
    source: undefined,
  };
}

/** @throws DefinitionProblem for a key that is none, or that is another team's */
export function checkKey(key: unknown, team: string): void {
  const parsed = typeof key === "string" ? parseAssetKey(key) : undefined;
  if (parsed === undefined) {
    const message = `${describeValue(key)} is not an asset key: ${assetKeyRule}.`;
    throw new DefinitionProblem("definition.key_invalid", message, `Write it as "${team}/name".`);
  }
  if (teamOf(parsed) === team) return;
  throw new DefinitionProblem(
    "definition.other_team",
    `The key ${parsed} belongs to team "${teamOf(parsed)}", and these definitions are those of team "${team}".`,
    `Name it "${team}/...", or read the other team's asset through its contract instead of defining it.`,
  );
}

/** @throws DefinitionProblem for a resource that is none, or undefined */
export function checkResources(what: string, { resources }: { readonly resources: ResourceMap }): void {
  for (const [name, resource] of Object.entries(resources)) {
    checkFields(
      what,
      { resources: resource },
      { resources: { is: kindOf("resource"), words: "made by resource({ ... })" } },
    );
    if (resource !== undefined) continue;
    throw new DefinitionProblem(
      "definition.invalid",
      `The resource "${name}" of ${what} is undefined.`,
      "An import cycle is the usual reason: move the resource to a module of its own.",
    );
  }
}

function describeRetry(what: string, retry: RetryOptions): RetryPolicy {
  checkFields(`retry of ${what}`, retry, retryFields);
  return {
    maxRetries: retry.maxRetries ?? 0,
    delayMs: retry.delayMs ?? 1_000,
    backoff: backoffs[retry.backoff ?? "constant"],
    jitter: retry.jitter ?? 0,
    maxCrashes: retry.maxCrashes ?? 1,
  };
}

const backoffs: Record<NonNullable<RetryOptions["backoff"]>, Backoff> = {
  constant: Backoff.BACKOFF_CONSTANT,
  linear: Backoff.BACKOFF_LINEAR,
  exponential: Backoff.BACKOFF_EXPONENTIAL,
};

/** One call computes several partitions only where none of them waits for another. */
function describeBatch(what: string, asset: AnyAsset, isOutput: boolean): PartitionBatch | undefined {
  const { batch } = asset;
  if (batch === undefined) return undefined;
  checkFields(`batch of ${what}`, batch, batchFields);
  const { partitionsMax } = batch as Partial<Batch>;
  const refuse = (message: string, hint: string): DefinitionProblem =>
    new DefinitionProblem("definition.batch_invalid", message, hint);
  if (partitionsMax === undefined) {
    throw refuse(`batch of ${what} does not say how many partitions at most.`, "Write batch: { partitionsMax: 100 }.");
  }
  if (isOutput) {
    throw refuse(
      `${what} is an output of a multi-asset, whose call computes one partition of each.`,
      "Leave `batch` out, or make an asset of it.",
    );
  }
  if (asset.partitions === undefined) {
    throw refuse(`${what} has a batch and no partitions.`, "Give it `partitions`, or leave `batch` out.");
  }
  const own = Object.entries(asset.deps).find(([, dependency]) => readsItself(dependency));
  if (own !== undefined) {
    throw refuse(
      `${what} reads earlier partitions of itself as "${own[0]}": one call cannot compute what it waits for.`,
      "Leave `batch` out: each partition is computed when the one before it is there.",
    );
  }
  return { partitionsMax };
}

/** @throws DefinitionProblem */
export function describeRequiredChecks(what: string, asset: Pick<AnyAsset, "key" | "requiredChecks">) {
  return (asset.requiredChecks ?? []).map((check) => describeRequiredCheck(what, asset.key, check));
}

function describeRequiredCheck(what: string, assetKey: string, check: RequiredCheck) {
  checkFields(`a required check of ${what}`, check ?? {}, { team: filledText, name: filledText });
  if (check?.team && check.name) return { assetKey, team: check.team, name: check.name };
  throw new DefinitionProblem(
    "definition.invalid",
    `A required check of ${what} does not name both its team and its name.`,
    'Write { team: "...", name: "..." }.',
  );
}

interface JsonSchemaSource {
  readonly jsonSchema?: { readonly input?: (options: { readonly target: string }) => unknown };
}

/** The JSON Schema of the config where its library can say it; "{}" takes anything and leaves judging to the location. */
function configSchema(config: AnyAsset["config"]): string {
  const schema = schemaOf(config);
  if (schema === undefined) return "";
  try {
    const source = schema["~standard"] as JsonSchemaSource;
    return JSON.stringify(source.jsonSchema?.input?.({ target: "draft-2020-12" }) ?? {});
  } catch {
    return "{}";
  }
}
