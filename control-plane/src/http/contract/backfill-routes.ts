import { z } from "zod";
import { route } from "./route.ts";
import { planRequest } from "./run.ts";
import * as shape from "./shapes.ts";

const api = "/api/v1";
const one = z.object({ id: shape.idParam });
const state = z
  .enum(["running", "paused", "canceling", "succeeded", "failed", "blocked", "canceled"])
  .describe("paused: no new run; blocked: a gate was closed; the last four are ends");
const only = z
  .enum(["missing", "failed", "blocked"])
  .describe("missing: never materialized; failed: compute or a check failed; blocked: by a gate upstream");

const part = z
  .object({
    asset: z.string(),
    ranges: z
      .array(
        z.object({
          status: z
            .enum(["succeeded", "failed", "blocked", "canceled", "inFlight", "heldBack", "waiting"])
            .describe("heldBack: it is not requested, since what it reads failed or is blocked"),
          partitions: z.string().describe("as `partitions` is written everywhere; empty: the asset is not partitioned"),
          count: z.int(),
        }),
      )
      .describe("partitions by status; a status without partitions is left out"),
  })
  .meta({ id: "BackfillPart" });

const backfill = z
  .object({
    id: shape.id,
    state,
    actor: z.string(),
    selection: z.string(),
    partitions: z.string().describe("as they were asked for; empty: every one that there was"),
    only: only.nullable(),
    partitionsPerRun: z.int().describe("of each asset in one run, at most"),
    priority: z.int(),
    tags: z.record(z.string(), z.string()),
    whenOpen: z.boolean().describe("its runs wait for closed gates to open"),
    counts: z.record(z.string(), z.int()).describe("partitions of all assets by status"),
    runs: z.object({ all: z.int(), open: z.int().describe("that have not ended") }),
    error: z
      .object({ code: z.string(), message: z.string(), hint: z.string() })
      .nullable()
      .describe("why it could not go on; null: it ended as its partitions did, or goes on"),
    createdAt: shape.time,
    endedAt: shape.timeOrNull,
  })
  .meta({ id: "Backfill" });

const backfillDetails = backfill
  .extend({ parts: z.array(part).describe("by asset, upstream first") })
  .meta({ id: "BackfillDetails" });

const change = (path: string, summary: string) =>
  ({ method: "POST", path: `${api}/backfills/{id}/${path}`, tag: "backfills", summary, params: one }) as const;

/** Backfills: partitions that run after run makes. */
export const backfillRoutes = {
  createBackfill: route({
    method: "POST",
    path: `${api}/backfills`,
    tag: "backfills",
    summary: "Make partitions of assets, run after run",
    body: planRequest
      .pick({ selection: true, partitions: true, tags: true, priority: true, whenOpen: true })
      .extend({
        only: only.optional(),
        partitionsPerRun: z.int().min(1).max(10_000).default(100).describe("1: a run for each partition"),
      })
      .meta({ id: "BackfillRequest" }),
    status: 201,
    answer: backfillDetails,
  }),
  listBackfills: route({
    method: "GET",
    path: `${api}/backfills`,
    tag: "backfills",
    summary: "Backfills, newest first",
    query: z.object({ state: state.optional(), ...shape.pageQuery }),
    status: 200,
    answer: shape.page(backfill),
  }),
  getBackfill: route({
    method: "GET",
    path: `${api}/backfills/{id}`,
    tag: "backfills",
    summary: "A backfill, with the status of its partitions as ranges",
    params: one,
    status: 200,
    answer: backfillDetails,
  }),
  cancelBackfill: route({
    ...change("cancel", "Cancel a backfill and its runs"),
    status: 202,
    answer: backfillDetails,
  }),
  pauseBackfill: route({ ...change("pause", "Create no further run of it"), status: 200, answer: backfillDetails }),
  resumeBackfill: route({ ...change("resume", "Go on with a paused one"), status: 200, answer: backfillDetails }),
  retryBackfill: route({
    ...change("retry", "Request again what failed, was blocked or canceled"),
    status: 200,
    answer: backfillDetails,
  }),
};
