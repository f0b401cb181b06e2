import { useQuery } from "@tanstack/react-query";
import { query } from "../../api/queries.ts";
import { Answer } from "../../parts/answer.tsx";
import { Empty } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Ago } from "../../parts/time.tsx";
import { StatusWord } from "../../status/status-word.tsx";
import { runLooks } from "../../status/status-dictionary.ts";
import styles from "./home-page.module.css";

const shownMax = 12;

/** The newest runs, those under way among them. */
export function RecentRuns() {
  const runs = useQuery(query("listRuns", { query: { limit: shownMax } }));
  return (
    <Panel title="Newest runs">
      <Answer of={runs}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty command="npx headgate materialize <asset>">Nothing has run yet.</Empty>
          ) : (
            <table className={styles.table}>
              <thead>
                <tr>
                  <th scope="col">State</th>
                  <th scope="col">Of</th>
                  <th scope="col">By</th>
                  <th scope="col" className={styles.right}>
                    Asked for
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((run) => (
                  <tr key={run.id}>
                    <td>
                      <StatusWord look={runLooks[run.state]} name={run.state} />
                    </td>
                    <td className={styles.cut} title={`${run.selection} ${run.partitions}`}>
                      {run.selection} <span className={styles.muted}>{run.partitions}</span>
                    </td>
                    <td>{run.source}</td>
                    <td className={styles.right}>
                      <Ago at={run.createdAt} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Answer>
    </Panel>
  );
}
