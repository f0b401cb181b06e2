import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { query } from "../../api/queries.ts";
import { Answer } from "../../parts/answer.tsx";
import { Empty } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import { RunTable } from "./run-table.tsx";

const shownMax = 12;

/** Runs that go on now, where there are any, and the newest runs of all. */
export function RecentRuns() {
  const underWay = useQuery(query("listRuns", { query: { state: "started", limit: shownMax } }));
  const runs = useQuery(query("listRuns", { query: { limit: shownMax } }));
  return (
    <>
      {underWay.data === undefined || underWay.data.items.length === 0 ? null : (
        <Panel title="Running now" aside={underWay.data.items.length}>
          <RunTable runs={underWay.data.items} />
        </Panel>
      )}
      <Panel title="Newest runs" aside={<Link to="/runs">All runs</Link>}>
        <Answer of={runs}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty command="npx headgate materialize <asset>">Nothing has run yet.</Empty>
            ) : (
              <RunTable runs={items} />
            )
          }
        </Answer>
      </Panel>
    </>
  );
}
