import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Answered } from "../../api/answers.ts";
import { Answer } from "../../parts/answer.tsx";
import { Panel } from "../../parts/panel.tsx";
import { StatusCounts } from "../../status/status-counts.tsx";
import styles from "./home-page.module.css";

/** Each team with its assets by status. */
export function TeamsStrip({ teams }: { readonly teams: UseQueryResult<Answered<"listTeams">> }) {
  return (
    <Panel title="Teams" aside={teams.data?.items.length}>
      <Answer of={teams}>
        {({ items }) => (
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Team</th>
                <th scope="col">Assets by status</th>
              </tr>
            </thead>
            <tbody>
              {items.map(({ team, statuses }) => (
                <tr key={team}>
                  <th scope="row">
                    <Link to="/teams/$team" params={{ team }} className={styles.name}>
                      {team}
                    </Link>
                  </th>
                  <td>
                    <StatusCounts counts={statuses} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Answer>
    </Panel>
  );
}
