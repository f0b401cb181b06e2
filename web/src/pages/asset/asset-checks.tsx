import { Empty } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import type { Asset } from "./shown-asset.ts";
import { CheckRow } from "./check-row.tsx";
import styles from "./asset-page.module.css";

/** The checks of the asset, of every team, with their newest results. */
export function AssetChecks({ asset }: { readonly asset: Asset }) {
  if (asset.checks.length === 0) {
    return <Empty>No check guards it: whoever reads it reads the newest version that was made.</Empty>;
  }
  return (
    <Panel title="Checks" aside={asset.checks.length}>
      <ul className={styles.rows}>
        {asset.checks.map((check) => (
          <CheckRow key={`${check.team} ${check.name}`} check={check} full />
        ))}
      </ul>
    </Panel>
  );
}
