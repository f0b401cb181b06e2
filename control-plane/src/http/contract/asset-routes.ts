import { z } from "zod";
import { assetDetail, assetSummary, check, openVersions, statusRange, statusRun, version } from "./asset.ts";
import { route } from "./route.ts";
import * as shape from "./shapes.ts";
import { partitionStatus } from "./shapes.ts";

const api = "/api/v1";
const oneAsset = z.object({ key: shape.assetKeyParam });
const oneVersion = z.object({ key: shape.assetKeyParam, id: shape.idParam });

const graphEdge = z
  .object({
    from: z.string(),
    to: z.string(),
    name: z.string(),
    mode: z.enum(["strict", "lastValidated", "orderOnly"]),
    atLeast: z.int(),
  })
  .meta({ id: "GraphEdge" });

interface Explanation {
  readonly text: string;
  readonly kind: string;
  readonly count: number;
  readonly partitions: string;
  readonly of: readonly Explanation[];
}
const explanation: z.ZodType<Explanation, Explanation> = z
  .object({
    text: z.string(),
    kind: z.string(),
    count: z.int().describe("for how many partitions it was true"),
    partitions: z.string().describe("which, as ranges and keys; shortened with an ellipsis where there are many"),
    of: z.array(z.lazy(() => explanation)),
  })
  .meta({ id: "Explanation", description: "a part of a condition with its truth set" });

const evaluation = z
  .object({
    id: shape.id,
    at: shape.time,
    requestedCount: z.int(),
    run: shape.id.nullable().describe("null: it requested nothing"),
    explanation,
  })
  .meta({ id: "Evaluation" });

const facet = z.array(z.object({ value: z.string(), assets: z.int() })).describe("most assets first, 100 at most");

/** Assets, their versions, partitions and checks. */
export const assetRoutes = {
  getGraph: route({
    method: "GET",
    path: `${api}/graph`,
    tag: "assets",
    summary: "Assets and the edges between them, upstream first",
    query: z.object({ selection: shape.text(10_000).optional() }),
    status: 200,
    answer: z.object({ assets: z.array(assetSummary), edges: z.array(graphEdge) }).meta({ id: "Graph" }),
  }),
  listAssets: route({
    method: "GET",
    path: `${api}/assets`,
    tag: "assets",
    summary: "Assets by key",
    query: z.object({ selection: shape.text(10_000).optional(), ...shape.pageQuery }),
    status: 200,
    answer: shape.page(assetSummary),
  }),
  getFacets: route({
    method: "GET",
    path: `${api}/facets`,
    tag: "assets",
    summary: "How many assets of a selection each team, group, kind and status has",
    query: z.object({ selection: shape.text(10_000).optional() }),
    status: 200,
    answer: z
      .object({ count: z.int(), teams: facet, groups: facet, kinds: facet, statuses: facet })
      .meta({ id: "Facets" }),
  }),
  getAsset: route({
    method: "GET",
    path: `${api}/assets/{key}`,
    tag: "assets",
    summary: "One asset: definition, checks, status of its partitions",
    params: oneAsset,
    status: 200,
    answer: assetDetail,
  }),
  listEvaluations: route({
    method: "GET",
    path: `${api}/assets/{key}/evaluations`,
    tag: "assets",
    summary:
      "How its automation condition was evaluated: where it requested something, and the newest where it did not",
    params: oneAsset,
    query: z.object({ limit: z.coerce.number().int().min(1).max(100).default(20) }),
    status: 200,
    answer: z.object({ items: z.array(evaluation).describe("newest first; of each asset the last hundred are kept") }),
  }),
  listVersions: route({
    method: "GET",
    path: `${api}/assets/{key}/versions`,
    tag: "assets",
    summary: "Versions, newest first",
    params: oneAsset,
    query: z.object({ partition: shape.partitionKey.optional(), ...shape.pageQuery }),
    status: 200,
    answer: shape.page(version),
  }),
  getVersion: route({
    method: "GET",
    path: `${api}/assets/{key}/versions/{id}`,
    tag: "assets",
    summary: "One version with its results, inputs and waivers",
    params: oneVersion,
    status: 200,
    answer: version,
  }),
  listOpenVersions: route({
    method: "GET",
    path: `${api}/assets/{key}/open-versions`,
    tag: "assets",
    summary: "What a reader may read: of each partition the newest open version, with its value reference",
    params: oneAsset,
    query: z.object({
      reader: shape.text(255).min(3).optional().describe("asset key of who reads; default: an asset of the same team"),
      partitions: shape
        .text(10_000)
        .optional()
        .describe("2001-03, 2001-01..2001-06, or a list with commas, 1,000 at most; left out where there are none"),
    }),
    status: 200,
    answer: openVersions,
  }),
  getPartitions: route({
    method: "GET",
    path: `${api}/assets/{key}/partitions`,
    tag: "assets",
    summary: "Partitions as ranges with their status, and some of them by key",
    params: oneAsset,
    query: z.object({
      start: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0).describe("of the first of `keys`"),
      keys: z.coerce.number().int().min(0).max(1_000).default(0).describe("how many partitions to name one by one"),
    }),
    status: 200,
    answer: z
      .object({
        count: z.int(),
        ranges: z.array(statusRange),
        runs: z.array(statusRun).describe("neighbours of one status, in order; where they are many, the worst stands"),
        keys: z.array(z.object({ partition: z.string(), status: partitionStatus })),
      })
      .meta({ id: "Partitions" }),
  }),
  listAssetChecks: route({
    method: "GET",
    path: `${api}/assets/{key}/checks`,
    tag: "checks",
    summary: "Checks of one asset with their latest result",
    params: oneAsset,
    status: 200,
    answer: z.object({ items: z.array(check) }).meta({ id: "AssetChecks" }),
  }),
  listChecks: route({
    method: "GET",
    path: `${api}/checks`,
    tag: "checks",
    summary: "Checks of every asset with their latest result, by asset key",
    query: z.object({ selection: shape.text(10_000).optional(), ...shape.pageQuery }),
    status: 200,
    answer: shape.page(check),
  }),
};
