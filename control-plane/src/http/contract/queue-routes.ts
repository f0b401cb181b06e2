import { z } from "zod";
import { route } from "./route.ts";

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

/** The run queue. */
export const queueRoutes = {
  getQueue: route({
    method: "GET",
    path: `${api}/queue`,
    tag: "runs",
    summary: "The run queue: teams with their shares, and limits",
    status: 200,
    answer: z.object({ maxRuns: most, teams: z.array(queueTeam), tagLimits: z.array(tagLimit) }).meta({ id: "Queue" }),
  }),
};
