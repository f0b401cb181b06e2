import { z } from "zod";
import { route } from "./route.ts";
import { previewedTick, schedule, scheduleDetail, tick, tickState } from "./schedule.ts";
import * as shape from "./shapes.ts";

const api = "/api/v1";
const oneSchedule = z.object({ name: shape.name.describe("team/name, URL-encoded") });
const previewMax = 100;

export const scheduleRoutes = {
  listSchedules: route({
    method: "GET",
    path: `${api}/schedules`,
    tag: "schedules",
    summary: "Schedules by name",
    query: z.object({ team: shape.text(255).optional(), ...shape.pageQuery }),
    status: 200,
    answer: shape.page(schedule),
  }),
  getSchedule: route({
    method: "GET",
    path: `${api}/schedules/{name}`,
    tag: "schedules",
    summary: "One schedule, with what a tick would launch now",
    params: oneSchedule,
    status: 200,
    answer: scheduleDetail,
  }),
  listScheduleTicks: route({
    method: "GET",
    path: `${api}/schedules/{name}/ticks`,
    tag: "schedules",
    summary: "Ticks of a schedule, newest first",
    params: oneSchedule,
    query: z.object({ state: tickState.optional(), ...shape.pageQuery }),
    status: 200,
    answer: shape.page(tick),
  }),
  previewSchedule: route({
    method: "GET",
    path: `${api}/schedules/{name}/preview`,
    tag: "schedules",
    summary: "The next ticks of a schedule, whether it is on or off, and what each would launch",
    params: oneSchedule,
    query: z.object({
      count: z.coerce.number().int().min(1).max(previewMax).default(10),
      after: shape.time.optional().describe("from then on; absent: from now on"),
    }),
    status: 200,
    answer: z.object({ timezone: z.string(), items: z.array(previewedTick) }).meta({ id: "SchedulePreview" }),
  }),
  startSchedule: route({
    method: "POST",
    path: `${api}/schedules/{name}/start`,
    tag: "schedules",
    summary: "Lets a schedule tick from now on; what was due while it was off stays undone",
    params: oneSchedule,
    status: 200,
    answer: schedule,
  }),
  stopSchedule: route({
    method: "POST",
    path: `${api}/schedules/{name}/stop`,
    tag: "schedules",
    summary: "Stops a schedule; its runs go on",
    params: oneSchedule,
    status: 200,
    answer: schedule,
  }),
  triggerSchedule: route({
    method: "POST",
    path: `${api}/schedules/{name}/trigger`,
    tag: "schedules",
    summary: "Launches at once what a tick of the schedule launches, whether it is on or off",
    params: oneSchedule,
    body: z
      .strictObject({
        at: shape.time.optional().describe("as of then: which windows closed; absent: as of its last instant"),
      })
      .meta({ id: "TriggerRequest" }),
    status: 201,
    answer: tick,
  }),
};
