import { Panel } from "../../parts/panel.tsx";
import { Empty } from "../../parts/notice.tsx";
import type { Asset } from "./shown-asset.ts";
import styles from "./asset-page.module.css";

/** What the code of the team says of the asset, and where it says so. */
export function AssetDefinition({ asset }: { readonly asset: Asset }) {
  const problems = [...(asset.error === null ? [] : [asset.error]), ...asset.warnings];
  return (
    <>
      {problems.map(({ code, message, hint }) => (
        <p key={`${code} ${message}`}>
          <strong>{message}</strong> <span className={styles.muted}>{hint}</span>
        </p>
      ))}
      <Panel title="Definition">
        <dl className={styles.pairs}>
          <dt>Source</dt>
          <dd>
            <code>
              {asset.source.file}:{asset.source.line}
            </code>
          </dd>
          <dt>Code location</dt>
          <dd>{asset.location}</dd>
          <dt>Code version</dt>
          <dd>
            <code>{asset.codeVersion}</code>
          </dd>
          <dt>Owner</dt>
          <dd>
            {[asset.owner.team, ...asset.owner.contacts].join(", ")}{" "}
            {asset.owner.oncallUrl === null ? null : <OwnerLink url={asset.owner.oncallUrl} text="on call" />}{" "}
            {asset.owner.runbook === null ? null : <OwnerLink url={asset.owner.runbook} text="runbook" />}
          </dd>
          <dt>Automation</dt>
          <dd>{asset.automation ?? "none"}</dd>
          <dt>Exported</dt>
          <dd>{asset.export ? "yes" : "no: for its own team"}</dd>
          {asset.multi === null ? null : (
            <>
              <dt>Computed with</dt>
              <dd>{asset.multi.outputs.join(", ")}</dd>
            </>
          )}
          {Object.keys(asset.tags).length === 0 ? null : (
            <>
              <dt>Tags</dt>
              <dd>
                {Object.entries(asset.tags)
                  .map(([name, value]) => `${name}=${value}`)
                  .join(", ")}
              </dd>
            </>
          )}
        </dl>
      </Panel>
      <Panel title="Partitions">
        {asset.partitions === null ? (
          <Empty>It is not partitioned.</Empty>
        ) : (
          <pre className={styles.padded}>{JSON.stringify(asset.partitions, null, 2)}</pre>
        )}
      </Panel>
    </>
  );
}

function OwnerLink({ url, text }: { readonly url: string; readonly text: string }) {
  if (!/^https?:\/\//i.test(url)) return null;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer">
      {text}
    </a>
  );
}
