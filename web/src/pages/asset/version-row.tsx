import { Button } from "../../parts/button.tsx";
import { AssetLink, RunLink } from "../../parts/links.tsx";
import { Problem } from "../../parts/notice.tsx";
import { ReasonList } from "../../parts/reasons.tsx";
import { Ago, Moment } from "../../parts/time.tsx";
import { useAction } from "../../parts/use-action.ts";
import { classes } from "../../parts/classes.ts";
import { MetadataList } from "../../metadata/metadata-list.tsx";
import { outcomeLooks, versionLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";
import type { Asset, Version } from "./shown-asset.ts";
import styles from "./asset-page.module.css";

/** One version on a line; open, with what it says, what it read, what its checks say and what was decided about it. */
export function VersionRow(props: {
  readonly asset: Asset;
  readonly version: Version;
  readonly open: boolean;
  readonly toggle: (() => void) | undefined;
  readonly waive: (version: Version) => void;
  readonly discard: (version: Version) => void;
}) {
  const { asset, version, open, toggle, waive, discard } = props;
  const restore = useAction("restoreVersion");
  const revoke = useAction("revokeWaiver");
  const params = { key: asset.key, id: version.id };
  const closed = version.reasons.some(({ check }) => check !== undefined);
  return (
    <li className={classes(open && styles.marked)}>
      <div className={styles.rowHead}>
        <StatusWord look={versionLooks[version.state]} name={version.state} />
        <Button kind="quiet" aria-expanded={open} onClick={toggle} title={version.id}>
          <code>{version.id.slice(-8)}</code>
        </Button>
        <span>{version.partition}</span>
        {version.newest ? <strong>newest</strong> : null}
        {version.discarded === null ? null : <strong>discarded</strong>}
        <span className={styles.muted}>
          <Ago at={version.createdAt} /> {version.run === null ? "reported" : <RunLink id={version.run} />}
        </span>
        <div>
          {closed && version.newest && version.discarded === null ? (
            <Button onClick={() => waive(version)}>Waive</Button>
          ) : null}
          {version.waivers.map((waiver) => (
            <Button
              key={waiver.id}
              onClick={() => revoke.mutate({ params, query: { check: waiver.check, team: waiver.team } })}
            >
              Revoke waiver
            </Button>
          ))}
          {version.newest && version.discarded === null ? (
            <Button onClick={() => discard(version)}>Discard</Button>
          ) : null}
          {version.discarded === null ? null : (
            <Button disabled={restore.isPending} onClick={() => restore.mutate({ params })}>
              Restore
            </Button>
          )}
        </div>
      </div>
      {[restore.error, revoke.error].map((error, i) => (error === null ? null : <Problem key={i} error={error} />))}
      {version.waivers.map((waiver) => (
        <p key={waiver.id}>
          Waived: {waiver.check} by {waiver.actor}, until <Moment at={waiver.until} />: {waiver.reason}
        </p>
      ))}
      {version.discarded === null ? null : (
        <p>
          Discarded by {version.discarded.by} <Ago at={version.discarded.at} />: {version.discarded.reason}
        </p>
      )}
      {open ? <Details version={version} /> : null}
    </li>
  );
}

function Details({ version }: { readonly version: Version }) {
  return (
    <>
      <ReasonList reasons={version.reasons} remedies={[]} />
      <dl className={styles.pairs}>
        <dt>Version</dt>
        <dd>
          <code>{version.id}</code>
        </dd>
        <dt>Code</dt>
        <dd>
          <code>{version.codeVersion}</code> at {version.location}
        </dd>
        <dt>Data</dt>
        <dd>
          <code>{version.dataVersion}</code>
        </dd>
        {version.value === null ? null : (
          <>
            <dt>Value</dt>
            <dd>
              <code>
                {version.value.scheme} {version.value.place}
              </code>{" "}
              {version.value.mediaType}, {version.value.sizeBytes.toLocaleString("en")} bytes
            </dd>
          </>
        )}
        <dt>Read</dt>
        <dd>
          {version.inputs.length === 0 ? "nothing of other assets" : null}
          {version.inputs.map(({ name, asset, versions }) => (
            <div key={name}>
              <AssetLink asset={asset} /> {versions.map(({ partition }) => partition).join(", ")}
            </div>
          ))}
        </dd>
        <dt>Results</dt>
        <dd>
          {version.results.length === 0 ? "none" : null}
          {version.results.map(({ id, name, outcome, description }) => (
            <div key={id}>
              <StatusWord look={outcomeLooks[outcome]} name={outcome} /> {name} {description}
            </div>
          ))}
        </dd>
      </dl>
      <MetadataList entries={version.metadata} />
    </>
  );
}
