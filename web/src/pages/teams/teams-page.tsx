import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { query } from "../../api/queries.ts";
import { Answer } from "../../parts/answer.tsx";
import { Empty } from "../../parts/notice.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { StatusCounts } from "../../status/status-counts.tsx";
import { locationLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";
import { outageText } from "./outage-text.ts";
import styles from "./teams-page.module.css";

/** Teams, the state of their code locations, and how far trouble of one reaches. */
export function TeamsPage() {
  const teams = useQuery(query("listTeams", {}));
  const locations = useQuery(query("listLocations", {}));
  const stateOf = new Map(locations.data?.items.map((location) => [location.name, location]));
  return (
    <>
      <PageHeader title="Teams" facts={outageText(locations.data?.items ?? [], teams.data?.items ?? [])} />
      <Answer of={teams}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty command="npx headgate new location orders">No team has a code location yet.</Empty>
          ) : (
            <div className={styles.scroller}>
              <table className={styles.table}>
                <thead>
                  <tr>
                    <th scope="col">Team</th>
                    <th scope="col">Code locations</th>
                    <th scope="col">Assets by status</th>
                    <th scope="col">Definition errors</th>
                    <th scope="col">Read by</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map(({ team, locations: names, statuses, readers }) => (
                    <tr key={team}>
                      <th scope="row">
                        <Link to="/teams/$team" params={{ team }}>
                          {team}
                        </Link>
                      </th>
                      <td>
                        {names.map((name) => {
                          const state = stateOf.get(name)?.state ?? "loading";
                          return (
                            <span key={name} className={styles.location}>
                              <StatusWord look={locationLooks[state]} name={state} />
                              {name === team ? null : <span>{name}</span>}
                            </span>
                          );
                        })}
                      </td>
                      <td>
                        <StatusCounts counts={statuses} />
                      </td>
                      <td>{names.reduce((sum, name) => sum + (stateOf.get(name)?.problems.length ?? 0), 0) || ""}</td>
                      <td>{readers.map(({ team: reader, assets }) => `${reader} (${assets})`).join(", ")}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Answer>
    </>
  );
}
