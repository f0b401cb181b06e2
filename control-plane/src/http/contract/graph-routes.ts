import { z } from "zod";
import { graphLayout, graphOverview, graphSelection, graphStatuses } from "./graph.ts";
import { route } from "./route.ts";
import * as shape from "./shapes.ts";

const api = "/api/v1";

/** The picture of the asset graph. */
export const graphRoutes = {
  getGraphOverview: route({
    method: "GET",
    path: `${api}/graph/overview`,
    tag: "graph",
    summary: "The picture of the asset graph: boxes of teams, and the hash of its layout",
    status: 200,
    answer: graphOverview,
  }),
  getGraphLayout: route({
    method: "GET",
    path: `${api}/graph/layouts/{hash}`,
    tag: "graph",
    summary: "The picture of the asset graph: where every asset stands; never changes under its hash",
    params: z.object({ hash: shape.text(64).min(1) }),
    status: 200,
    answer: graphLayout,
    immutable: true,
  }),
  getGraphSelection: route({
    method: "GET",
    path: `${api}/graph/selection`,
    tag: "graph",
    summary: "The picture of the asset graph: which assets a selection has",
    query: z.object({ selection: shape.text(10_000).min(1) }),
    status: 200,
    answer: graphSelection,
  }),
  getGraphStatuses: route({
    method: "GET",
    path: `${api}/graph/statuses`,
    tag: "graph",
    summary: "The picture of the asset graph: statuses and closed gates, all of them or what changed",
    query: z.object({
      after: shape.text(100).min(1).optional().describe("`revision` of the answer before; absent or too old: all"),
    }),
    status: 200,
    answer: graphStatuses,
  }),
};
