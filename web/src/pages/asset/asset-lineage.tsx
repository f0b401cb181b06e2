import { AssetLink } from "../../parts/links.tsx";
import { Empty } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import type { Asset } from "./shown-asset.ts";
import styles from "./asset-page.module.css";

/** What the asset reads, and who reads it. */
export function AssetLineage({ asset }: { readonly asset: Asset }) {
  return (
    <div className={styles.columns}>
      <Panel title="Reads" aside={asset.dependencies.length}>
        {asset.dependencies.length === 0 ? <Empty>It reads no other asset.</Empty> : null}
        <ul className={styles.rows}>
          {asset.dependencies.map(({ name, asset: upstream, mode, mapping, atLeast }) => (
            <li key={name}>
              <p className={styles.rowHead}>
                <AssetLink asset={upstream} />
                <span className={styles.muted}>as {name}</span>
                <span className={styles.muted}>{mode === "strict" ? "strict: waits for its gate" : mode}</span>
                {mapping === "identity" ? null : <span className={styles.muted}>{mapping} partitions</span>}
                {atLeast === 0 ? null : <span className={styles.muted}>at least {atLeast} open</span>}
              </p>
            </li>
          ))}
        </ul>
      </Panel>
      <Panel title="Read by" aside={asset.readers.length}>
        {asset.readers.length === 0 ? <Empty>No asset reads it.</Empty> : null}
        <ul className={styles.rows}>
          {asset.readers.map((reader) => (
            <li key={reader}>
              <AssetLink asset={reader} />
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
