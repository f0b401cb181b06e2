import { z } from "zod";
import { assetDetail, assetSummary, check, statusRange, version, waiver } from "./asset.ts";
import { location, team, workspaceProblem } from "./location.ts";
import { route } from "./route.ts";
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
import * as shape from "./shapes.ts";

const { assetKeyParam, idParam, page, pageQuery, time } = shape;
const api = "/api/v1";
const oneAsset = z.object({ key: assetKeyParam });
const oneVersion = z.object({ key: assetKeyParam, id: idParam });
const oneRun = z.object({ id: idParam });
const oneLocation = z.object({ name: shape.name });

const probes = {
  health: route({
    method: "GET",
    path: "/healthz",
    tag: "server",
    summary: "Whether this process answers",
    status: 200,
    answer: z.object({ status: z.literal("ok") }).meta({ id: "Health" }),
    public: true,
  }),
  ready: route({
    method: "GET",
    path: "/readyz",
    tag: "server",
    summary: "200 once the schema is there and every workspace entry has loaded or is reported; 503 before",
    status: 200,
    answer: z.object({ status: z.literal("ready"), locations: z.record(z.string(), z.string()) }).meta({ id: "Ready" }),
    public: true,
  }),
  metrics: route({
    method: "GET",
    path: "/metrics",
    tag: "server",
    summary: "Gauges in the text format of Prometheus",
    status: 200,
    mediaType: "text/plain",
  }),
  openapi: route({
    method: "GET",
    path: "/openapi.json",
    tag: "server",
    summary: "This document",
    status: 200,
    answer: z.record(z.string(), z.unknown()),
    public: true,
  }),
  home: route({
    method: "GET",
    path: "/",
    tag: "server",
    summary: "Teams, assets and closed gates as a page for people",
    status: 200,
    mediaType: "text/html",
  }),
};

const workspace = {
  listLocations: route({
    method: "GET",
    path: `${api}/locations`,
    tag: "locations",
    summary: "Code locations, and what is wrong with workspace.yaml",
    status: 200,
    answer: z.object({ items: z.array(location), problems: z.array(workspaceProblem) }).meta({ id: "Locations" }),
  }),
  getLocation: route({
    method: "GET",
    path: `${api}/locations/{name}`,
    tag: "locations",
    summary: "One code location with its definition errors",
    params: oneLocation,
    status: 200,
    answer: location,
  }),
  reloadLocation: route({
    method: "POST",
    path: `${api}/locations/{name}/reload`,
    tag: "locations",
    summary: "Asks the location for its definitions again",
    params: oneLocation,
    status: 202,
    answer: z.object({ name: z.string(), requestedAt: time }).meta({ id: "ReloadRequested" }),
  }),
  listTeams: route({
    method: "GET",
    path: `${api}/teams`,
    tag: "teams",
    summary: "Teams, how to reach them and what they own",
    status: 200,
    answer: z.object({ items: z.array(team) }).meta({ id: "Teams" }),
  }),
};

const graphEdge = z
  .object({
    from: z.string(),
    to: z.string(),
    name: z.string(),
    mode: z.enum(["strict", "lastValidated", "orderOnly"]),
    atLeast: z.int(),
  })
  .meta({ id: "GraphEdge" });

const assets = {
  getGraph: route({
    method: "GET",
    path: `${api}/graph`,
    tag: "assets",
    summary: "Assets and the edges between them, upstream first",
    query: z.object({ selection: shape.text(10_000).optional() }),
    status: 200,
    answer: z.object({ assets: z.array(assetSummary), edges: z.array(graphEdge) }).meta({ id: "Graph" }),
  }),
  listAssets: route({
    method: "GET",
    path: `${api}/assets`,
    tag: "assets",
    summary: "Assets by key",
    query: z.object({ selection: shape.text(10_000).optional(), ...pageQuery }),
    status: 200,
    answer: page(assetSummary),
  }),
  getAsset: route({
    method: "GET",
    path: `${api}/assets/{key}`,
    tag: "assets",
    summary: "One asset: definition, checks, status of its partitions",
    params: oneAsset,
    status: 200,
    answer: assetDetail,
  }),
  listVersions: route({
    method: "GET",
    path: `${api}/assets/{key}/versions`,
    tag: "assets",
    summary: "Versions, newest first",
    params: oneAsset,
    query: z.object({ partition: shape.partitionKey.optional(), ...pageQuery }),
    status: 200,
    answer: page(version),
  }),
  getVersion: route({
    method: "GET",
    path: `${api}/assets/{key}/versions/{id}`,
    tag: "assets",
    summary: "One version with its results, inputs and waivers",
    params: oneVersion,
    status: 200,
    answer: version,
  }),
  getPartitions: route({
    method: "GET",
    path: `${api}/assets/{key}/partitions`,
    tag: "assets",
    summary: "Partitions as ranges with their status",
    params: oneAsset,
    status: 200,
    answer: z.object({ count: z.int(), ranges: z.array(statusRange) }).meta({ id: "Partitions" }),
  }),
  listAssetChecks: route({
    method: "GET",
    path: `${api}/assets/{key}/checks`,
    tag: "checks",
    summary: "Checks of one asset with their latest result",
    params: oneAsset,
    status: 200,
    answer: z.object({ items: z.array(check) }).meta({ id: "AssetChecks" }),
  }),
  listChecks: route({
    method: "GET",
    path: `${api}/checks`,
    tag: "checks",
    summary: "Checks of every asset with their latest result, by asset key",
    query: z.object({ selection: shape.text(10_000).optional(), ...pageQuery }),
    status: 200,
    answer: page(check),
  }),
};

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
        at: time,
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
  })
  .meta({ id: "Why" });

