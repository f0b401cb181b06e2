import { z } from "zod";
import { attemptDetail, version } from "./asset.ts";
import {
  checksRequest,
  event,
  logChunk,
  plan,
  planRequest,
  run,
  runRequest,
  runState,
  step,
  stepState,
} from "./run.ts";
import { route } from "./route.ts";
import * as shape from "./shapes.ts";

const api = "/api/v1";
const oneAsset = z.object({ key: shape.assetKeyParam });
const oneRun = z.object({ id: shape.idParam });

interface ConditionTree {
  readonly text: string;
  readonly isTrue: boolean;
  readonly of: readonly ConditionTree[];
}
const conditionTree: z.ZodType<ConditionTree, ConditionTree> = z
  .object({ text: z.string(), isTrue: z.boolean(), of: z.array(z.lazy(() => conditionTree)) })
  .meta({ id: "ConditionTree", description: "a part of a condition, and whether it is true for the partition" });

const whyAutomation = z
  .object({
    condition: z.string().describe("on one line"),
    isRequested: z
      .boolean()
      .nullable()
      .describe("what the condition, with its guards, comes to now; null: not evaluated here"),
    tree: conditionTree.nullable().describe("null: there is too much to look at for an answer"),
    notRequestedBecause: z.array(z.string()).describe("sentences without full stops"),
    lastRequest: z
      .object({ run: shape.id, at: shape.time })
      .nullable()
      .describe("the last time that the condition requested this partition"),
  })
  .meta({ id: "WhyAutomation" });

const why = z
  .object({
    asset: z.string(),
    partition: z.string(),
    status: shape.partitionStatus,
    computed: z.boolean().describe("true: reasoned out now; false: the decision that was stored when it was asked for"),
    decision: z
      .object({
        id: shape.id,
        source: z.enum(["run", "automation"]),
        run: shape.id.nullable(),
        step: z.int().nullable(),
        at: shape.time,
      })
      .nullable(),
    reasons: z.array(shape.reason.extend({ path: z.array(z.string()).describe("asset keys from here to the reason") })),
    stillClosed: z.boolean().describe("whether the gate upstream is closed at this moment"),
    remedies: z.array(shape.remedy),
    newest: version.nullable(),
    madeBy: run.nullable().describe("the run that made the newest version"),
    failure: z
      .object({ run: shape.id, step: z.int(), state: stepState, error: shape.failure.nullable() })
      .nullable()
      .describe("the last step that ended without a version, if nothing was made since"),
    automation: whyAutomation.nullable().describe("null: the asset has no condition"),
  })
  .meta({ id: "Why" });

/** Plans, runs, and why. */
export const runRoutes = {
  why: route({
    method: "GET",
    path: `${api}/why/{key}`,
    tag: "runs",
    summary: "Why this partition was made, was not, or is blocked, to the root, and what opens it",
    params: oneAsset,
    query: z.object({ partition: shape.partitionKey.default("") }),
    status: 200,
    answer: why,
  }),
  plan: route({
    method: "POST",
    path: `${api}/plan`,
    tag: "runs",
    summary: "What a run would do and what would be blocked; changes nothing",
    body: planRequest,
    status: 200,
    answer: plan,
  }),
  createRun: route({
    method: "POST",
    path: `${api}/runs`,
    tag: "runs",
    summary: "Launches a run",
    body: runRequest,
    status: 201,
    answer: run,
  }),
  listRuns: route({
    method: "GET",
    path: `${api}/runs`,
    tag: "runs",
    summary: "Runs, newest first",
    query: z.object({
      state: runState.optional(),
      asset: shape.text(255).optional().describe("runs with a step of this asset"),
      source: z.enum(["manual", "schedule", "sensor", "automation", "backfill", "retry", "api"]).optional(),
      actor: shape.text(255).optional(),
      ...shape.pageQuery,
    }),
    status: 200,
    answer: shape.page(run),
  }),
  getRun: route({
    method: "GET",
    path: `${api}/runs/{id}`,
    tag: "runs",
    summary: "One run",
    params: oneRun,
    status: 200,
    answer: run,
  }),
  listSteps: route({
    method: "GET",
    path: `${api}/runs/{id}/steps`,
    tag: "runs",
    summary: "Steps of a run in planned order",
    params: oneRun,
    query: z.object({ state: stepState.optional(), ...shape.pageQuery }),
    status: 200,
    answer: shape.page(step),
  }),
  getAttempt: route({
    method: "GET",
    path: `${api}/attempts/{id}`,
    tag: "runs",
    summary: "One attempt of a step, with value references of exactly what it read",
    params: oneRun,
    status: 200,
    answer: attemptDetail,
  }),
  listRunEvents: route({
    method: "GET",
    path: `${api}/runs/{id}/events`,
    tag: "runs",
    summary: "Events of a run, oldest first",
    params: oneRun,
    query: z.object({ ...shape.pageQuery }),
    status: 200,
    answer: shape.page(event),
  }),
  listRunLogs: route({
    method: "GET",
    path: `${api}/runs/{id}/logs`,
    tag: "runs",
    summary: "What the steps of a run printed and logged, by step, attempt and position",
    params: oneRun,
    query: z.object({
      step: z.coerce.number().int().min(0).optional(),
      attempt: z.coerce.number().int().min(1).optional(),
      stream: z.enum(["stdout", "stderr", "log"]).optional(),
      ...shape.pageQuery,
    }),
    status: 200,
    // `next` is there on the last page too while the run may still print: asking from it gives what came since.
    answer: shape.page(logChunk),
  }),
  cancelRun: route({
    method: "POST",
    path: `${api}/runs/{id}/cancel`,
    tag: "runs",
    summary: "Cancels a run; steps under way are told to stop",
    params: oneRun,
    status: 202,
    answer: run,
  }),
  retryRun: route({
    method: "POST",
    path: `${api}/runs/{id}/retry`,
    tag: "runs",
    summary: "Launches the run again, whole or only the steps that did not succeed",
    params: oneRun,
    body: z.strictObject({ fromFailure: z.boolean().default(false) }).meta({ id: "RetryRequest" }),
    status: 201,
    answer: run,
  }),
  runChecks: route({
    method: "POST",
    path: `${api}/checks/run`,
    tag: "checks",
    summary: "Launches a run of checks on versions that exist",
    body: checksRequest,
    status: 201,
    answer: run,
  }),
};
