import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactNode } from "react";
import styles from "./tabs.module.css";

export interface Tab<Id extends string> {
  readonly id: Id;
  readonly label: string;
  readonly count?: number | undefined;
}

/** Tabs whose choice the page keeps in its address. */
export function Tabs<Id extends string>(props: {
  readonly tabs: readonly Tab<Id>[];
  readonly value: Id;
  readonly choose: (id: Id) => void;
  readonly children: ReactNode;
}) {
  const { tabs, value, choose, children } = props;
  return (
    <Base.Root value={value} onValueChange={(next) => choose(next as Id)} className={styles.tabs}>
      <Base.List className={styles.list}>
        {tabs.map(({ id, label, count }) => (
          <Base.Tab key={id} value={id} className={styles.tab}>
            {label}
            {count === undefined ? null : <span className={styles.count}>{count}</span>}
          </Base.Tab>
        ))}
      </Base.List>
      <Base.Panel value={value} className={styles.panel}>
        {children}
      </Base.Panel>
    </Base.Root>
  );
}
