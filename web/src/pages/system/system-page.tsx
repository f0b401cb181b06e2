import { useQuery } from "@tanstack/react-query";
import type { Answered } from "../../api/answers.ts";
import { query } from "../../api/queries.ts";
import { useLiveState } from "../../live/live-state.ts";
import { Answer } from "../../parts/answer.tsx";
import { RunLink } from "../../parts/links.tsx";
import { Empty } from "../../parts/notice.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Ago, Moment } from "../../parts/time.tsx";
import { type RunState, locationLooks, runLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";
import styles from "../teams/teams-page.module.css";

const askEveryMs = 5_000;

/** How the control plane itself is, and who changed what lately. */
export function SystemPage() {
  const system = useQuery({ ...query("getSystem", {}), refetchInterval: askEveryMs });
  return (
    <>
      <PageHeader title="System" />
      <Answer of={system}>{(data) => <Health system={data} />}</Answer>
      <Audit />
    </>
  );
}

function Health({ system }: { readonly system: Answered<"getSystem"> }) {
  const { seq } = useLiveState();
  const { daemons, runs, events, assets, definitionErrors, memoryBytes, schema, actor } = system;
  return (
    <Panel title="Control plane">
      <dl className={styles.pairs}>
        <dt>Daemons</dt>
        <dd>
          {daemons.length === 0
            ? "None: nothing is run, and nothing is lost. Start one with: npx headgate daemon"
            : null}
          {daemons.map(({ id, host, pid, startedAt, renewedAt, alive }) => (
            <p key={id}>
              <StatusWord
                look={alive ? locationLooks.healthy : locationLooks.unreachable}
                name={alive ? "alive" : "silent"}
              />{" "}
              {host}, process {pid}, since <Ago at={startedAt} />, renewed <Ago at={renewedAt} />
            </p>
          ))}
        </dd>
        <dt>Runs</dt>
        <dd>
          {(Object.keys(runLooks) as RunState[])
            .filter((state) => (runs[state] ?? 0) > 0)
            .map((state) => (
              <span key={state} className={styles.location}>
                <StatusWord look={runLooks[state]} name={state} count={runs[state] ?? 0} />
              </span>
            ))}
        </dd>
        <dt>Event log</dt>
        <dd>
          newest {events.newest.toLocaleString("en")}, kept from {events.floor.toLocaleString("en")}
          {seq === undefined ? "" : `; this page has seen ${seq.toLocaleString("en")}`}
        </dd>
        <dt>Definitions</dt>
        <dd>
          {assets} assets, {definitionErrors} refused
        </dd>
        <dt>Schema</dt>
        <dd>{schema}</dd>
        <dt>Memory</dt>
        <dd>{Math.round(memoryBytes / 1_048_576)} MiB of the process that answers</dd>
        <dt>You are</dt>
        <dd>{actor}</dd>
      </dl>
    </Panel>
  );
}

const shownMax = 50;

function Audit() {
  const audit = useQuery(query("listAudit", { query: { limit: shownMax } }));
  return (
    <Panel title="Who changed what">
      <Answer of={audit}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>Nobody has changed anything yet.</Empty>
          ) : (
            <table className={styles.table}>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Who</th>
                  <th scope="col">Did</th>
                  <th scope="col">To</th>
                  <th scope="col">Details</th>
                </tr>
              </thead>
              <tbody>
                {items.map(({ id, at, actor, action, subject, details }) => (
                  <tr key={id}>
                    <td className={styles.whole}>
                      <Moment at={at} />
                    </td>
                    <td>{actor}</td>
                    <td>
                      <code>{action}</code>
                    </td>
                    <td>{action.startsWith("run.") ? <RunLink id={subject} /> : subject}</td>
                    <td className={styles.muted}>
                      {Object.entries(details)
                        .filter(([, value]) => value !== "" && value !== null)
                        .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
                        .join("  ")}
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
