import { z } from "zod";

/** Every code that the API answers with, its HTTP status and its title. Codes of a plan's refusal are passed on as 422. */
export const problemCodes = {
  "request.invalid": { status: 400, title: "The request is malformed" },
  "request.too_large": { status: 413, title: "The request is too large" },
  "request.unsupported_media_type": { status: 415, title: "The body is not JSON" },
  "request.rate_limited": { status: 429, title: "Too many requests" },
  "auth.token_required": { status: 401, title: "A token is required" },
  "auth.token_unknown": { status: 401, title: "The token is not known" },
  "auth.not_owner": { status: 403, title: "Another team owns this" },
  "auth.host_refused": { status: 421, title: "The Host header is not one of this server" },
  "auth.origin_refused": { status: 403, title: "Requests from other sites are refused" },
  "route.unknown": { status: 404, title: "There is no such path" },
  "asset.unknown": { status: 404, title: "There is no such asset" },
  "location.unknown": { status: 404, title: "There is no such code location" },
  "run.unknown": { status: 404, title: "There is no such run" },
  "attempt.unknown": { status: 404, title: "There is no such attempt" },
  "version.unknown": { status: 404, title: "There is no such version" },
  "waiver.unknown": { status: 404, title: "There is no such waiver" },
  "check.unknown": { status: 404, title: "There is no such check" },
  "graph.layout_unknown": { status: 404, title: "There is no such layout" },
  "partition.unknown": { status: 404, title: "There is no such partition" },
  "partition.invalid": { status: 422, title: "The text cannot be a partition key" },
  "partitions.unknown_set": { status: 404, title: "No asset is cut by such a set" },
  "partitions.set_full": { status: 409, title: "The dynamic set is full" },
  "asset.not_external": { status: 409, title: "The asset is computed, not reported" },
  "asset.retired": { status: 409, title: "The asset is no longer defined" },
  "asset.unversioned": { status: 409, title: "The asset has no versions" },
  "check.not_reported": { status: 409, title: "The check is run, not reported" },
  "report.value_required": { status: 422, title: "Readers of the asset count on a value" },
  "report.data_version_required": { status: 422, title: "The observation says no data version" },
  "plan.refused": { status: 422, title: "The request cannot be planned" },
  "selection.invalid": { status: 422, title: "The selection cannot be read" },
  "config.unknown_asset": { status: 422, title: "Config for an asset that the run does not have" },
  "config.invalid": { status: 422, title: "Config that its asset cannot take" },
  "run.ended": { status: 409, title: "The run has ended" },
  "run.not_ended": { status: 409, title: "The run has not ended" },
  "run.nothing_to_retry": { status: 409, title: "Every step of the run succeeded" },
  "waiver.not_needed": { status: 409, title: "The check does not hold the gate closed" },
  "waiver.check_ambiguous": { status: 409, title: "Several checks hold the gate closed" },
  "waiver.exists": { status: 409, title: "A waiver is in force already" },
  "waiver.until_invalid": { status: 422, title: "The end of the waiver is not acceptable" },
  "version.discarded": { status: 409, title: "The version is discarded" },
  "version.not_discarded": { status: 409, title: "The version is not discarded" },
  "version.not_newest": { status: 409, title: "A newer version exists" },
  "owner.another_team": { status: 409, title: "The location is another team's" },
  "owner.not_defined_there": { status: 409, title: "The location does not define the asset" },
  "owner.unchanged": { status: 409, title: "The key is where it should go" },
  "owner.not_absent": { status: 409, title: "The location defines the asset" },
  "location.removed": { status: 409, title: "The code location is no longer in the workspace" },
  "idempotency.key_reused": { status: 409, title: "The idempotency key was used for another request" },
  "service.not_ready": { status: 503, title: "The control plane is not ready" },
  "database.unavailable": { status: 503, title: "The database is unavailable" },
  "internal.error": { status: 500, title: "A fault of the control plane" },
} as const;

export type ProblemCode = keyof typeof problemCodes;

/** RFC 9457, with the stable code, what mends it, and the places in the request that are wrong. */
export const problemSchema = z
  .object({
    type: z.string().describe("urn:headgate:problem: and the code"),
    title: z.string(),
    status: z.int(),
    code: z.string().describe("stable; match on it, never on the text"),
    detail: z.string().describe("what happened, and to what"),
    hint: z.string().describe("how to mend it"),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem" });

export type ProblemAnswer = z.infer<typeof problemSchema>;
