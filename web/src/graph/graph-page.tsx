import { useEffect } from "react";
import { Skeleton } from "../parts/answer.tsx";
import { Empty, Problem } from "../parts/notice.tsx";
import { KnownGraph } from "./known-graph.tsx";
import { useGraph } from "./use-graph.ts";

/** The picture of all assets: which are well, which gates are closed, and what waits behind them. */
export function GraphPage() {
  const graph = useGraph();
  const { overview, model, state, error } = graph;
  useEffect(() => {
    document.title = "Graph · Headgate";
  }, []);
  if (model === undefined || state === undefined || overview.data === undefined) {
    return (
      <>
        <h1 className="visually-hidden">Asset graph</h1>
        {error === null ? <Skeleton rows={8} /> : <Problem error={error} retry={() => void overview.refetch()} />}
      </>
    );
  }
  if (overview.data.teams.length === 0) {
    return (
      <>
        <h1 className="visually-hidden">Asset graph</h1>
        <Empty command="npx headgate new location orders">
          No asset is defined yet. A code location defines some; this makes one.
        </Empty>
      </>
    );
  }
  return <KnownGraph {...graph} overview={overview.data} model={model} state={state} />;
}
