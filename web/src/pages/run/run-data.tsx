import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { query } from "../../api/queries.ts";
import { Answer } from "../../parts/answer.tsx";
import { AssetLink } from "../../parts/links.tsx";
import { Empty } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import { MetadataList } from "../../metadata/metadata-list.tsx";
import { versionLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";
import type { Step } from "./gantt.tsx";
import styles from "./run-page.module.css";

const shownMax = 50;

/** Of each step exactly which versions it read, and the version that it made. */
export function RunData({ steps }: { readonly steps: readonly Step[] }) {
  const made = steps.filter(({ lastAttempt, version }) => lastAttempt !== null || version !== null);
  if (made.length === 0) return <Empty>Nothing was read and nothing was made.</Empty>;
  return (
    <>
      {made.slice(0, shownMax).map((step) => (
        <StepData key={step.index} step={step} />
      ))}
      {made.length <= shownMax ? null : <Empty>Choose a step to see one of the other {made.length - shownMax}.</Empty>}
    </>
  );
}

function StepData({ step }: { readonly step: Step }) {
  const inputs = step.lastAttempt?.inputs ?? [];
  return (
    <Panel title={`${step.asset} ${step.partition}`}>
      <div className={styles.data}>
        <div>
          <h3>Read</h3>
          {inputs.length === 0 ? <p className={styles.muted}>Nothing of other assets.</p> : null}
          <ul>
            {inputs.map(({ name, asset, mode, versions, leftOut }) => (
              <li key={name}>
                <code>{name}</code> <AssetLink asset={asset} /> {mode === "strict" ? null : <span>{mode}</span>}
                <ul className={styles.versions}>
                  {versions.slice(0, shownMax).map(({ id, partition, waivers }) => (
                    <li key={id}>
                      <VersionLink asset={asset} id={id} /> {partition}
                      {waivers.length === 0 ? null : <strong> under a waiver</strong>}
                    </li>
                  ))}
                  {leftOut.length === 0 ? null : <li>left out, without an open version: {leftOut.join(", ")}</li>}
                </ul>
              </li>
            ))}
          </ul>
        </div>
        <div>
          <h3>Made</h3>
          {step.version === null ? (
            <p className={styles.muted}>No version.</p>
          ) : (
            <Made asset={step.asset} id={step.version} />
          )}
        </div>
      </div>
    </Panel>
  );
}

function VersionLink({ asset, id }: { readonly asset: string; readonly id: string }) {
  return (
    <Link to="/assets/$key" params={{ key: asset }} search={{ tab: "versions", version: id }} title={id}>
      <code>{id.slice(-8)}</code>
    </Link>
  );
}

function Made({ asset, id }: { readonly asset: string; readonly id: string }) {
  const version = useQuery(query("getVersion", { params: { key: asset, id } }));
  return (
    <Answer of={version}>
      {({ state, metadata }) => (
        <>
          <p>
            <VersionLink asset={asset} id={id} /> <StatusWord look={versionLooks[state]} name={state} />
          </p>
          <MetadataList entries={metadata} />
        </>
      )}
    </Answer>
  );
}
