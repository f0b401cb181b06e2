import { z } from "zod";
import {
  definitionProblem,
  failure,
  id,
  metadataEntry,
  owner,
  partitionStatus,
  reason,
  time,
  timeOrNull,
} from "./shapes.ts";

export const statusCounts = z.partialRecord(partitionStatus, z.int()).meta({ id: "StatusCounts" });

export const assetSummary = z
  .object({
    key: z.string(),
    team: z.string(),
    location: z.string(),
    description: z.string(),
    group: z.string(),
    tags: z.record(z.string(), z.string()),
    kinds: z.array(z.string()),
    export: z.boolean(),
    inPlace: z.boolean(),
    external: z
      .object({
        unversioned: z.boolean().describe("one version at most, and readers are gated by its checks alone"),
        hasValue: z.boolean().describe("a report without a value is refused"),
      })
      .nullable()
      .describe("null: it is computed; else its versions are reported by API"),
    multi: z
      .object({
        outputs: z.array(z.string()).describe("keys of all that the call computes, this one among them"),
        canSubset: z.boolean().describe("it computes those that are asked for; false: all or none"),
      })
      .nullable()
      .describe("null: no other asset is computed with it"),
    batch: z
      .object({ partitionsMax: z.int().describe("of how many partitions one call is asked for, at most") })
      .nullable()
      .describe("null: each partition is computed by a call of its own"),
    partitioned: z.boolean(),
    status: partitionStatus.describe("of the partition that most needs an eye"),
    counts: statusCounts.describe("partitions by status"),
    retired: z
      .boolean()
      .describe("no longer defined: its versions serve the readers that it has, and no new one is made"),
    error: definitionProblem.nullable().describe("the newest definition is refused and this is the last good one"),
  })
  .meta({ id: "AssetSummary" });

export const statusRange = z
  .object({
    status: partitionStatus,
    partitions: z.string().describe("as `partitions` is written everywhere: 2001-01..2001-06, 2001-08"),
    count: z.int(),
  })
  .meta({ id: "StatusRange" });

export const statusRun = z
  .object({ status: partitionStatus, start: z.int(), count: z.int(), first: z.string(), last: z.string() })
  .meta({ id: "StatusRun", description: "neighbouring partitions of one status, with the keys at both ends" });

const staticPartitions = z.object({ kind: z.literal("static"), keys: z.array(z.string()) });
const timeWindowPartitions = z.object({
  kind: z.literal("timeWindow"),
  cron: z.string(),
  timezone: z.string(),
  start: z.string(),
  end: z.string().nullable(),
});

const dynamicPartitions = z.object({
  kind: z.literal("dynamic"),
  name: z.string().describe("of the set; GET /partitions/{team}/{name} has its keys"),
});

export const dimensionDefinition = z
  .union([staticPartitions, timeWindowPartitions, dynamicPartitions])
  .meta({ id: "DimensionDefinition", description: "how one dimension of several is cut" });

export const partitionsDefinition = z
  .union([
    staticPartitions,
    timeWindowPartitions,
    dynamicPartitions,
    z.object({
      kind: z.literal("multi"),
      dimensions: z
        .array(z.object({ name: z.string(), definition: dimensionDefinition }))
        .describe("in the order in which a key names them: region=eu,month=2001-02"),
    }),
  ])
  .meta({ id: "PartitionsDefinition" });

export const assetDependency = z
  .object({
    name: z.string(),
    asset: z.string(),
    team: z.string(),
    mode: z.enum(["strict", "lastValidated", "orderOnly"]),
    atLeast: z.int().describe("how many of the mapped partitions must be open; 0: every one"),
    mapping: z.string().describe("identity, window, all, last or static"),
  })
  .meta({ id: "AssetDependency" });

export const checkResult = z
  .object({
    id,
    team: z.string(),
    name: z.string(),
    checkVersion: z.int(),
    outcome: z.enum(["passed", "warned", "failed", "errored"]),
    description: z.string(),
    metadata: z.array(metadataEntry),
    run: id.nullable().describe("null: it was reported by API"),
    seq: z.int(),
  })
  .meta({ id: "CheckResult" });

export const waiver = z
  .object({
    id,
    asset: z.string(),
    partition: z.string(),
    version: id,
    team: z.string().describe("owner of the check"),
    check: z.string(),
    reason: z.string(),
    actor: z.string(),
    createdAt: time,
    until: time,
    inForce: z.boolean(),
    endedAt: timeOrNull,
    endedBy: z.string().nullable(),
  })
  .meta({ id: "Waiver" });

export const versionState = z
  .enum(["unchecked", "pending", "passed", "failed", "errored", "waived"])
  .meta({ id: "VersionState" });

export const input = z
  .object({
    name: z.string(),
    asset: z.string(),
    mode: z.enum(["strict", "lastValidated", "orderOnly"]),
    versions: z.array(z.object({ id, partition: z.string(), waivers: z.array(id) })),
    leftOut: z.array(z.string()).describe("mapped partitions without an open version"),
  })
  .meta({ id: "Input", description: "exactly what was read through one dependency" });

