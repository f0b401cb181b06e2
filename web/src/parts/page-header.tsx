import type { ReactNode } from "react";
import { useEffect } from "react";
import styles from "./page-header.module.css";

/** The head of a page: what it shows, a line of facts, and what can be done. Names the browser's tab too. */
export function PageHeader(props: {
  readonly title: string;
  /** Instead of the title, where it is more than text. */
  readonly heading?: ReactNode;
  readonly facts?: ReactNode;
  readonly actions?: ReactNode;
}) {
  const { title, heading, facts, actions } = props;
  useEffect(() => {
    document.title = `${title} · Headgate`;
  }, [title]);
  return (
    <header className={styles.header}>
      <div className={styles.words}>
        <h1>{heading ?? title}</h1>
        {facts === undefined ? null : <p className={styles.facts}>{facts}</p>}
      </div>
      {actions === undefined ? null : <div className={styles.actions}>{actions}</div>}
    </header>
  );
}
