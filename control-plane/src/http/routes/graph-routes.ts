import { listLocations } from "../../storage/locations-read.ts";
import type { ApiContext } from "../api-context.ts";
import { selectAssets } from "../find-asset.ts";
import { findLayout, graphPicture, runsOf } from "../graph-picture.ts";
import { GraphStatuses } from "../graph-statuses.ts";
import { presentTimeOrNull } from "../present-run.ts";
import { Problem } from "../problem.ts";
import type { Handlers } from "../request.ts";

type GraphRouteName = "getGraphOverview" | "getGraphLayout" | "getGraphSelection" | "getGraphStatuses";

/** What one process knows of statuses, for all who ask it. */
const statusesOf = new WeakMap<ApiContext, GraphStatuses>();

export const graphRoutes: Pick<Handlers, GraphRouteName> = {
  async getGraphOverview(context) {
    const { hash, layout, grouped } = graphPicture(context.graph());
    const numberOf = new Map(grouped.boxes.map(({ group }, i) => [group, i]));
    const counts = new Map<number, number>();
    for (const team of layout.team) counts.set(team, (counts.get(team) ?? 0) + 1);
    return {
      hash,
      width: grouped.width,
      height: grouped.height,
      teams: grouped.boxes.map(({ group, ...box }, i) => ({ team: group, assets: counts.get(i) ?? 0, ...box })),
      edges: grouped.groupEdges.map(({ from, to, count, back }) => ({
        from: numberOf.get(from) ?? 0,
        to: numberOf.get(to) ?? 0,
        count,
        back,
      })),
      locations: (await listLocations(context.db))
        .filter((row) => row.removed_at === null)
        .map(({ name, team, state, last_seen_at }) => ({
          name,
          team,
          state,
          lastSeenAt: presentTimeOrNull(last_seen_at),
        })),
    };
  },

  async getGraphLayout(context, { params }) {
    // The graph of now is known even to a process that was never asked for it.
    graphPicture(context.graph());
    const layout = findLayout(params.hash);
    if (layout === undefined) {
      const hint = "GET /api/v1/graph/overview has the hash of the layout of now.";
      throw new Problem("graph.layout_unknown", "There is no such layout any more.", hint);
    }
    return layout;
  },

  async getGraphSelection(context, { query }) {
    const nodes = await selectAssets(context, query.selection);
    const picture = graphPicture(context.graph());
    return { hash: picture.hash, assets: runsOf(nodes, picture), count: nodes.length };
  },

  async getGraphStatuses(context, { query }) {
    let statuses = statusesOf.get(context);
    if (statuses === undefined) statusesOf.set(context, (statuses = new GraphStatuses(context)));
    return statuses.read(query.after);
  },
};
