import { cleanText } from "@headgate/model";
import { z } from "zod";

/** Text that Postgres can store; `max` in UTF-16 units. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => cleanText(value) === value, "must not hold NUL or lone surrogates");
/** An asset key is one URL-encoded path segment. */
export const assetKeyParam = text(255).min(3).describe("asset key, for example flights/clean_flights, URL-encoded");
/** RFC 3339, UTC. */
export const time = z.iso.datetime();
export const timeOrNull = time.nullable();
export const id = z.string();
export const idParam = z.uuid("it is no id; one looks like 0199a7c4-5d1e-7b3a-9c55-0a4f5be1c2d3");
export const name = text(255).min(1);

/** Any JSON that Postgres can store. */
export const storableJson = z
  .unknown()
  .refine(
    (value) => isStorable(value, 0),
    "must not hold NUL or lone surrogates, nor be nested deeper than 100 levels",
  );

const depthMax = 100;

function isStorable(value: unknown, depth: number): boolean {
  if (depth > depthMax) return false;
  if (typeof value === "string") return cleanText(value) === value;
  if (Array.isArray(value)) return value.every((part) => isStorable(part, depth + 1));
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, part]) => cleanText(key) === key && isStorable(part, depth + 1));
}

export const reasonText = text(2_000).refine((value) => value.trim() !== "", "say why");
export const partitionKey = text(1_000).describe("partition key; empty where the asset is not partitioned");

const limitMax = 1_000;

/** Keyset paging: `after` is the `next` of the answer before. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(limitMax).default(100),
  after: z.string().min(1).max(300).optional(),
};

/** A page of `items`; `next` is null on the last one. */
export const page = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().nullable() });

export const metadataEntry = z
  .object({
    name: z.string(),
    kind: z
      .string()
      .describe(
        "text, markdown, number, integer, boolean, url, path, timestamp, json, table, tableSchema, columnLineage or chart",
      ),
    value: z.unknown(),
  })
  .meta({ id: "MetadataEntry" });

export const owner = z
  .object({
    team: z.string(),
    contacts: z.array(z.string()),
    oncallUrl: z.string().nullable(),
    runbook: z.string().nullable(),
  })
  .meta({ id: "Owner", description: "a team and how to reach it" });

export const remedy = z
  .object({ purpose: z.string(), command: z.string().describe("ready to paste; empty if no command does it") })
  .meta({ id: "Remedy" });

/** Why a gate is closed. Which of the ids are there depends on the kind. */
export const reason = z
  .object({
    kind: z.enum([
      "neverMaterialized",
      "pending",
      "checkFailed",
      "checkErrored",
      "checkNotRun",
      "noValidatedVersion",
      "locationUnreachable",
      "notExported",
    ]),
    asset: z.string(),
    partition: z.string(),
    version: id.optional(),
    run: id.optional().describe("the run that made the version; absent: it was reported"),
    external: z.literal(true).optional().describe("the asset is reported by API, not computed"),
    reportedBy: z.enum(["compute", "api"]).optional().describe("who reaches the check's verdict, where it is not run"),
    team: z.string().optional().describe("owner of the check"),
    check: z.string().optional(),
    result: id.optional(),
    description: z.string().optional(),
    metadata: z.array(metadataEntry).optional(),
    open: z.int().optional(),
    needed: z.int().optional(),
    location: z.string().optional(),
    reader: z.string().optional(),
    message: z.string().describe("the reason in words"),
    owner: owner.describe("who can open it"),
  })
  .meta({ id: "Reason" });

export const failure = z
  .object({
    code: z.string(),
    message: z.string(),
    hint: z.string().nullable(),
    stack: z.string().nullable(),
    position: z.object({ file: z.string(), line: z.int(), column: z.int() }).nullable(),
  })
  .meta({ id: "Failure", description: "why a step or an attempt failed" });

export const definitionProblem = z
  .object({
    kind: z.enum(["asset", "check", "schedule", "sensor", "module"]),
    key: z.string(),
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    file: z.string().nullable(),
    line: z.int().nullable(),
  })
  .meta({ id: "DefinitionProblem" });

export const partitionStatus = z
  .enum([
    "materializing",
    "failed",
    "errored",
    "computeFailed",
    "blocked",
    "pending",
    "waived",
    "warned",
    "passed",
    "unchecked",
    "neverMaterialized",
  ])
  .meta({ id: "PartitionStatus", description: "passed, warned, unchecked and waived are open" });
