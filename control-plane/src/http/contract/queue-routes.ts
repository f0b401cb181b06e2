import { z } from "zod";
import { route } from "./route.ts";
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
  getQueue: route({
    method: "GET",
    path: `${api}/queue`,
    tag: "runs",
    summary: "The run queue: teams with their shares, and limits",
    status: 200,
    answer: z.object({ maxRuns: most, teams: z.array(queueTeam), tagLimits: z.array(tagLimit) }).meta({ id: "Queue" }),
  }),
};
