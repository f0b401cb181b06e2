import { z } from "zod";
import { route } from "./route.ts";
import { runState } from "./run.ts";
import { time } from "./shapes.ts";

/** Probes, metrics, and the document of the API. */
export const serverRoutes = {
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
  getSystem: route({
    method: "GET",
    path: "/api/v1/system",
    tag: "server",
    summary: "How the control plane itself is: daemons, runs by state, the event log, the schema",
    status: 200,
    answer: z
      .object({
        actor: z.string().describe("who asks"),
        schema: z.string(),
        daemons: z.array(
          z.object({
            id: z.string(),
            host: z.string(),
            pid: z.int(),
            startedAt: time,
            renewedAt: time,
            alive: z.boolean().describe("renewed its lease in time"),
          }),
        ),
        runs: z.partialRecord(runState, z.int()),
        assets: z.int(),
        definitionErrors: z.int(),
        events: z.object({ newest: z.int(), floor: z.int().describe("the first that is kept") }),
        memoryBytes: z.int().describe("of the process that answers"),
      })
      .meta({ id: "System" }),
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
};
