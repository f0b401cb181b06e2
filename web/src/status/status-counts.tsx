import type { Answered } from "../api/answers.ts";
import { type PartitionStatus, partitionLooks } from "./status-dictionary.ts";
import { StatusWord } from "./status-word.tsx";
import styles from "./status.module.css";

type Counts = Answered<"getAsset">["counts"];

/** How many of each status, what most needs an eye first. */
export function StatusCounts({ counts }: { readonly counts: Counts }) {
  const statuses = (Object.keys(partitionLooks) as PartitionStatus[]).filter((status) => (counts[status] ?? 0) > 0);
  return (
    <span className={styles.counts}>
      {statuses.map((status) => (
        <StatusWord key={status} look={partitionLooks[status]} name={status} count={counts[status] ?? 0} />
      ))}
    </span>
  );
}
