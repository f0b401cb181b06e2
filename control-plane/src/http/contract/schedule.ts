import { z } from "zod";
import { definitionProblem, id, time, timeOrNull } from "./shapes.ts";

export const tickState = z
  .enum(["requested", "evaluated", "launched", "skipped", "missed", "failed"])
  .meta({ id: "TickState", description: "requested and evaluated are open, the others have ended" });

export const tick = z
  .object({
    id,
    automation: z.string(),
    scheduledAt: timeOrNull.describe("the instant of the cron; null: it was asked for by hand"),
    askedBy: z.string().nullable().describe("null: it was due"),
    state: tickState,
    reason: z.string().describe("why it was skipped"),
    error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable().describe("why it failed"),
    missedCount: z.int().nullable().describe("how many instants this tick stands for, all of which were missed"),
    missedSince: timeOrNull.describe("the first of them; `scheduledAt` is the last"),
    runCount: z.int(),
    runs: z.array(id).describe("those that it launched; 20 at most"),
    definitionHash: z.string(),
    createdAt: time,
    endedAt: timeOrNull,
  })
  .meta({ id: "Tick" });

export const schedule = z
  .object({
    name: z.string(),
    team: z.string(),
    location: z.string(),
    description: z.string(),
    crons: z.array(z.string()),
    timezone: z.string(),
    selection: z.string().describe("what it launches; of other teams nothing"),
    partitioned: z.boolean().describe("a run for each time window that closed since the tick before"),
    config: z.record(z.string(), z.unknown()).describe("fields by asset key"),
    tags: z.record(z.string(), z.string()),
    priority: z.int(),
    catchUpMax: z.int().describe("of the ticks that nobody was there to fire, the newest so many are fired"),
    on: z.boolean(),
    switchedBy: z.string().nullable().describe("who started or stopped it; null: it is as it is defined"),
    switchedAt: timeOrNull,
    doneUntil: time.describe("every instant up to and including this one is dealt with"),
    nextAt: timeOrNull.describe("null: it is off, or never ticks again"),
    nextLocal: z.string().nullable().describe("the same in its time zone, with the offset"),
    lastTick: tick.nullable(),
    problems: z.array(definitionProblem).describe("of its newest definition, and warnings about its target"),
    hash: z.string().describe("of its definition"),
  })
  .meta({ id: "Schedule" });

export const scheduleDetail = schedule
  .extend({
    launches: z.array(z.string()).describe("the assets that a tick would launch now, upstream first; 1,000 at most"),
    refusal: z
      .object({ code: z.string(), message: z.string(), hint: z.string() })
      .nullable()
      .describe("why a tick would fail now"),
  })
  .meta({ id: "ScheduleDetail" });

export const previewedTick = z
  .object({
    at: time,
    local: z.string().describe("in the schedule's time zone, with the offset"),
    outcome: z.enum(["launches", "skips", "fails"]),
    reason: z.string().describe("why it would be skipped or fail"),
    runs: z.array(z.object({ selection: z.string(), partitions: z.string(), steps: z.int() })),
  })
  .meta({ id: "PreviewedTick" });
