import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ItemOf, Request } from "../../api/answers.ts";
import { pagedQuery } from "../../api/queries.ts";
import { runsSearch } from "../../app/search.ts";
import { Skeleton } from "../../parts/answer.tsx";
import { type Column, DataTable } from "../../parts/data-table.tsx";
import fields from "../../parts/field.module.css";
import { RunLink } from "../../parts/links.tsx";
import { Empty, Problem } from "../../parts/notice.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { Select } from "../../parts/select.tsx";
import { Ago, Lasted } from "../../parts/time.tsx";
import { inWords, runLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";
import { StepCounts } from "./step-counts.tsx";

type Run = ItemOf<"listRuns">;

const sources = ["manual", "schedule", "sensor", "automation", "backfill", "retry", "api"];

const columns: readonly Column<Run>[] = [
  { name: "State", width: "7rem", cell: (run) => <StatusWord look={runLooks[run.state]} name={run.state} /> },
  { name: "Run", width: "5.5rem", cell: (run) => <RunLink id={run.id} /> },
  {
    name: "Of",
    width: "minmax(14rem, 1fr)",
    cell: (run) => (
      <span title={`${run.selection} ${run.partitions}`}>
        {run.selection} <code>{run.partitions}</code>
      </span>
    ),
  },
  { name: "Steps", width: "15rem", cell: (run) => <StepCounts counts={run.steps} /> },
  {
    name: "By",
    width: "10rem",
    cell: (run) => (run.actor.startsWith(run.source) ? run.actor : `${run.source} · ${run.actor}`),
  },
  { name: "Asked for", width: "6rem", align: "right", cell: (run) => <Ago at={run.createdAt} /> },
  {
    name: "Lasted",
    width: "5.5rem",
    align: "right",
    cell: (run) => (run.startedAt === null ? "" : <Lasted from={run.startedAt} to={run.endedAt} />),
  },
];

/** Runs, newest first, in any state. */
export function RunsPage() {
  const search = useSearch({ from: "/runs" });
  const navigate = useNavigate();
  const asked = { query: search } as Request<"listRuns">;
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery(
    pagedQuery("listRuns", asked),
  );
  const runs = data?.pages.flatMap(({ items }) => items) ?? [];
  const choose = (change: Partial<typeof search>) =>
    void navigate({ to: "/runs", search: runsSearch({ ...search, ...change }), replace: true });
  const filtered = Object.keys(search).length > 0;
  return (
    <>
      <PageHeader title="Runs" />
      <div className={fields.bar}>
        <Select
          label="State"
          value={search.state ?? ""}
          options={[["", "Any state"], ...Object.keys(runLooks).map((state) => [state, inWords(state)] as const)]}
          choose={(state) => choose({ state })}
        />
        <Select
          label="Source"
          value={search.source ?? ""}
          options={[["", "Any source"], ...sources.map((source) => [source, source] as const)]}
          choose={(source) => choose({ source })}
        />
        <input
          className={`${fields.field} ${fields.wide}`}
          data-page-filter
          aria-label="Asset"
          placeholder="Runs with a step of this asset key"
          defaultValue={search.asset ?? ""}
          onKeyDown={(event) => {
            if (event.key === "Enter") choose({ asset: event.currentTarget.value.trim() });
          }}
          onBlur={(event) => choose({ asset: event.currentTarget.value.trim() })}
        />
      </div>
      {error === null ? null : <Problem error={error} retry={() => void refetch()} />}
      {isPending ? <Skeleton rows={8} /> : null}
      {data !== undefined && runs.length === 0 ? (
        filtered ? (
          <Empty>No run fits the filter.</Empty>
        ) : (
          <Empty command="npx headgate materialize <asset>">Nothing has run yet.</Empty>
        )
      ) : null}
      {runs.length === 0 ? null : (
        <DataTable
          label="Runs"
          columns={columns}
          rows={runs}
          keyOf={({ id }) => id}
          open={({ id }) => void navigate({ to: "/runs/$id", params: { id } })}
          reachEnd={() => void (hasNextPage && fetchNextPage())}
        />
      )}
    </>
  );
}
