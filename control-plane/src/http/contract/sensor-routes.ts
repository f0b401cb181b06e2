import { z } from "zod";
import { route } from "./route.ts";
import * as shape from "./shapes.ts";

const api = "/api/v1";
const oneSensor = z.object({ name: shape.text(255).min(3).describe("team/name, URL-encoded") });

const problem = z.object({ code: z.string(), message: z.string(), hint: z.string() });

const refusedRequest = z
  .object({
    runKey: z.string().nullable(),
    targets: z.array(z.string()).describe("none: every target of the sensor"),
    partitions: z.string(),
    ...problem.shape,
  })
  .meta({ id: "RefusedRequest", description: "a request that no run could be planned for" });

const tick = z
  .object({
    id: shape.id,
    state: z.enum(["requested", "evaluated", "launched", "skipped", "missed", "failed"]),
    reason: z.string().describe("why nothing was launched"),
    error: problem.nullable(),
    askedBy: z.string().nullable().describe("who asked for it by hand; null: it was due"),
    runCount: z.int(),
    repeatedCount: z.int().describe("requests whose run key had its run already"),
    refusedCount: z.int(),
    refused: z.array(refusedRequest).describe("the first 100 of them"),
    evaluationCount: z.int().describe("skips in a row for one reason are one tick"),
    cursorBefore: z.unknown(),
    cursorAfter: z.unknown(),
    log: z.string().describe("what the evaluation printed and logged"),
    logDroppedBytes: z.int(),
    createdAt: shape.time,
    endedAt: shape.timeOrNull,
  })
  .meta({ id: "SensorTick" });

const sensor = z
  .object({
    name: z.string(),
    team: z.string(),
    location: z.string(),
    description: z.string(),
    targets: z.array(z.string()),
    minimumIntervalMs: z.int(),
    timeoutMs: z.int(),
    status: z.enum(["on", "off"]),
    switchedBy: z.string().nullable().describe("who started or stopped it; null: its definition decides"),
    switchedAt: shape.timeOrNull,
    cursor: z.unknown().describe("null: it has none yet"),
    failures: z.int().describe("evaluations that failed, in a row"),
    dueAt: shape.timeOrNull.describe("not evaluated before; null: at once"),
    evaluatedAt: shape.timeOrNull,
    isEvaluating: z.boolean(),
    paused: z
      .object({ reason: z.string() })
      .nullable()
      .describe("why it is not evaluated though it is on: its location is out of reach"),
    problem: problem.nullable().describe("its newest definition did not load; the last good one is in force"),
    lastTick: tick.nullable(),
    file: z.string().nullable(),
    line: z.int().nullable(),
  })
  .meta({ id: "Sensor" });

/** Sensors: what they are evaluated to, and what a person may do to them. */
export const sensorRoutes = {
  listSensors: route({
    method: "GET",
    path: `${api}/sensors`,
    tag: "sensors",
    summary: "Every sensor, by name",
    query: z.object({ team: shape.name.optional() }),
    status: 200,
    answer: z.object({ items: z.array(sensor) }).meta({ id: "Sensors" }),
  }),
  getSensor: route({
    method: "GET",
    path: `${api}/sensors/{name}`,
    tag: "sensors",
    summary: "One sensor",
    params: oneSensor,
    status: 200,
    answer: sensor,
  }),
  listSensorTicks: route({
    method: "GET",
    path: `${api}/sensors/{name}/ticks`,
    tag: "sensors",
    summary: "What its evaluations came to, newest first",
    params: oneSensor,
    query: z.object({ ...shape.pageQuery, state: tick.shape.state.optional() }),
    status: 200,
    answer: shape.page(tick),
  }),
  getSensorTick: route({
    method: "GET",
    path: `${api}/sensors/{name}/ticks/{id}`,
    tag: "sensors",
    summary: "What one evaluation came to",
    params: oneSensor.extend({ id: shape.idParam }),
    status: 200,
    answer: tick,
  }),
  startSensor: route({
    method: "POST",
    path: `${api}/sensors/{name}/start`,
    tag: "sensors",
    summary: "Has it evaluated, whatever its definition says",
    params: oneSensor,
    status: 200,
    answer: sensor,
  }),
  stopSensor: route({
    method: "POST",
    path: `${api}/sensors/{name}/stop`,
    tag: "sensors",
    summary: "Has it evaluated no more; its cursor and run keys stay",
    params: oneSensor,
    status: 200,
    answer: sensor,
  }),
  evaluateSensor: route({
    method: "POST",
    path: `${api}/sensors/{name}/evaluate`,
    tag: "sensors",
    summary: "Asks for an evaluation at once, of a sensor that is off too; answers the tick that it will be",
    params: oneSensor,
    status: 202,
    answer: tick,
  }),
  setSensorCursor: route({
    method: "POST",
    path: `${api}/sensors/{name}/cursor`,
    tag: "sensors",
    summary: "Sets where the next evaluation goes on from; run keys stay answered",
    params: oneSensor,
    body: z.strictObject({ cursor: shape.storableJson.describe("null: from the beginning") }),
    status: 200,
    answer: sensor,
  }),
};
