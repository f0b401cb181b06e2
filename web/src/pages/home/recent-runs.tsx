import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { query } from "../../api/queries.ts";
import { Answer } from "../../parts/answer.tsx";
import { Empty } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import { RunTable } from "./run-table.tsx";

const shownMax = 12;

/** The newest runs, those under way among them. */
export function RecentRuns() {
  const runs = useQuery(query("listRuns", { query: { limit: shownMax } }));
  return (
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
  );
}
