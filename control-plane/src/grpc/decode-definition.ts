import type { AssetKey } from "@headgate/model";
import { batchPartitionsMax, outputsMax } from "@headgate/model";
import * as wire from "@headgate/proto";
import type {
  AssetDefinition,
  CheckDefinition,
  CheckReference,
  DefinitionError,
  Dependency,
  DependencyMode,
  MultiAssetPart,
  PartitionBatch,
  RetryPolicy,
  SensorDefinition,
  SourceLocation,
} from "../domain/definitions.ts";
import type { ManifestEntry, ReceivedDefinition } from "../domain/manifest.ts";
import { assetKeyText, boundedText, exactText, nameText, quoted, requiredText } from "./bounded-text.ts";
import { parseCleanJson } from "./clean-json.ts";
import { mapping, partitions } from "./decode-partitions.ts";
import { bounded, durationMs, int32 } from "./wire-bounds.ts";
import { decodeCondition } from "./decode-condition.ts";
import { scheduleDefinition } from "./decode-schedule.ts";
import { sourceLocation } from "./decode-source.ts";
import { WireError, missingField, unknownEnum } from "./wire-error.ts";

const descriptionLengthMax = 8_192;
const schemaLengthMax = 1_048_576;
const attemptLeaseMsDefault = 60_000;
const gateTimeoutMsDefault = 3_600_000;

