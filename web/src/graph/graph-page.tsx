import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { query } from "../api/queries.ts";
import { Answer } from "../parts/answer.tsx";
import { PageHeader } from "../parts/page-header.tsx";
import { Panel } from "../parts/panel.tsx";
import { StatusWord } from "../status/status-word.tsx";
import { partitionLooks } from "../status/status-dictionary.ts";

/** Assets upstream first, each with what it reads. */
export function GraphPage() {
  const { sel } = useSearch({ from: "/graph" });
  const graph = useQuery(query("getGraph", { query: sel === undefined ? {} : { selection: sel } }));
  return (
    <>
      <PageHeader title="Asset graph" />
      <Panel title="Assets, upstream first">
        <Answer of={graph}>
          {({ assets, edges }) => (
            <ul>
              {assets.map(({ key, status }) => (
                <li key={key}>
                  <StatusWord look={partitionLooks[status]} name={status} /> {key}{" "}
                  <small>{edges.flatMap(({ from, to }) => (to === key ? [from] : [])).join(", ")}</small>
                </li>
              ))}
            </ul>
          )}
        </Answer>
      </Panel>
    </>
  );
}
