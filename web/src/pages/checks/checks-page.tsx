import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ItemOf } from "../../api/answers.ts";
import { ApiProblem } from "../../api/api-problem.ts";
import { pagedQuery } from "../../api/queries.ts";
import { selectionSearch } from "../../app/search.ts";
import { Skeleton } from "../../parts/answer.tsx";
import { type Column, DataTable } from "../../parts/data-table.tsx";
import { AssetLink } from "../../parts/links.tsx";
import { Empty, Problem } from "../../parts/notice.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { SelectionField } from "../../parts/selection-field.tsx";
import { Ago } from "../../parts/time.tsx";
import { outcomeLooks, partitionLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";

type Check = ItemOf<"listChecks">;

const columns: readonly Column<Check>[] = [
  {
    name: "Newest result",
    width: "8rem",
    cell: ({ latest }) =>
      latest === null ? (
        <StatusWord look={partitionLooks.neverMaterialized} name="never run" />
      ) : (
        <StatusWord look={outcomeLooks[latest.outcome]} name={latest.outcome} />
      ),
  },
  {
    name: "Check",
    width: "minmax(12rem, 1fr)",
    cell: ({ name, description }) => <span title={description}>{name}</span>,
  },
  {
    name: "Asset",
    width: "minmax(14rem, 1.2fr)",
    cell: ({ asset, latest }) => <AssetLink asset={asset} partition={latest?.partition ?? ""} />,
  },
  {
    name: "Not passing means",
    width: "10rem",
    cell: ({ required, blocking, team }) =>
      required ? "its gate closes" : blocking ? `closed for ${team}` : "a warning",
  },
  { name: "Owner", width: "7rem", cell: ({ team }) => team },
  {
    name: "Result",
    width: "minmax(12rem, 1.6fr)",
    cell: ({ latest, error }) => {
      const text = error?.message ?? latest?.description ?? "";
      return <span title={text}>{text}</span>;
    },
  },
  {
    name: "When",
    width: "6rem",
    align: "right",
    cell: ({ latest }) => (latest === null ? "" : <Ago at={latest.at} />),
  },
];

/** Every check with its newest result. */
export function ChecksPage() {
  const { sel = "" } = useSearch({ from: "/checks" });
  const navigate = useNavigate();
  const list = useInfiniteQuery({
    ...pagedQuery("listChecks", { query: sel === "" ? {} : { selection: sel } }, 200),
    placeholderData: keepPreviousData,
  });
  const checks = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const invalid = list.error instanceof ApiProblem && list.error.code === "selection.invalid";
  return (
    <>
      <PageHeader title="Checks" />
      <SelectionField
        value={sel}
        error={list.error}
        choose={(next) => {
          if (next !== sel) void navigate({ to: "/checks", search: selectionSearch({ sel: next }) });
        }}
      />
      {list.error === null || invalid ? null : <Problem error={list.error} retry={() => void list.refetch()} />}
      {list.isPending ? <Skeleton rows={8} /> : null}
      {list.data !== undefined && checks.length === 0 ? (
        <Empty>{sel === "" ? "No check is defined yet." : "No asset of the selection has a check."}</Empty>
      ) : null}
      {checks.length === 0 ? null : (
        <DataTable
          label="Checks"
          columns={columns}
          rows={checks}
          keyOf={({ asset, team, name }) => `${asset} ${team} ${name}`}
          open={({ asset }) => void navigate({ to: "/assets/$key", params: { key: asset }, search: { tab: "checks" } })}
          reachEnd={() => void (list.hasNextPage && !list.isFetching && list.fetchNextPage())}
        />
      )}
    </>
  );
}
