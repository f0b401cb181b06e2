import { Link } from "@tanstack/react-router";
import styles from "./links.module.css";

/** An asset's key, the team's part quieter than the name, to its page. */
export function AssetLink({ asset, partition = "" }: { readonly asset: string; readonly partition?: string }) {
  const slash = asset.indexOf("/") + 1;
  return (
    <Link
      to="/assets/$key"
      params={{ key: asset }}
      search={partition === "" ? {} : { partition }}
      className={styles.asset}
    >
      <span className={styles.quiet}>{asset.slice(0, slash)}</span>
      {asset.slice(slash)}
      {partition === "" ? null : <span className={styles.partition}> {partition}</span>}
    </Link>
  );
}

/** The part of a run's id that tells runs apart: the last, since the first is the time. */
export function RunLink({ id }: { readonly id: string }) {
  return (
    <Link to="/runs/$id" params={{ id }} title={id} className={styles.id}>
      {shortId(id)}
    </Link>
  );
}

export function shortId(id: string): string {
  return id.slice(-8);
}
