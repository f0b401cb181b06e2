import { glyphPaths } from "./glyph-paths.ts";
import type { StatusLook } from "./status-dictionary.ts";
import { classes } from "../parts/classes.ts";
import styles from "./status.module.css";

/** The glyph alone, in its tone. Never without its word beside it, or in a label. */
export function StatusGlyph({ look, size = 14 }: { readonly look: StatusLook; readonly size?: number }) {
  const { line, fill } = glyphPaths[look.glyph];
  return (
    <svg
      className={classes(styles.glyph, styles[look.tone], look.glyph === "arc" && styles.turning)}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
    >
      {line === "" ? null : (
        <path d={line} fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinejoin="round" />
      )}
      {fill === undefined ? null : <path d={fill} fill="currentColor" />}
    </svg>
  );
}
