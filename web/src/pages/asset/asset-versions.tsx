import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { pagedQuery, query } from "../../api/queries.ts";
import { Answer, Skeleton } from "../../parts/answer.tsx";
import { Button } from "../../parts/button.tsx";
import { Empty, Problem } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import type { Asset, Version } from "./shown-asset.ts";
import { DiscardDialog } from "./discard-dialog.tsx";
import { VersionRow } from "./version-row.tsx";
import { WaiveDialog } from "./waive-dialog.tsx";
import styles from "./asset-page.module.css";

/** What was made, newest first, with what a person may decide about each. */
export function AssetVersions(props: {
  readonly asset: Asset;
  readonly search: { readonly partition?: string; readonly version?: string };
  readonly go: (change: { readonly version?: string | undefined }) => void;
}) {
  const { asset, search, go } = props;
  const { data, error, isPending, hasNextPage, fetchNextPage } = useInfiniteQuery(
    pagedQuery(
      "listVersions",
      { params: { key: asset.key }, query: search.partition === undefined ? {} : { partition: search.partition } },
      50,
    ),
  );
  const [waiving, setWaiving] = useState<Version>();
  const [discarding, setDiscarding] = useState<Version>();
  const versions = data?.pages.flatMap(({ items }) => items) ?? [];
  if (isPending) return <Skeleton />;
  if (error !== null) return <Problem error={error} />;
  if (versions.length === 0)
    return <Empty command={`npx headgate materialize ${asset.key}`}>It has never been made.</Empty>;
  const away = search.version !== undefined && versions.every(({ id }) => id !== search.version);
  const rowProps = { asset, waive: setWaiving, discard: setDiscarding };
  return (
    <>
      {away ? <OneVersion id={search.version ?? ""} {...rowProps} /> : null}
      <Panel title="Versions" aside={search.partition}>
        <ul className={styles.rows}>
          {versions.map((version) => (
            <VersionRow
              key={version.id}
              version={version}
              open={version.id === search.version}
              toggle={() => go({ version: version.id === search.version ? undefined : version.id })}
              {...rowProps}
            />
          ))}
        </ul>
      </Panel>
      {hasNextPage ? (
        <div>
          <Button onClick={() => void fetchNextPage()}>Show older</Button>
        </div>
      ) : null}
      {waiving === undefined ? null : (
        <WaiveDialog asset={asset} version={waiving} close={() => setWaiving(undefined)} />
      )}
      {discarding === undefined ? null : (
        <DiscardDialog asset={asset.key} version={discarding} close={() => setDiscarding(undefined)} />
      )}
    </>
  );
}

/** The version of the address, where it is further down than what is shown. */
function OneVersion(props: {
  readonly id: string;
  readonly asset: Asset;
  readonly waive: (version: Version) => void;
  readonly discard: (version: Version) => void;
}) {
  const version = useQuery(query("getVersion", { params: { key: props.asset.key, id: props.id } }));
  return (
    <Panel title="Version of this address">
      <Answer of={version}>
        {(data) => (
          <ul className={styles.rows}>
            <VersionRow version={data} open toggle={undefined} {...props} />
          </ul>
        )}
      </Answer>
    </Panel>
  );
}