/** Reads an encoded definition. What is wrong with it is returned, so that it hides no other. */
export function decodeDefinition(bytes: Uint8Array): ReceivedDefinition {
  let source: SourceLocation | undefined;
  try {
    const { definition } = readMessage(bytes);
    source = definition?.value.source && sourceLocation(definition.value.source);
    switch (definition?.$case) {
      case "asset":
        return { ok: true, definition: assetDefinition(definition.value) };
      case "check":
        return { ok: true, definition: checkDefinition(definition.value) };
      case "schedule":
        return { ok: true, definition: scheduleDefinition(definition.value) };
      case "sensor":
        return { ok: true, definition: sensorDefinition(definition.value) };
      case undefined:
        throw missingField("the definition");
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const { code, message, hint } = error;
    return { ok: false, error: { code, message, hint, ...(source === undefined ? {} : { source }) } };
  }
}

function readMessage(bytes: Uint8Array): wire.Definition {
  try {
    return wire.Definition.decode(bytes);
  } catch (error) {
    throw new WireError("wire.unreadable", `the definition cannot be read: ${String(error)}`);
  }
}

/** @throws WireError for an entry without a kind or a key: the manifest as a whole cannot be trusted then */
export function decodeManifestEntry(entry: wire.ManifestEntry): ManifestEntry {
  const kind = entryKind(entry.kind);
  const key = requiredText("a key of the manifest", entry.key, kind === "module" ? 4_096 : 400);
  if (entry.error !== undefined) return { kind, key, error: definitionError(entry.error) };
  if (/^[0-9a-f]{64}$/.test(entry.hash)) return { kind, key, hash: entry.hash };
  throw new WireError("wire.invalid_text", `the hash of ${key} is ${quoted(entry.hash)}, not 64 hexadecimal digits`);
}

function entryKind(kind: wire.ManifestEntry_Kind): ManifestEntry["kind"] {
  switch (kind) {
    case wire.ManifestEntry_Kind.KIND_ASSET:
      return "asset";
    case wire.ManifestEntry_Kind.KIND_CHECK:
      return "check";
    case wire.ManifestEntry_Kind.KIND_SENSOR:
      return "sensor";
    case wire.ManifestEntry_Kind.KIND_MODULE:
      return "module";
    case wire.ManifestEntry_Kind.KIND_SCHEDULE:
      return "schedule";
    case wire.ManifestEntry_Kind.KIND_UNSPECIFIED:
    case wire.ManifestEntry_Kind.UNRECOGNIZED:
      break;
  }
  // The generated code hands on numbers that it does not know as they are.
  throw unknownEnum("the kind of a manifest entry", kind);
}

function definitionError(error: wire.DefinitionError): DefinitionError {
  return {
    code: boundedText(error.code, 128) || "definition.invalid",
    message: boundedText(error.message, descriptionLengthMax),
    hint: boundedText(error.hint, descriptionLengthMax),
    ...(error.source === undefined ? {} : { source: sourceLocation(error.source) }),
  };
}

function assetDefinition(asset: wire.AssetDefinition): AssetDefinition {
  const key = assetKeyText("the asset's key", asset.key);
  const tags = bounded("tags", Object.entries(asset.tags), 1_000).map(
    ([name, value]) => [requiredText("a tag's name", name), exactText(`the tag ${name}`, value)] as const,
  );
  return {
    kind: "asset",
    key,
    description: boundedText(asset.description, descriptionLengthMax),
    dependencies: bounded("dependencies", asset.dependencies).map(dependency),
    ...(asset.partitions === undefined ? {} : { partitions: partitions(asset.partitions) }),
    export: asset.export,
    exportTo: bounded("export_to", asset.exportTo).map((team) => nameText("a team of export_to", team)),
    codeVersion: requiredText("code_version", asset.codeVersion, 1_024),
    group: exactText("group", asset.group),
    tags: Object.fromEntries(tags),
    kinds: bounded("kinds", asset.kinds, 100).map((kind) => requiredText("a kind", kind)),
    inPlace: asset.inPlace,
    retry: retryPolicy(asset.retry),
    timeoutMs: durationMs("timeout_ms", asset.timeoutMs),
    attemptLeaseMs: durationMs("attempt_lease_ms", asset.attemptLeaseMs) || attemptLeaseMsDefault,
    gateTimeoutMs: durationMs("gate_timeout_ms", asset.gateTimeoutMs) || gateTimeoutMsDefault,
    ...(asset.pool === "" ? {} : { pool: nameText("pool", asset.pool) }),
    ...(asset.automation === undefined ? {} : { automation: decodeCondition(asset.automation) }),
    ...(asset.formerly === "" ? {} : { formerly: assetKeyText("formerly", asset.formerly) }),
    requiredChecks: bounded("required_checks", asset.requiredChecks).map(checkReference),
    ...(asset.configSchema === "" ? {} : { configSchema: configSchema(asset.configSchema) }),
    ...(asset.external === undefined
      ? {}
      : { external: { unversioned: asset.external.unversioned, hasValue: asset.external.hasValue } }),
    ...(asset.publishes ? { publishes: true } : {}),
    ...(asset.multi === undefined ? {} : { multi: multiAssetPart(key, asset.multi) }),
    ...(asset.batch === undefined ? {} : { batch: partitionBatch(key, asset, asset.batch) }),
    source: sourceLocation(asset.source ?? { file: "", line: 0 }),
  };
}

function multiAssetPart(key: AssetKey, { outputs, canSubset }: wire.MultiAssetPart): MultiAssetPart {
  const keys = bounded("the outputs of a multi-asset", outputs, outputsMax).map((output) =>
    assetKeyText("an output of a multi-asset", output),
  );
  if (keys.includes(key) && new Set(keys).size === keys.length) return { outputs: keys, canSubset };
  const message = `the outputs of the multi-asset that computes ${key} name it not, or one of them twice`;
  throw new WireError("wire.out_of_range", message);
}

/** One call computes several partitions only where they are alike and none of them waits for another. */
function partitionBatch(key: AssetKey, asset: wire.AssetDefinition, batch: wire.PartitionBatch): PartitionBatch {
  const { partitionsMax } = batch;
  const refuse = (why: string): WireError => new WireError("wire.out_of_range", `the batch of ${key} ${why}`);
  if (partitionsMax < 1 || partitionsMax > batchPartitionsMax)
    throw refuse(`is ${partitionsMax} partitions, of 1 to ${batchPartitionsMax}`);
  if (asset.partitions === undefined) throw refuse("is of an asset without partitions");
  if (asset.multi !== undefined) throw refuse("is of an output of a multi-asset");
  if (asset.dependencies.some(({ assetKey }) => assetKey === key)) throw refuse("is of an asset that reads itself");
  return { partitionsMax };
}

function checkDefinition(check: wire.CheckDefinition): CheckDefinition {
  if (check.version < 1) throw new WireError("wire.out_of_range", "the check's version is 0, of at least 1");
  return {
    kind: "check",
    asset: assetKeyText("the check's asset_key", check.assetKey),
    name: nameText("the check's name", check.name),
    description: boundedText(check.description, descriptionLengthMax),
    blocking: check.blocking,
    version: int32("the check's version", check.version),
    newVersionsOnly: check.newVersionsOnly,
    timeoutMs: durationMs("timeout_ms", check.timeoutMs),
    ...checkReporter(check.reportedBy),
    source: sourceLocation(check.source ?? { file: "", line: 0 }),
  };
}

function checkReporter(reporter: wire.CheckReporter): Pick<CheckDefinition, "reportedBy"> {
  switch (reporter) {
    case wire.CheckReporter.CHECK_REPORTER_UNSPECIFIED:
      return {};
    case wire.CheckReporter.CHECK_REPORTER_COMPUTE:
      return { reportedBy: "compute" };
    case wire.CheckReporter.CHECK_REPORTER_API:
      return { reportedBy: "api" };
    case wire.CheckReporter.UNRECOGNIZED:
      break;
  }
  // The generated code hands on numbers that it does not know as they are.
  throw unknownEnum("the reporter of a check", reporter);
}

const minimumIntervalMsMin = 100;
const minimumIntervalMsDefault = 30_000;
const evaluationTimeoutMsMax = 600_000;
const evaluationTimeoutMsDefault = 60_000;

function sensorDefinition(sensor: wire.SensorDefinition): SensorDefinition {
  const minimumIntervalMs = durationMs("minimum_interval_ms", sensor.minimumIntervalMs) || minimumIntervalMsDefault;
  const timeoutMs = durationMs("timeout_ms", sensor.timeoutMs) || evaluationTimeoutMsDefault;
  if (minimumIntervalMs < minimumIntervalMsMin || timeoutMs > evaluationTimeoutMsMax) {
    const message = `a sensor waits ${minimumIntervalMs} ms, of at least ${minimumIntervalMsMin}, for ${timeoutMs} ms, of at most ${evaluationTimeoutMsMax}`;
    throw new WireError("wire.out_of_range", message);
  }
  if (sensor.targets.length === 0) throw missingField("the targets of a sensor");
  return {
    kind: "sensor",
    name: assetKeyText("the sensor's name", sensor.name),
    description: boundedText(sensor.description, descriptionLengthMax),
    targets: bounded("targets", sensor.targets).map((target) => assetKeyText("a target of the sensor", target)),
    minimumIntervalMs,
    timeoutMs,
    startsOff: sensor.startsOff,
    source: sourceLocation(sensor.source ?? { file: "", line: 0 }),
  };
}

function dependency(edge: wire.Dependency): Dependency {
  return {
    name: requiredText("a dependency's name", edge.name),
    asset: assetKeyText(`the asset_key of dependency ${quoted(edge.name)}`, edge.assetKey),
    mode: dependencyMode(edge.mode),
    ...(edge.mapping === undefined ? {} : { mapping: mapping(edge.mapping) }),
    ...(edge.require === undefined ? {} : { atLeast: edge.require.atLeast }),
  };
}

function dependencyMode(mode: wire.DependencyMode): DependencyMode {
  switch (mode) {
    case wire.DependencyMode.DEPENDENCY_MODE_STRICT:
      return "strict";
    case wire.DependencyMode.DEPENDENCY_MODE_LAST_VALIDATED:
      return "lastValidated";
    case wire.DependencyMode.DEPENDENCY_MODE_ORDER_ONLY:
      return "orderOnly";
    case wire.DependencyMode.DEPENDENCY_MODE_UNSPECIFIED:
    case wire.DependencyMode.UNRECOGNIZED:
      break;
  }
  // The generated code hands on numbers that it does not know as they are.
  throw unknownEnum("a dependency's mode", mode);
}

function retryPolicy(retry: wire.RetryPolicy | undefined): RetryPolicy {
  if (retry === undefined) return { maxRetries: 0, delayMs: 0, backoff: "constant", jitter: 0, maxCrashes: 0 };
  if (!(retry.jitter >= 0 && retry.jitter <= 1)) {
    throw new WireError("wire.out_of_range", `the jitter of retries is ${retry.jitter}, not 0 to 1`);
  }
  return {
    maxRetries: int32("max_retries", retry.maxRetries),
    delayMs: durationMs("delay_ms", retry.delayMs),
    backoff: backoff(retry.backoff),
    jitter: retry.jitter,
    maxCrashes: int32("max_crashes", retry.maxCrashes),
  };
}

function backoff(value: wire.Backoff): RetryPolicy["backoff"] {
  switch (value) {
    case wire.Backoff.BACKOFF_CONSTANT:
      return "constant";
    case wire.Backoff.BACKOFF_LINEAR:
      return "linear";
    case wire.Backoff.BACKOFF_EXPONENTIAL:
      return "exponential";
    case wire.Backoff.BACKOFF_UNSPECIFIED:
    case wire.Backoff.UNRECOGNIZED:
      break;
  }
  // The generated code hands on numbers that it does not know as they are.
  throw unknownEnum("the backoff of retries", value);
}

function checkReference(reference: wire.CheckReference): CheckReference {
  return {
    asset: assetKeyText("the asset_key of a required check", reference.assetKey),
    team: nameText("the team of a required check", reference.team),
    name: nameText("the name of a required check", reference.name),
  };
}

function configSchema(text: string): unknown {
  const parsed = parseCleanJson(exactText("config_schema", text, schemaLengthMax));
  if (parsed !== undefined) return parsed.value;
  throw new WireError("wire.invalid_text", "config_schema is not JSON, or is nested too deep");
}
