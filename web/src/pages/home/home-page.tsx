import { useQuery } from "@tanstack/react-query";
import { query } from "../../api/queries.ts";
import { Answer } from "../../parts/answer.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { ClosedGates } from "./closed-gates.tsx";
import { FirstSteps } from "./first-steps.tsx";
import { LocationTroubles } from "./location-troubles.tsx";
import { RecentRuns } from "./recent-runs.tsx";
import { TeamsStrip } from "./teams-strip.tsx";
import styles from "./home-page.module.css";

/** What needs somebody now: closed gates first, then trouble with definitions, then what runs. */
export function HomePage() {
  const gates = useQuery(query("listGates", {}));
  const locations = useQuery(query("listLocations", {}));
  const teams = useQuery(query("listTeams", {}));
  const empty = teams.data !== undefined && teams.data.items.every(({ assets }) => assets === 0);
  const shut = gates.data?.count ?? 0;
  return (
    <>
      <PageHeader title={shut === 0 ? "Home" : `(${shut}) Home`} heading="Home" />
      {empty ? <FirstSteps /> : null}
      <Answer of={locations}>{(data) => <LocationTroubles {...data} />}</Answer>
      {empty ? null : (
        <div className={styles.columns}>
          <div className={styles.column}>
            <Answer of={gates}>{({ items, count }) => <ClosedGates gates={items} count={count} />}</Answer>
          </div>
          <div className={styles.column}>
            <TeamsStrip teams={teams} />
            <RecentRuns />
          </div>
        </div>
      )}
    </>
  );
}
