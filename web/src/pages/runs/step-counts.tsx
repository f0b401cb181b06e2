import type { ItemOf } from "../../api/answers.ts";
import { type StepState, inWords, stepLooks } from "../../status/status-dictionary.ts";
import { StatusGlyph } from "../../status/status-glyph.tsx";
import styles from "./step-counts.module.css";

/** Steps by state: a glyph and a count each, the words on hover and for screen readers. */
export function StepCounts({ counts }: { readonly counts: ItemOf<"listRuns">["steps"] }) {
  const states = (Object.keys(stepLooks) as StepState[]).filter((state) => (counts[state] ?? 0) > 0);
  return (
    <span className={styles.counts}>
      {states.map((state) => (
        <span key={state} title={`${counts[state] ?? 0} ${inWords(state)}`} className={styles.count}>
          <StatusGlyph look={stepLooks[state]} size={12} />
          {counts[state]}
          <span className="visually-hidden"> {inWords(state)}</span>
        </span>
      ))}
    </span>
  );
}
