import { type UseQueryResult, keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { ask } from "../api/api-client.ts";
import { query } from "../api/queries.ts";
import { type GraphModel, type Overview, graphModel } from "./picture/graph-model.ts";
import { type GraphState, nextState, unknownState, withLocations } from "./picture/graph-state.ts";

/** What is known of the graph so far: boxes of teams first, then its assets, then how they are. */
export interface KnownGraph {
  readonly overview: UseQueryResult<Overview>;
  /** Without an asset until the layout came. */
  readonly model: GraphModel | undefined;
  readonly state: GraphState | undefined;
  /** The layout is there. */
  readonly complete: boolean;
  /** Statuses are there. */
  readonly informed: boolean;
  readonly error: Error | null;
}

interface Told {
  readonly state: GraphState;
  readonly revision: string;
  readonly hash: string;
}

/** What no event tells, such as the beginning of a time window, is asked for this often. */
const askEveryMs = 60_000;

/** The graph, kept true by the event stream: of statuses only those are asked for that changed. */
export function useGraph(): KnownGraph {
  const client = useQueryClient();
  const overview = useQuery(query("getGraphOverview", {}));
  const hash = overview.data?.hash;
  const layout = useQuery({
    ...query("getGraphLayout", { params: { hash: hash ?? "" } }),
    enabled: hash !== undefined,
    staleTime: Infinity,
    // Thousands of numbers that are compared one by one with those of before are only slower.
    structuralSharing: false,
    placeholderData: keepPreviousData,
  });
  const complete = layout.data !== undefined && layout.data.hash === hash;
  const model = useMemo(
    () => (layout.data?.hash === hash && layout.data !== undefined ? graphModel(layout.data) : undefined),
    [layout.data, hash],
  );
  const boxes = useMemo(() => (overview.data === undefined ? undefined : emptyModel(overview.data)), [overview.data]);
  const key = ["getGraphStatuses", { query: {}, hash }] as const;
  const statuses = useQuery({
    queryKey: key,
    queryFn: async ({ signal }): Promise<Told> => {
      if (model === undefined) throw new Error("statuses have no numbers without a layout");
      const before = client.getQueryData<Told>(key);
      const request = before === undefined ? {} : { query: { after: before.revision } };
      const answer = await ask("getGraphStatuses", request, { signal });
      const state = nextState(model, before?.state ?? unknownState(model), answer);
      if (state === undefined) void client.invalidateQueries({ queryKey: ["getGraphOverview"] });
      return { state: state ?? before?.state ?? unknownState(model), revision: answer.revision, hash: answer.hash };
    },
    enabled: model !== undefined,
    structuralSharing: false,
    refetchInterval: askEveryMs,
  });
  const locations = overview.data?.locations;
  const told = statuses.data?.state;
  const state = useMemo(() => {
    if (model === undefined) return boxes === undefined ? undefined : unknownState(boxes);
    return withLocations(model, told ?? unknownState(model), locations ?? []);
  }, [model, boxes, told, locations]);
  return {
    overview,
    model: model ?? boxes,
    state,
    complete,
    informed: told !== undefined,
    error: overview.error ?? layout.error ?? statuses.error,
  };
}

/** A graph of which the teams are known and no asset yet. */
function emptyModel({ hash, teams }: Overview): GraphModel {
  return graphModel({
    hash,
    keys: [],
    x: [],
    y: [],
    teams: teams.map(({ team }) => team),
    team: [],
    locations: [],
    location: [],
    checks: [],
    edges: [],
    passages: [],
  });
}
