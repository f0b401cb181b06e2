import { z } from "zod";
import { version, waiver } from "./asset.ts";
import { route } from "./route.ts";
import * as shape from "./shapes.ts";

const api = "/api/v1";
const oneVersion = z.object({ key: shape.assetKeyParam, id: shape.idParam });

/** What people decide about versions, who changed what, and the event stream. */
export const decisionRoutes = {
  listWaivers: route({
    method: "GET",
    path: `${api}/waivers`,
    tag: "waivers",
    summary: "Waivers, newest first",
    query: z.object({
      asset: shape.text(255).optional(),
      inForce: z.enum(["true", "false"]).optional(),
      ...shape.pageQuery,
    }),
    status: 200,
    answer: shape.page(waiver),
  }),
  getWaiver: route({
    method: "GET",
    path: `${api}/waivers/{id}`,
    tag: "waivers",
    summary: "One waiver",
    params: z.object({ id: shape.idParam }),
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
        until: shape.time.describe("when it ends by itself; in the future"),
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
      ...shape.pageQuery,
    }),
    status: 200,
    answer: shape.page(
      z
        .object({
          id: z.int(),
          at: shape.time,
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
