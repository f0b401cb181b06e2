import type { ItemOf } from "../api/answers.ts";
import { MetadataList } from "../metadata/metadata-list.tsx";
import { partitionLooks } from "../status/status-dictionary.ts";
import { StatusGlyph } from "../status/status-glyph.tsx";
import { CommandLine } from "./command-line.tsx";
import { AssetLink, RunLink } from "./links.tsx";
import styles from "./reasons.module.css";

type Version = ItemOf<"listGates">["versions"][number];
type Reason = Version["reasons"][number] & { readonly path?: readonly string[] };

/** Why a gate is closed, to the root: the way from what was asked for to the gate that shuts, and what opens it. */
export function ReasonList(props: { readonly reasons: readonly Reason[]; readonly remedies: Version["remedies"] }) {
  const { reasons, remedies } = props;
  return (
    <div className={styles.reasons}>
      {reasons.map((reason, i) => (
        // Reasons of one answer have no identity of their own, and their order does not change.
        <article key={i} className={styles.reason}>
          <StatusGlyph look={reason.kind === "checkFailed" ? partitionLooks.failed : partitionLooks.blocked} />
          <div>
            <p>{reason.message}</p>
            <p className={styles.facts}>
              {(reason.path ?? []).slice(1, -1).map((key) => (
                <span key={key}>
                  by way of <AssetLink asset={key} />
                </span>
              ))}
              <span>
                gate of <AssetLink asset={reason.asset} partition={reason.partition} />
              </span>
              {reason.run === undefined ? null : (
                <span>
                  made by run <RunLink id={reason.run} />
                </span>
              )}
              <span>owner {reason.owner.team}</span>
              {reason.owner.contacts.map((contact) => (
                <span key={contact}>{contact}</span>
              ))}
            </p>
            <MetadataList entries={reason.metadata ?? []} />
          </div>
        </article>
      ))}
      <RemedyList remedies={remedies} />
    </div>
  );
}

/** What opens a gate, as commands to paste. */
export function RemedyList({ remedies }: { readonly remedies: Version["remedies"] }) {
  if (remedies.length === 0) return null;
  return (
    <details className={styles.opens}>
      <summary>What opens it</summary>
      <dl className={styles.remedies}>
        {remedies.map(({ purpose, command }) => (
          <div key={`${purpose} ${command}`}>
            <dt>{purpose}</dt>
            <dd>{command === "" ? null : <CommandLine command={command} />}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
