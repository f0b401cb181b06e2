import { StatusGlyph } from "../../status/status-glyph.tsx";
import { assetWords } from "../asset-words.ts";
import { assetLook } from "../picture/asset-look.ts";
import type { GraphModel } from "../picture/graph-model.ts";
import type { GraphState } from "../picture/graph-state.ts";
import styles from "../graph.module.css";

/** The full key of what one points at, and how it is. For the eye: the tree says it to everybody else. */
export function HoverCard(props: { readonly model: GraphModel; readonly state: GraphState; readonly asset: number }) {
  const { model, state, asset } = props;
  return (
    <div className={styles.hoverCard} aria-hidden="true">
      <p className={styles.hoverKey}>
        <StatusGlyph look={assetLook(state, asset)} /> {model.keys[asset]}
      </p>
      <p className={styles.muted}>{assetWords(model, state, asset)}</p>
    </div>
  );
}
