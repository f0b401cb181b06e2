import { z } from "zod";
import { attempt } from "./asset.ts";
import { failure, id, idParam, reason, remedy, storableJson, text, time, timeOrNull } from "./shapes.ts";

export const runState = z
  .enum(["queued", "started", "canceling", "succeeded", "failed", "blocked", "canceled"])
  .meta({ id: "RunState" });

export const stepState = z
  .enum([
    "waiting",
    "leased",
    "started",
    "retrying",
    "unknown",
    "succeeded",
    "failed",
    "blocked",
    "skipped",
    "canceled",
  ])
  .meta({ id: "StepState" });

export const runSource = z
  .enum(["manual", "schedule", "sensor", "automation", "backfill", "retry", "api"])
  .meta({ id: "RunSource" });

export const run = z
  .object({
    id,
    state: runState,
    source: runSource,
    actor: z.string(),
    selection: z.string(),
    partitions: z.string(),
    config: z.record(z.string(), z.unknown()),
    tags: z.record(z.string(), z.string()),
    priority: z.int(),
    whenOpen: z.boolean(),
    retryOf: id.nullable(),
    tick: z
      .object({
        id,
        automation: z.string().describe("name of the schedule or sensor"),
        scheduledAt: timeOrNull.describe("null: it has no instant of a cron"),
      })
      .nullable()
      .describe("the tick that launched it"),
    runKey: z.string().nullable().describe("what its sensor asked for it for"),
    leftOut: z.array(z.string()).describe("external assets of the selection: reported, and no step makes them"),
    stepCount: z.int(),
    steps: z.partialRecord(stepState, z.int()).describe("steps by state"),
    createdAt: time,
    startedAt: timeOrNull,
    endedAt: timeOrNull,
    cancelRequestedAt: timeOrNull,
    cancelRequestedBy: z.string().nullable(),
  })
  .meta({ id: "Run" });

const computation = z
  .int()
  .nullable()
  .describe(
    "index of the first of the steps that one call computes together with this one; null: it is computed alone",
  );

export const step = z
  .object({
    index: z.int(),
    kind: z.enum(["materialize", "checks"]),
    asset: z.string(),
    partition: z.string(),
    location: z.string(),
    state: stepState,
    after: z.array(z.int()).describe("indexes of the steps that must have ended before"),
    checks: z.array(z.string()),
    version: id.nullable(),
    attempts: z.int(),
    lastAttempt: attempt.nullable(),
    reasons: z.array(reason).describe("why it is blocked"),
    remedies: z.array(remedy).describe("what would open it"),
    error: failure.nullable(),
    startedAt: timeOrNull,
    endedAt: timeOrNull,
    computation,
  })
  .meta({ id: "Step" });

const tagName = z.string().regex(/^[A-Za-z0-9_.:/-]{1,63}$/, "a tag name is 1 to 63 letters, digits, _ . : / or -");
const tags = z.record(tagName, text(255)).refine((all) => Object.keys(all).length <= 50, "at most 50 tags");

const runConfig = z.record(text(255), z.record(text(255), storableJson)).describe("fields by asset key");

/** Empty is most often a variable that was not set, and would mean every partition. */
const partitions = text(10_000)
  .refine((value) => value.trim() !== "", "name partitions, such as 2001-01..2001-06; leave it out for every one")
  .optional();

/** What may be selected, in the language of selections and partitions. */
const selected = {
  selection: text(10_000)
    .min(1, "say which assets, for example flights/* or +analytics/half_year_summary")
    .describe("for example flights/* or +analytics/half_year_summary"),
  partitions: partitions.describe("2001-03, 2001-01..2001-06, or a list with commas; absent: every one"),
};

export const planRequest = z
  .strictObject({
    ...selected,
    config: runConfig.optional(),
    tags: tags.optional(),
    priority: z.int().min(-1_000).max(1_000).optional(),
    whenOpen: z.boolean().optional(),
  })
  .meta({ id: "PlanRequest" });

export const runRequest = z
  .strictObject({
    ...selected,
    config: runConfig.default({}),
    tags: tags.default({}),
    priority: z.int().min(-1_000).max(1_000).default(0),
    whenOpen: z.boolean().default(false).describe("wait for closed gates to open instead of ending blocked"),
  })
  .meta({ id: "RunRequest" });

export const checksRequest = z
  .strictObject({
    asset: text(255).min(1),
    check: text(255).optional().describe("absent: every check of the asset; another team's as team:name"),
    version: idParam.optional().describe("absent: the newest version of each partition"),
    partitions,
    tags: tags.default({}),
    priority: z.int().min(-1_000).max(1_000).default(0),
  })
  .meta({ id: "ChecksRequest" });

export const plannedStep = z
  .object({
    index: z.int(),
    kind: z.enum(["materialize", "checks"]),
    asset: z.string(),
    team: z.string(),
    location: z.string(),
    partition: z.string(),
    after: z.array(z.int()),
    checks: z.array(z.string()),
    forecast: z.enum(["runs", "waits", "blocked"]),
    reasons: z.array(reason),
    computation,
    added: z.boolean().describe("not selected: what is selected cannot be computed without it"),
  })
  .meta({ id: "PlannedStep" });

export const plan = z
  .object({
    steps: z.array(plannedStep),
    runs: z.int(),
    waits: z.int(),
    blocked: z.int(),
    leftOut: z.array(z.string()).describe("external assets of the selection: reported, and no step makes them"),
    remedies: z.array(remedy),
  })
  .meta({ id: "Plan" });

export const event = z
  .object({
    seq: z.int(),
    at: time,
    kind: z.string(),
    run: id.nullable(),
    step: z.int().nullable(),
    asset: z.string().nullable(),
    partition: z.string().nullable(),
    location: z.string().nullable(),
    payload: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Event" });

export const logChunk = z
  .object({
    step: z.int(),
    asset: z.string(),
    partition: z.string(),
    attempt: z.int().describe("number of the attempt, from 1"),
    sequence: z.int(),
    stream: z.enum(["stdout", "stderr", "log"]),
    at: time,
    text: z.string(),
    droppedBytes: z.int(),
  })
  .meta({ id: "LogChunk" });
