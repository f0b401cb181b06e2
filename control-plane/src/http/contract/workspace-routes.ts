import { z } from "zod";
import { definitionsSnapshot } from "./definitions.ts";
import { location, team, workspaceProblem } from "./location.ts";
import { route } from "./route.ts";
import * as shape from "./shapes.ts";

const api = "/api/v1";
const oneLocation = z.object({ name: shape.name });
const oneAsset = z.object({ key: shape.assetKeyParam });

const ownership = z
  .object({
    asset: z.string(),
    team: z.string(),
    location: z.string().nullable().describe("null: the next location of the team that defines it claims it"),
    previous: z.string().nullable(),
  })
  .meta({ id: "Ownership" });

const deletion = z
  .object({
    asset: z.string(),
    team: z.string(),
    requestedAt: shape.time,
    versions: z.int().describe("how many are removed, with their results and waivers"),
    values: z
      .array(
        z.object({
          scheme: z.string(),
          place: z.string().describe("the folder that holds all of them"),
          count: z.int(),
        }),
      )
      .describe("stored values: nobody removes them, they stay where they are"),
    published: z.int().describe("partitions of which readers outside go on seeing a version"),
  })
  .meta({ id: "AssetDeletion" });

/** Code locations and teams. */
export const workspaceRoutes = {
  listLocations: route({
    method: "GET",
    path: `${api}/locations`,
    tag: "locations",
    summary: "Code locations, and what is wrong with workspace.yaml",
    status: 200,
    answer: z.object({ items: z.array(location), problems: z.array(workspaceProblem) }).meta({ id: "Locations" }),
  }),
  getLocation: route({
    method: "GET",
    path: `${api}/locations/{name}`,
    tag: "locations",
    summary: "One code location with its definition errors",
    params: oneLocation,
    status: 200,
    answer: location,
  }),
  reloadLocation: route({
    method: "POST",
    path: `${api}/locations/{name}/reload`,
    tag: "locations",
    summary: "Asks the location for its definitions again",
    params: oneLocation,
    status: 202,
    answer: z.object({ name: z.string(), requestedAt: shape.time }).meta({ id: "ReloadRequested" }),
  }),
  transferAsset: route({
    method: "POST",
    path: `${api}/assets/{key}/owner/transfer`,
    tag: "locations",
    summary: "Moves an asset to another location of its team, which defines it already",
    params: oneAsset,
    body: z.strictObject({ location: shape.name }),
    status: 200,
    answer: ownership,
  }),
  releaseAsset: route({
    method: "POST",
    path: `${api}/assets/{key}/owner/release`,
    tag: "locations",
    summary: "Takes an asset from a location that is gone or no longer defines it",
    params: oneAsset,
    status: 200,
    answer: ownership,
  }),
  deleteAsset: route({
    method: "POST",
    path: `${api}/assets/{key}/delete`,
    tag: "assets",
    summary: "Deletes an asset that is gone for good, with its history; rows are removed afterwards, in batches",
    params: oneAsset,
    body: z.strictObject({ confirm: shape.text(255).min(1).describe("the asset's key once more") }),
    status: 202,
    answer: deletion,
  }),
  getDefinitions: route({
    method: "GET",
    path: `${api}/definitions`,
    tag: "locations",
    summary: "The definitions of all locations, as `headgate validate --out` writes them",
    status: 200,
    answer: definitionsSnapshot,
  }),
  listTeams: route({
    method: "GET",
    path: `${api}/teams`,
    tag: "teams",
    summary: "Teams, how to reach them and what they own",
    status: 200,
    answer: z.object({ items: z.array(team) }).meta({ id: "Teams" }),
  }),
};