const runs = {
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
      ...pageQuery,
    }),
    status: 200,
    answer: page(run),
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
    query: z.object({ state: stepState.optional(), ...pageQuery }),
    status: 200,
    answer: page(step),
  }),
  listRunEvents: route({
    method: "GET",
    path: `${api}/runs/{id}/events`,
    tag: "runs",
    summary: "Events of a run, oldest first",
    params: oneRun,
    query: z.object({ ...pageQuery }),
    status: 200,
    answer: page(event),
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
      ...pageQuery,
    }),
    status: 200,
    // `next` is there on the last page too while the run may still print: asking from it gives what came since.
    answer: page(logChunk),
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

const decisions = {
  listWaivers: route({
    method: "GET",
    path: `${api}/waivers`,
    tag: "waivers",
    summary: "Waivers, newest first",
    query: z.object({
      asset: shape.text(255).optional(),
      inForce: z.enum(["true", "false"]).optional(),
      ...pageQuery,
    }),
    status: 200,
    answer: page(waiver),
  }),
  getWaiver: route({
    method: "GET",
    path: `${api}/waivers/{id}`,
    tag: "waivers",
    summary: "One waiver",
    params: z.object({ id: idParam }),
    status: 200,
    answer: waiver,
  }),
  createWaiver: route({
    method: "POST",
    path: `${api}/assets/{key}/versions/{id}/waiver`,
    tag: "waivers",
    summary: "Accepts a version although a check holds its gate closed; for the check's owner",
    params: oneVersion,
    body: z
      .strictObject({
        check: shape
          .text(255)
          .min(1)
          .optional()
          .describe("may be left out when exactly one check holds the gate closed"),
        team: shape.text(255).min(1).optional().describe("owner of the check; default: the asset's team"),
        reason: shape.reasonText,
        until: time.describe("when it ends by itself; in the future"),
      })
      .meta({ id: "WaiverRequest" }),
    status: 201,
    answer: waiver,
  }),
  revokeWaiver: route({
    method: "DELETE",
    path: `${api}/assets/{key}/versions/{id}/waiver`,
    tag: "waivers",
    summary: "Ends a waiver at once",
    params: oneVersion,
    query: z.object({
      check: shape.text(255).optional().describe("may be left out when the version has exactly one waiver in force"),
      team: shape.text(255).optional(),
    }),
    status: 200,
    answer: waiver,
  }),
  discardVersion: route({
    method: "POST",
    path: `${api}/assets/{key}/versions/{id}/discard`,
    tag: "assets",
    summary: "Discards the newest version of a partition, so that the one before is the newest again",
    params: oneVersion,
    body: z.strictObject({ reason: shape.reasonText }).meta({ id: "DiscardRequest" }),
    status: 200,
    answer: version,
  }),
  restoreVersion: route({
    method: "POST",
    path: `${api}/assets/{key}/versions/{id}/restore`,
    tag: "assets",
    summary: "Takes a discarded version back",
    params: oneVersion,
    status: 200,
    answer: version,
  }),
  listAudit: route({
    method: "GET",
    path: `${api}/audit`,
    tag: "audit",
    summary: "Who changed what, newest first",
    query: z.object({
      actor: shape.text(255).optional(),
      action: shape.text(255).optional(),
      subject: shape.text(255).optional(),
      ...pageQuery,
    }),
    status: 200,
    answer: page(
      z
        .object({
          id: z.int(),
          at: time,
          actor: z.string(),
          action: z.string(),
          subject: z.string(),
          details: z.record(z.string(), z.unknown()),
        })
        .meta({ id: "AuditEntry" }),
    ),
  }),
  followEvents: route({
    method: "GET",
    path: `${api}/events`,
    tag: "events",
    summary: "Server-sent events in commit order; resumes after Last-Event-ID or ?after=, else begins now",
    query: z.object({
      after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
      topics: shape
        .text(10_000)
        .optional()
        .describe("run:<id>, asset:<key>, location:<name> or kind:<kind>, with commas; an event that fits any is sent"),
    }),
    status: 200,
    mediaType: "text/event-stream",
  }),
};

/** Every route of the API. The key is the OpenAPI operation id. */
export const routes = { ...probes, ...workspace, ...assets, ...runs, ...decisions };

export type Routes = typeof routes;
export type RouteName = keyof Routes;
