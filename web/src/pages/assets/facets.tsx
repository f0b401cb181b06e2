import type { Answered } from "../../api/answers.ts";
import { classes } from "../../parts/classes.ts";
import { type PartitionStatus, inWords, partitionLooks } from "../../status/status-dictionary.ts";
import { StatusGlyph } from "../../status/status-glyph.tsx";
import { hasTerm, withTerm } from "./selection-terms.ts";
import styles from "./assets-page.module.css";

const shownMax = 12;

/** What the shown assets are, with counts. A click adds the term to the selection, or takes it out. */
export function Facets(props: {
  readonly facets: Answered<"getFacets">;
  readonly selection: string;
  readonly choose: (selection: string) => void;
}) {
  const { facets, selection, choose } = props;
  const groups = [
    ["Status", "status", facets.statuses],
    ["Team", "team", facets.teams],
    ["Group", "group", facets.groups],
    ["Kind", "kind", facets.kinds],
  ] as const;
  return (
    <aside className={styles.facets} aria-label="Facets">
      {groups.map(([title, field, values]) =>
        values.length === 0 ? null : (
          <section key={field}>
            <h2>{title}</h2>
            <ul>
              {values.slice(0, shownMax).map(({ value, assets }) => {
                const term = `${field}:${value}`;
                const on = hasTerm(selection, term);
                return (
                  <li key={value}>
                    <button
                      type="button"
                      aria-pressed={on}
                      className={classes(styles.facet, on && styles.on)}
                      onClick={() => choose(withTerm(selection, term, !on))}
                    >
                      {field === "status" ? (
                        <StatusGlyph look={partitionLooks[value as PartitionStatus]} size={12} />
                      ) : null}
                      <span>{field === "status" ? inWords(value) : value}</span>
                      <span className={styles.count}>{assets}</span>
                    </button>
                  </li>
                );
              })}
            </ul>
          </section>
        ),
      )}
    </aside>
  );
}
