import { Dialog as Base } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { classes } from "./classes.ts";
import styles from "./dialog.module.css";

/** A dialog over the page; Escape, a click beside it and `close` end it. */
export function Dialog(props: {
  readonly open: boolean;
  readonly close: () => void;
  readonly title: string;
  /** The title is for screen readers alone. */
  readonly bare?: boolean;
  readonly children: ReactNode;
}) {
  const { open, close, title, bare = false, children } = props;
  return (
    <Base.Root open={open} onOpenChange={(next) => (next ? undefined : close())}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup className={classes(styles.popup, bare && styles.bare)}>
          <Base.Title className={bare ? "visually-hidden" : styles.title}>{title}</Base.Title>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
