import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import type { ItemOf } from "../../api/answers.ts";
import { pagedQuery } from "../../api/queries.ts";
import { Skeleton } from "../../parts/answer.tsx";
import { type Column, DataTable } from "../../parts/data-table.tsx";
import { AssetLink } from "../../parts/links.tsx";
import { Empty, Problem } from "../../parts/notice.tsx";
import styles from "./run-page.module.css";

type Event = ItemOf<"listRunEvents">;

const columns: readonly Column<Event>[] = [
  { name: "Time", width: "7rem", cell: ({ at }) => <time dateTime={at}>{at.slice(11, 23)}</time> },
  { name: "Event", width: "11rem", cell: ({ kind }) => <code>{kind}</code> },
  {
    name: "Asset",
    width: "minmax(12rem, 20rem)",
    cell: ({ asset, partition }) => (asset === null ? "" : <AssetLink asset={asset} partition={partition ?? ""} />),
  },
  { name: "Details", width: "minmax(14rem, 1fr)", cell: ({ payload }) => <Details payload={payload} /> },
];

function Details({ payload }: { readonly payload: Event["payload"] }) {
  const text = Object.entries(payload)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("  ");
  return (
    <span className={styles.muted} title={text}>
      {text}
    </span>
  );
}

/** What the control plane recorded, of every kind: what is not shown cannot be found. */
export function RunEvents({ run, step }: { readonly run: string; readonly step: number | undefined }) {
  const { data, error, isPending, hasNextPage, isFetching, fetchNextPage } = useInfiniteQuery(
    pagedQuery("listRunEvents", { params: { id: run } }, 500),
  );
  const all = data?.pages.flatMap(({ items }) => items) ?? [];
  const events = step === undefined ? all : all.filter((event) => event.step === step);
  useEffect(() => {
    // The events of one step may be on any page.
    if (step !== undefined && hasNextPage && !isFetching) void fetchNextPage();
  }, [step, hasNextPage, isFetching, fetchNextPage]);
  if (isPending) return <Skeleton />;
  if (error !== null) return <Problem error={error} />;
  if (events.length === 0) return <Empty>No event of {step === undefined ? "this run" : "this step"} is kept.</Empty>;
  return (
    <DataTable
      label="Events"
      columns={columns}
      rows={events}
      keyOf={({ seq }) => String(seq)}
      reachEnd={() => void (hasNextPage && !isFetching && fetchNextPage())}
    />
  );
}
