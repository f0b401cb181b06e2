import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import type { Answered } from "../../api/answers.ts";
import { pagedQuery, query } from "../../api/queries.ts";
import { runSearch, type runTabs } from "../../app/search.ts";
import { Answer, Skeleton } from "../../parts/answer.tsx";
import { RunLink, shortId } from "../../parts/links.tsx";
import { Problem } from "../../parts/notice.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Ago, Lasted } from "../../parts/time.tsx";
import { runLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";
import { Gantt, type Step } from "./gantt.tsx";
import { RunActions } from "./run-actions.tsx";
import { RunConfig } from "./run-config.tsx";
import { RunData } from "./run-data.tsx";
import { RunEvents } from "./run-events.tsx";
import { RunLog } from "./run-log.tsx";
import { StepPanel } from "./step-panel.tsx";

type Run = Answered<"getRun">;
type TabId = (typeof runTabs)[number];

const tabs = [
  { id: "events", label: "Events" },
  { id: "logs", label: "Logs" },
  { id: "data", label: "Inputs and outputs" },
  { id: "config", label: "Config" },
] as const;

export const isOver = (run: Run): boolean => run.endedAt !== null;

/** One run: its steps over time, and of one step or all of them the log, the events, and what was read and made. */
export function RunPage() {
  const { id } = useParams({ from: "/runs/$id" });
  const run = useQuery(query("getRun", { params: { id } }));
  return (
    <Answer of={run}>
      {(data) => (
        <>
          <PageHeader
            title={`Run ${shortId(id)}`}
            heading={
              <>
                Run <code title={id}>{shortId(id)}</code>
              </>
            }
            facts={<Facts run={data} />}
            actions={<RunActions run={data} />}
          />
          <RunBody run={data} />
        </>
      )}
    </Answer>
  );
}

function Facts({ run }: { readonly run: Run }) {
  return (
    <>
      <StatusWord look={runLooks[run.state]} name={run.state} />
      <span>
        {run.selection} <code>{run.partitions}</code>
      </span>
      <span>
        {run.source} by {run.actor}
      </span>
      <span>
        asked for <Ago at={run.createdAt} />
      </span>
      {run.startedAt === null ? null : (
        <span>
          lasted <Lasted from={run.startedAt} to={run.endedAt} />
        </span>
      )}
      {run.retryOf === null ? null : (
        <span>
          retry of <RunLink id={run.retryOf} />
        </span>
      )}
      {run.cancelRequestedBy === null ? null : <span>canceled by {run.cancelRequestedBy}</span>}
      {run.whenOpen ? <span>waits for closed gates</span> : null}
    </>
  );
}

function RunBody({ run }: { readonly run: Run }) {
  const search = useSearch({ from: "/runs/$id" });
  const navigate = useNavigate();
  const { steps, isPending, error } = useSteps(run.id);
  const chosen = steps.find(({ index }) => index === search.step);
  const go = (change: { [K in keyof typeof search]?: (typeof search)[K] | undefined }) =>
    void navigate({
      to: "/runs/$id",
      params: { id: run.id },
      search: runSearch({ ...search, ...change }),
      replace: true,
    });
  // Most steps print nothing and a blocked one never can; what was recorded is there for every run.
  const tab = search.tab ?? (chosen !== undefined && chosen.attempts > 0 ? "logs" : "events");
  if (error !== null) return <Problem error={error} />;
  if (isPending) return <Skeleton rows={6} />;
  return (
    <>
      <Gantt
        steps={steps}
        chosen={search.step}
        choose={(step) => go({ step, attempt: undefined, line: undefined, tab: undefined })}
      />
      {chosen === undefined ? null : (
        <StepPanel step={chosen} close={() => go({ step: undefined, attempt: undefined })} />
      )}
      <Tabs<TabId> tabs={tabs} value={tab} choose={(next) => go({ tab: next })}>
        {tab === "logs" ? <RunLog run={run} step={chosen} search={search} go={go} /> : null}
        {tab === "events" ? <RunEvents run={run.id} step={search.step} /> : null}
        {tab === "data" ? <RunData steps={chosen === undefined ? steps : [chosen]} /> : null}
        {tab === "config" ? <RunConfig run={run} /> : null}
      </Tabs>
      {run.leftOut.length === 0 ? null : (
        <p>
          Left out, because others report them:{" "}
          {run.leftOut.map((key) => (
            <Link key={key} to="/assets/$key" params={{ key }}>
              {key}{" "}
            </Link>
          ))}
        </p>
      )}
    </>
  );
}

const stepsPerPage = 1_000;

/** Every step: the bars of a run mean something only together. */
function useSteps(run: string) {
  const { data, error, isPending, hasNextPage, isFetching, fetchNextPage } = useInfiniteQuery(
    pagedQuery("listSteps", { params: { id: run } }, stepsPerPage),
  );
  useEffect(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  const steps: readonly Step[] = data?.pages.flatMap(({ items }) => items) ?? [];
  return { steps, error, isPending };
}
