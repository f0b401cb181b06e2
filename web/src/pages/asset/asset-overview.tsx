import { useInfiniteQuery } from "@tanstack/react-query";
import { Suspense, lazy } from "react";
import type { ItemOf } from "../../api/answers.ts";
import { pagedQuery } from "../../api/queries.ts";
import { MetadataList } from "../../metadata/metadata-list.tsx";
import { RunLink } from "../../parts/links.tsx";
import { Empty } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Ago } from "../../parts/time.tsx";
import { versionLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";
import type { Asset } from "./shown-asset.ts";
import { CheckRow } from "./check-row.tsx";
import { figuresOf } from "./version-figures.ts";
import styles from "./asset-page.module.css";

const Chart = lazy(() => import("../../metadata/chart.tsx").then(({ Chart: default_ }) => ({ default: default_ })));

/** What the newest version says, what its checks say, and figures over the versions before it. */
export function AssetOverview({ asset, partition }: { readonly asset: Asset; readonly partition: string | undefined }) {
  const versions = useInfiniteQuery(
    pagedQuery("listVersions", { params: { key: asset.key }, query: partition === undefined ? {} : { partition } }, 50),
  );
  const all = versions.data?.pages.flatMap(({ items }) => items) ?? [];
  const newest = partition === undefined ? asset.newest : all.find(({ discarded }) => discarded === null);
  return (
    <>
      {asset.description === "" ? null : <p>{asset.description}</p>}
      <div className={styles.columns}>
        <Panel title="Newest version" aside={newest?.partition}>
          {newest === null || newest === undefined ? (
            <Empty command={`npx headgate materialize ${asset.key}`}>It has never been made.</Empty>
          ) : (
            <div className={styles.padded}>
              <Newest version={newest} />
            </div>
          )}
        </Panel>
        <Panel title="Checks" aside={asset.checks.length}>
          {asset.checks.length === 0 ? <Empty>No check guards it.</Empty> : null}
          <ul className={styles.rows}>
            {asset.checks.map((check) => (
              <CheckRow key={`${check.team} ${check.name}`} check={check} />
            ))}
          </ul>
        </Panel>
      </div>
      <Figures versions={all} />
    </>
  );
}

type Version = ItemOf<"listVersions">;

function Newest({ version }: { readonly version: Version }) {
  return (
    <>
      <p className={styles.rowHead}>
        <StatusWord look={versionLooks[version.state]} name={version.state} />
        <code title={version.id}>{version.id.slice(-8)}</code>
        <span className={styles.muted}>
          <Ago at={version.createdAt} />
        </span>
        {version.run === null ? <span>reported</span> : <RunLink id={version.run} />}
      </p>
      <MetadataList entries={version.metadata} />
    </>
  );
}

function Figures({ versions }: { readonly versions: readonly Version[] }) {
  const figures = figuresOf(versions);
  if (figures.length === 0) return null;
  return (
    <div className={styles.columns}>
      {figures.map(({ name, times, values }) => (
        <Panel key={name} title={`${name} over versions`}>
          <div className={styles.padded}>
            <Suspense fallback={null}>
              <Chart
                label={`${name} of the last ${values.length} versions`}
                type="line"
                xs={times}
                time
                series={[{ name, values }]}
              />
            </Suspense>
          </div>
        </Panel>
      ))}
    </div>
  );
}