const valueReference = z.object({
  scheme: z.string(),
  place: z.string(),
  mediaType: z.string(),
  digest: z.string(),
  sizeBytes: z.number(),
});

export const readableVersion = z
  .object({
    id,
    partition: z.string(),
    createdAt: time,
    run: id.nullable(),
    newest: z.boolean().describe("no newer version of the partition is there"),
    dataVersion: z.string(),
    value: valueReference.nullable(),
    metadata: z.array(metadataEntry),
    waivers: z.array(id).describe("under which it, or anything upstream of it, is read"),
  })
  .meta({ id: "ReadableVersion", description: "what a reader needs of a version" });

export const openVersions = z
  .object({
    items: z.array(readableVersion),
    leftOut: z
      .array(z.object({ partition: z.string(), reasons: z.array(reason) }))
      .describe("partitions without an open version, to the root"),
  })
  .meta({ id: "OpenVersions" });

export const version = z
  .object({
    id,
    asset: z.string(),
    partition: z.string(),
    seq: z.int(),
    state: versionState,
    open: z.boolean(),
    newest: z.boolean(),
    createdAt: time,
    run: id.nullable().describe("null: it was reported by API"),
    attempt: id.nullable(),
    location: z.string(),
    codeVersion: z.string(),
    dataVersion: z.string(),
    value: valueReference.nullable(),
    metadata: z.array(metadataEntry),
    inputs: z.array(input),
    results: z.array(checkResult),
    waivers: z.array(waiver).describe("of this version's own checks, those in force"),
    inheritedWaivers: z.array(id).describe("under which it, or anything upstream of it, was read"),
    reasons: z.array(reason),
    discarded: z.object({ at: time, by: z.string(), reason: z.string() }).nullable(),
    publishedAt: timeOrNull.describe("since when readers outside see this version"),
  })
  .meta({ id: "Version" });

export const check = z
  .object({
    asset: z.string(),
    team: z.string(),
    name: z.string(),
    location: z.string(),
    description: z.string(),
    blocking: z.boolean(),
    required: z.boolean().describe("closes the gate for readers of the asset's own team"),
    version: z.int(),
    reportedBy: z
      .enum(["compute", "api"])
      .nullable()
      .describe("who reaches the verdict where it cannot be run; null: its location runs it"),
    error: definitionProblem.nullable(),
    latest: z
      .object({
        outcome: z.enum(["passed", "warned", "failed", "errored"]),
        current: z.boolean().describe("of the check's current version; another no longer counts"),
        partition: z.string(),
        version: id,
        run: id.nullable().describe("null: it was reported by API"),
        at: time,
        description: z.string(),
        metadata: z.array(metadataEntry),
      })
      .nullable(),
  })
  .meta({ id: "Check" });

export const publications = z
  .object({
    published: z.int().describe("partitions of which readers outside see a version"),
    failing: z
      .array(
        z.object({
          partition: z.string(),
          version: id,
          failures: z.int().describe("in a row"),
          retryAt: timeOrNull,
          error: failure,
        }),
      )
      .describe("the first ten by partition key"),
  })
  .meta({ id: "Publications" });

export const assetDetail = assetSummary
  .extend({
    owner,
    partitions: partitionsDefinition.nullable(),
    ranges: z.array(statusRange),
    codeVersion: z.string(),
    configSchema: z.unknown().describe("JSON Schema of its config in a run; null: it takes none"),
    automation: z.string().nullable(),
    dependencies: z.array(assetDependency),
    readers: z.array(z.string()),
    warnings: z.array(definitionProblem).describe("what its owner should mend, though it is served"),
    checks: z.array(check),
    source: z.object({ file: z.string(), line: z.int() }),
    newest: version.nullable().describe("the newest version of any partition"),
    publications: publications.nullable().describe("null: its IO manager publishes nothing"),
  })
  .meta({ id: "AssetDetail" });

export const attempt = z
  .object({
    id,
    number: z.int(),
    state: z.enum(["leased", "started", "unknown", "succeeded", "failed", "canceled", "crashed", "timedOut", "lost"]),
    instance: z.string(),
    leasedAt: time,
    startedAt: timeOrNull,
    endedAt: timeOrNull,
    error: failure.nullable(),
    inputs: z.array(input),
  })
  .meta({ id: "Attempt" });

export const attemptDetail = attempt
  .extend({
    asset: z.string(),
    partition: z.string(),
    kind: z.enum(["materialize", "checks"]),
    run: id,
    step: z.int(),
    location: z.string(),
    version: id.describe("made or checked by it"),
    config: z.record(z.string(), z.unknown()).describe("of the run, for this asset"),
    tags: z.record(z.string(), z.string()).describe("of the run"),
    reads: z.array(
      z.object({
        name: z.string(),
        asset: z.string(),
        mode: z.enum(["strict", "lastValidated", "orderOnly"]),
        versions: z.array(readableVersion).describe("in the order in which they were read"),
        gone: z.array(id).describe("versions that are not there any more"),
        leftOut: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: "AttemptDetail", description: "an attempt with what it read, as a reader needs it" });
