import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { query } from "../../api/queries.ts";
import { assetSearch, type assetTabs } from "../../app/search.ts";
import { Answer } from "../../parts/answer.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { partitionLooks } from "../../status/status-dictionary.ts";
import { StatusCounts } from "../../status/status-counts.tsx";
import { StatusWord } from "../../status/status-word.tsx";
import { AssetActions } from "./asset-actions.tsx";
import { AssetAutomation } from "./asset-automation.tsx";
import { AssetChecks } from "./asset-checks.tsx";
import { AssetDefinition } from "./asset-definition.tsx";
import { AssetLineage } from "./asset-lineage.tsx";
import { AssetOverview } from "./asset-overview.tsx";
import { AssetRuns } from "./asset-runs.tsx";
import { AssetVersions } from "./asset-versions.tsx";
import { GateBar } from "./gate-bar.tsx";
import { PartitionStrip } from "./partition-strip.tsx";
import type { Asset } from "./shown-asset.ts";

type TabId = (typeof assetTabs)[number];

const tabsOf = ({ checks, dependencies, readers }: Asset) =>
  [
    { id: "overview", label: "Overview" },
    { id: "checks", label: "Checks", count: checks.length },
    { id: "versions", label: "Versions" },
    { id: "lineage", label: "Lineage", count: dependencies.length + readers.length },
    { id: "automation", label: "Automation" },
    { id: "runs", label: "Runs" },
    { id: "definition", label: "Definition" },
  ] as const;

/** One asset: its gate and why it is as it is, then its partitions, checks, versions, readers, runs and definition. */
export function AssetPage() {
  const { key } = useParams({ from: "/assets/$key" });
  const search = useSearch({ from: "/assets/$key" });
  const navigate = useNavigate();
  const asset = useQuery(query("getAsset", { params: { key } }));
  const go = (change: { [K in keyof typeof search]?: (typeof search)[K] | undefined }) =>
    void navigate({
      to: "/assets/$key",
      params: { key },
      search: assetSearch({ ...search, ...change }),
      replace: true,
    });
  const tab = search.tab ?? "overview";
  return (
    <Answer of={asset}>
      {(data) => (
        <>
          <PageHeader
            title={key}
            facts={<Facts asset={data} />}
            actions={<AssetActions asset={data} search={search} />}
          />
          <GateBar asset={data} partition={search.partition} />
          {data.partitioned ? (
            <PartitionStrip asset={key} chosen={search.partition} choose={(partition) => go({ partition })} />
          ) : null}
          <Tabs<TabId> tabs={tabsOf(data)} value={tab} choose={(next) => go({ tab: next })}>
            {tab === "overview" ? <AssetOverview asset={data} partition={search.partition} /> : null}
            {tab === "checks" ? <AssetChecks asset={data} /> : null}
            {tab === "versions" ? <AssetVersions asset={data} search={search} go={go} /> : null}
            {tab === "lineage" ? <AssetLineage asset={data} /> : null}
            {tab === "automation" ? <AssetAutomation asset={data} /> : null}
            {tab === "runs" ? <AssetRuns asset={key} /> : null}
            {tab === "definition" ? <AssetDefinition asset={data} /> : null}
          </Tabs>
        </>
      )}
    </Answer>
  );
}

function Facts({ asset }: { readonly asset: Asset }) {
  const { status, partitioned, counts, owner, kinds, group, external, retired } = asset;
  return (
    <>
      {partitioned ? <StatusCounts counts={counts} /> : <StatusWord look={partitionLooks[status]} name={status} />}
      <span>owner {owner.team}</span>
      {group === "" || group === "default" ? null : <span>group {group}</span>}
      {kinds.length === 0 ? null : <span>{kinds.join(", ")}</span>}
      {external === null ? null : <span>external: reported, not computed</span>}
      {retired ? <strong>retired</strong> : null}
    </>
  );
}
