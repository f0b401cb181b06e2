import { useNavigate } from "@tanstack/react-router";
import type { ItemOf } from "../../api/answers.ts";
import { RunLink } from "../../parts/links.tsx";
import { Ago } from "../../parts/time.tsx";
import { runLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";
import styles from "./home-page.module.css";

/** A few runs, without paging. */
export function RunTable({ runs }: { readonly runs: readonly ItemOf<"listRuns">[] }) {
  const navigate = useNavigate();
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">Run</th>
          <th scope="col">Of</th>
          <th scope="col" className={styles.right}>
            Asked for
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr
            key={run.id}
            className={styles.opens}
            onClick={(event) => {
              if (!(event.target as Element).closest("a")) void navigate({ to: "/runs/$id", params: { id: run.id } });
            }}
          >
            <td>
              <StatusWord look={runLooks[run.state]} name={run.state} />
            </td>
            <td>
              <RunLink id={run.id} />
            </td>
            <td className={styles.cut} title={`${run.selection} ${run.partitions}`}>
              {run.selection} <span className={styles.muted}>{run.partitions}</span>
            </td>
            <td className={styles.right}>
              <Ago at={run.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
