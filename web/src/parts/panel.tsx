import { type ReactNode, useId } from "react";
import styles from "./panel.module.css";

/** A part of a page with a heading of its own. */
export function Panel(props: {
  readonly title: string;
  /** Beside the title: a count, a filter. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}) {
  const id = useId();
  return (
    <section className={styles.panel} aria-labelledby={id}>
      <header className={styles.head}>
        <h2 id={id}>{props.title}</h2>
        <div className={styles.aside}>{props.aside}</div>
      </header>
      {props.children}
    </section>
  );
}
