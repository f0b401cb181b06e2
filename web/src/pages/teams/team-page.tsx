import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ItemOf } from "../../api/answers.ts";
import { query } from "../../api/queries.ts";
import { Answer } from "../../parts/answer.tsx";
import { Button } from "../../parts/button.tsx";
import { Empty, Problem } from "../../parts/notice.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Ago } from "../../parts/time.tsx";
import { useAction } from "../../parts/use-action.ts";
import { locationLooks } from "../../status/status-dictionary.ts";
import { StatusCounts } from "../../status/status-counts.tsx";
import { StatusWord } from "../../status/status-word.tsx";
import styles from "./teams-page.module.css";

/** One team: its code locations with what does not load, and the boundary of an outage of it. */
export function TeamPage() {
  const { team: name } = useParams({ from: "/teams/$team" });
  const teams = useQuery(query("listTeams", {}));
  const locations = useQuery(query("listLocations", {}));
  const own = locations.data?.items.filter(({ team, removed }) => team === name && !removed) ?? [];
  return (
    <Answer of={teams}>
      {({ items }) => {
        const team = items.find((each) => each.team === name);
        if (team === undefined) return <Empty>There is no team {name}.</Empty>;
        return (
          <>
            <PageHeader title={name} facts={<Facts team={team} />} />
            {own.length === 0 ? <Empty command="npx headgate new location">It has no code location.</Empty> : null}
            {own.map((location) => (
              <LocationPanel key={location.name} location={location} />
            ))}
            <Boundary team={team} all={items} />
          </>
        );
      }}
    </Answer>
  );
}

function Facts({ team }: { readonly team: ItemOf<"listTeams"> }) {
  const web = (
    [
      ["on call", team.oncallUrl],
      ["runbook", team.runbook],
    ] as const
  ).flatMap(([text, url]) => (url === null || !/^https?:\/\//i.test(url) ? [] : [{ text, url }]));
  return (
    <>
      <StatusCounts counts={team.statuses} />
      {team.contacts.map((contact) => (
        <span key={contact}>{contact}</span>
      ))}
      {web.map(({ text, url }) => (
        <a key={text} href={url} target="_blank" rel="noopener noreferrer">
          {text}
        </a>
      ))}
      <Link to="/assets" search={{ sel: `team:${team.team}` }}>
        {team.assets} assets
      </Link>
    </>
  );
}

function LocationPanel({ location }: { readonly location: ItemOf<"listLocations"> }) {
  const reload = useAction("reloadLocation");
  const problems = [...location.problems, ...location.warnings];
  return (
    <Panel
      title={`Code location ${location.name}`}
      aside={
        <Button disabled={reload.isPending} onClick={() => reload.mutate({ params: { name: location.name } })}>
          Reload
        </Button>
      }
    >
      {reload.error === null ? null : <Problem error={reload.error} />}
      <dl className={styles.pairs}>
        <dt>State</dt>
        <dd>
          <StatusWord look={locationLooks[location.state]} name={location.state} />
          {location.error === null ? null : (
            <p>
              {location.error.message} <span className={styles.muted}>{location.error.hint}</span>
            </p>
          )}
        </dd>
        <dt>Last seen</dt>
        <dd>{location.lastSeenAt === null ? "never" : <Ago at={location.lastSeenAt} />}</dd>
        <dt>Definitions</dt>
        <dd>
          {location.assets} assets, {location.checks} checks
          {location.loadedAt === null ? null : (
            <>
              , loaded <Ago at={location.loadedAt} />
            </>
          )}
        </dd>
        <dt>Address</dt>
        <dd>
          <code>{location.address ?? "none"}</code>
        </dd>
        <dt>SDK</dt>
        <dd>{location.sdkVersion ?? "unknown"}</dd>
      </dl>
      {problems.length === 0 ? null : (
        <ul className={styles.problems} aria-label="Definition errors">
          {problems.map(({ kind, key, code, message, hint, file, line }) => (
            <li key={`${kind} ${key} ${code} ${message}`}>
              <p>
                <strong>{key}</strong> {message}
              </p>
              <p className={styles.muted}>
                {file === null ? null : (
                  <code>
                    {file}
                    {line === null ? "" : `:${line}`}
                  </code>
                )}{" "}
                {hint}
              </p>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** Whom an outage of the team concerns, and whom it does not. */
function Boundary(props: { readonly team: ItemOf<"listTeams">; readonly all: readonly ItemOf<"listTeams">[] }) {
  const { team, all } = props;
  const readers = new Set(team.readers.map(({ team: reader }) => reader));
  const others = all.filter(({ team: name }) => name !== team.team && !readers.has(name)).map(({ team: name }) => name);
  return (
    <Panel title="If its code location is down">
      <ul className={styles.boundary}>
        <li>
          <strong>{team.team}</strong> computes nothing: {team.assets} assets wait for it.
        </li>
        {team.readers.map(({ team: reader, assets }) => (
          <li key={reader}>
            <strong>{reader}</strong> goes on: {assets} of its assets read what {team.team} validated before.
          </li>
        ))}
        {others.length === 0 ? null : <li>{others.join(", ")}: no edge, not affected.</li>}
      </ul>
    </Panel>
  );
}
