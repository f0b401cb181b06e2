import { useQuery } from "@tanstack/react-query";
import { query } from "../../api/queries.ts";
import { RunTable } from "../home/run-table.tsx";
import { Answer } from "../../parts/answer.tsx";
import { Empty } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";

const shownMax = 50;

/** Runs with a step of the asset, newest first. */
export function AssetRuns({ asset }: { readonly asset: string }) {
  const runs = useQuery(query("listRuns", { query: { asset, limit: shownMax } }));
  return (
    <Panel title="Runs">
      <Answer of={runs}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty command={`npx headgate materialize ${asset}`}>No run has touched it.</Empty>
          ) : (
            <RunTable runs={items} />
          )
        }
      </Answer>
    </Panel>
  );
}
