import { classes } from "../parts/classes.ts";
import { StatusGlyph } from "./status-glyph.tsx";
import type { StatusLook } from "./status-dictionary.ts";
import { inWords } from "./status-dictionary.ts";
import styles from "./status.module.css";

/** A state as every page shows it: glyph and word, both in the tone, before them how many where there are several. */
export function StatusWord(props: { readonly look: StatusLook; readonly name: string; readonly count?: number }) {
  const { look, name, count } = props;
  return (
    <span className={classes(styles.word, styles[look.tone])}>
      <StatusGlyph look={look} />
      {count === undefined ? inWords(name) : `${count} ${inWords(name)}`}
    </span>
  );
}
