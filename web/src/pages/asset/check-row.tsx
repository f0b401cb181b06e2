import type { ItemOf } from "../../api/answers.ts";
import { MetadataList } from "../../metadata/metadata-list.tsx";
import { Ago } from "../../parts/time.tsx";
import { RunLink } from "../../parts/links.tsx";
import { outcomeLooks, partitionLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";
import styles from "./asset-page.module.css";

/** A check with its newest result. */
export function CheckRow({ check, full = false }: { readonly check: ItemOf<"listChecks">; readonly full?: boolean }) {
  const { team, name, blocking, required, latest, error, description } = check;
  return (
    <li>
      <p className={styles.rowHead}>
        {latest === null ? (
          <StatusWord look={partitionLooks.neverMaterialized} name="never run" />
        ) : (
          <StatusWord look={outcomeLooks[latest.outcome]} name={latest.outcome} />
        )}
        <strong>{name}</strong>
        <span className={styles.muted}>{required ? "gates" : blocking ? `gates readers of ${team}` : "warns"}</span>
        <span className={styles.muted}>{team}</span>
        {latest === null ? null : (
          <span className={styles.muted}>
            {latest.partition} <Ago at={latest.at} /> {latest.run === null ? "reported" : <RunLink id={latest.run} />}
          </span>
        )}
        {latest !== null && !latest.current ? <span>of an older version of the check</span> : null}
      </p>
      {full && description !== "" ? <p className={styles.muted}>{description}</p> : null}
      {error === null ? null : (
        <p>
          {error.message} <span className={styles.muted}>{error.hint}</span>
        </p>
      )}
      {latest === null || latest.description === "" ? null : <p>{latest.description}</p>}
      {full && latest !== null ? <MetadataList entries={latest.metadata} /> : null}
    </li>
  );
}
