import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ItemOf } from "../../api/answers.ts";
import { ApiProblem } from "../../api/api-problem.ts";
import { pagedQuery, query } from "../../api/queries.ts";
import { selectionSearch } from "../../app/search.ts";
import { Skeleton } from "../../parts/answer.tsx";
import { type Column, DataTable } from "../../parts/data-table.tsx";
import { AssetLink } from "../../parts/links.tsx";
import { Empty, Problem } from "../../parts/notice.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { SelectionField } from "../../parts/selection-field.tsx";
import { partitionLooks } from "../../status/status-dictionary.ts";
import { StatusCounts } from "../../status/status-counts.tsx";
import { StatusWord } from "../../status/status-word.tsx";
import { Facets } from "./facets.tsx";
import styles from "./assets-page.module.css";

type Asset = ItemOf<"listAssets">;

const columns: readonly Column<Asset>[] = [
  { name: "Asset", width: "minmax(11rem, 1.4fr)", cell: ({ key }) => <AssetLink asset={key} /> },
  {
    name: "Status",
    width: "10.5rem",
    cell: ({ status }) => <StatusWord look={partitionLooks[status]} name={status} />,
  },
  {
    name: "Partitions",
    width: "minmax(12rem, 1fr)",
    cell: ({ partitioned, counts }) => (partitioned ? <StatusCounts counts={counts} /> : ""),
  },
  { name: "Group", width: "7rem", cell: ({ group }) => group },
  { name: "Kinds", width: "9rem", cell: ({ kinds }) => kinds.join(", ") },
  {
    name: "Note",
    width: "6rem",
    cell: ({ external, retired, error }) =>
      error !== null ? "refused" : retired ? "retired" : external ? "external" : "",
  },
];

/** Assets by key, found by the one selection language and by facets that write it. */
export function AssetsPage() {
  const { sel = "" } = useSearch({ from: "/assets" });
  const navigate = useNavigate();
  const asked = { query: sel === "" ? {} : { selection: sel } };
  const list = useInfiniteQuery({ ...pagedQuery("listAssets", asked, 200), placeholderData: keepPreviousData });
  const facets = useQuery({ ...query("getFacets", asked), placeholderData: keepPreviousData });
  const assets = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const choose = (next: string) => {
    if (next !== sel) void navigate({ to: "/assets", search: selectionSearch({ sel: next }) });
  };
  const invalid = list.error instanceof ApiProblem && list.error.code === "selection.invalid";
  return (
    <>
      <PageHeader
        title="Assets"
        facts={facets.data === undefined || invalid ? undefined : `${facets.data.count} shown`}
      />
      <SelectionField value={sel} choose={choose} error={list.error} />
      {list.error === null || invalid ? null : <Problem error={list.error} retry={() => void list.refetch()} />}
      <div className={styles.columns}>
        {facets.data === undefined ? <div /> : <Facets facets={facets.data} selection={sel} choose={choose} />}
        <div className={styles.list}>
          {list.isPending ? <Skeleton rows={8} /> : null}
          {list.data !== undefined && assets.length === 0 ? <None filtered={sel !== ""} /> : null}
          {assets.length === 0 ? null : (
            <DataTable
              label="Assets"
              columns={columns}
              rows={assets}
              keyOf={({ key }) => key}
              open={({ key }) => void navigate({ to: "/assets/$key", params: { key } })}
              reachEnd={() => void (list.hasNextPage && !list.isFetching && list.fetchNextPage())}
            />
          )}
        </div>
      </div>
    </>
  );
}

function None({ filtered }: { readonly filtered: boolean }) {
  if (!filtered) return <Empty command="npx headgate new location orders">No asset is defined yet.</Empty>;
  return (
    <Empty>
      No asset fits the selection. <Link to="/assets">Show all</Link>
    </Empty>
  );
}
