import { z } from "zod";
import { statusCounts } from "./asset.ts";
import { definitionProblem, owner, timeOrNull } from "./shapes.ts";

export const location = z
  .object({
    name: z.string(),
    team: z.string(),
    state: z.enum(["loading", "healthy", "unreachable", "refused"]),
    address: z.string().nullable(),
    error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
    definitionsHash: z.string().nullable(),
    buildId: z.string().nullable(),
    instanceId: z.string().nullable(),
    pid: z.int().nullable(),
    sdkVersion: z.string().nullable(),
    assets: z.int(),
    checks: z.int(),
    problems: z.array(definitionProblem),
    warnings: z
      .array(definitionProblem)
      .describe("what is served and should be mended: it reads or checks what is retired or no longer exported"),
    lastSeenAt: timeOrNull,
    loadedAt: timeOrNull,
    reloadRequestedAt: timeOrNull,
    removed: z.boolean().describe("no longer in the workspace; its definitions stay for their readers"),
  })
  .meta({ id: "Location" });

export const workspaceProblem = z
  .object({
    message: z.string(),
    hint: z.string(),
    file: z.string(),
    line: z.int().nullable(),
    column: z.int().nullable(),
  })
  .meta({ id: "WorkspaceProblem" });

export const team = owner
  .extend({
    locations: z.array(z.string()),
    assets: z.int(),
    statuses: statusCounts.describe("assets by status"),
    readers: z
      .array(z.object({ team: z.string(), assets: z.int() }))
      .describe("other teams with assets that read this team's, and how many"),
  })
  .meta({ id: "Team" });
