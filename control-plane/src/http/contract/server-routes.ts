import { z } from "zod";
import { route } from "./route.ts";

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
