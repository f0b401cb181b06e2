import { z } from "zod";
import { route } from "./route.ts";
import { runState } from "./run.ts";
import * as shape from "./shapes.ts";

const api = "/api/v1";

const most = z.int().nullable().describe("null: as many as there are");

const queueTeam = z
  .object({
    team: z.string(),
    weight: z.number().describe("its share of the slots, compared with other teams'"),
    maxRuns: most,
    queued: z.int().describe("runs that have not started"),
    held: z.int().describe("runs that hold a slot"),
    waiting: z.int().describe("runs that have started and hold no slot, since nothing of them can go on"),
  })
  .meta({ id: "QueueTeam" });

const tagLimit = z
  .object({
    key: z.string(),
    value: z.string().nullable().describe("null: whatever the value is"),
    perValue: z.boolean().describe("each value has the limit for itself"),
    limit: z.int(),
    held: z.array(z.object({ value: z.string(), runs: z.int() })).describe("runs that hold a slot, by value"),
  })
  .meta({ id: "TagLimit" });

const pool = z
  .object({
    name: z.string(),
    slots: most,
    held: z.int().describe("slots that attempts in flight have"),
    assets: z.array(z.string()).describe("that name the pool"),
    setBy: z.string().nullable(),
    setAt: shape.timeOrNull,
  })
  .meta({ id: "Pool" });

const poolHolder = z
  .object({
    attempt: shape.id,
    run: shape.id,
    step: z.int(),
    asset: z.string(),
    partition: z.string(),
    location: z.string(),
    state: z.enum(["leased", "started", "unknown"]),
    since: shape.time,
  })
  .meta({ id: "PoolHolder" });

const wait = z
  .object({
    kind: z.enum([
      "noDaemon",
      "maxRuns",
      "teamMaxRuns",
      "tagLimit",
      "behind",
      "share",
      "next",
      "retry",
      "location",
      "attempt",
      "gate",
      "pool",
      "worker",
    ]),
    message: z.string().describe("in words"),
    command: z.string().describe("shows more, ready to paste; empty if none does"),
    runs: z.array(z.string()).describe("that hold what it waits for, some of them"),
    since: shape.timeOrNull.describe("when the code location was last seen"),
    reasons: z.array(shape.reason).describe("of a gate that is not open"),
  })
  .meta({ id: "Wait" });

const explanation = z
  .object({
    run: shape.id,
    state: runState,
    team: z.string().describe("in whose queue the run stands"),
    holdsSlot: z.boolean(),
    waits: z.array(wait).describe("why the run has no slot, where it asks for one"),
    steps: z
      .array(
        z.object({
          index: z.int(),
          asset: z.string(),
          partition: z.string(),
          state: z.enum(["waiting", "retrying"]),
          waits: z.array(wait),
        }),
      )
      .describe("steps that wait, and for no other step of the run; 50 at most"),
    others: z.int().describe("other steps that wait: for steps of the run, or beyond the 50"),
  })
  .meta({ id: "Explanation" });

const onePool = z.object({ name: shape.name.describe("as assets give it with `pool`") });

/** The run queue, and pools. */
export const queueRoutes = {
  listPools: route({
    method: "GET",
    path: `${api}/pools`,
    tag: "pools",
    summary: "Pools that have a limit, that assets name, or of which a slot is held",
    status: 200,
    answer: z.object({ items: z.array(pool) }).meta({ id: "Pools" }),
  }),
  getPool: route({
    method: "GET",
    path: `${api}/pools/{name}`,
    tag: "pools",
    summary: "One pool, with the attempts that have its slots, oldest first, 100 at most",
    params: onePool,
    status: 200,
    answer: pool.extend({ holders: z.array(poolHolder) }).meta({ id: "PoolWithHolders" }),
  }),
  setPool: route({
    method: "POST",
    path: `${api}/pools/{name}`,
    tag: "pools",
    summary: "Sets how many slots a pool has; for operators, whose token names no teams",
    params: onePool,
    body: z.strictObject({ slots: z.int().min(1).max(100_000).nullable().describe("null: no limit") }),
    status: 200,
    answer: pool,
  }),
  explainRun: route({
    method: "GET",
    path: `${api}/queue/{id}/explain`,
    tag: "runs",
    summary: "Why a run, or what of it, waits",
    params: z.object({ id: shape.idParam }),
    status: 200,
    answer: explanation,
  }),
  getQueue: route({
    method: "GET",
    path: `${api}/queue`,
    tag: "runs",
    summary: "The run queue: teams with their shares, and limits",
    status: 200,
    answer: z.object({ maxRuns: most, teams: z.array(queueTeam), tagLimits: z.array(tagLimit) }).meta({ id: "Queue" }),
  }),
};
