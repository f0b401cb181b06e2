import { ArrowLeft, List, Search, X } from "lucide-react";
import { type KeyboardEvent, useEffect, useState } from "react";
import { ApiProblem } from "../../api/api-problem.ts";
import { Button } from "../../parts/button.tsx";
import styles from "../graph.module.css";

export interface Hops {
  readonly up: number;
  readonly down: number;
}

/** What is looked for, and how far is looked around the asset in focus. */
export function GraphToolbar(props: {
  readonly text: string;
  /** As it is typed. */
  readonly typed: (text: string) => void;
  /** With Enter: the next hit, or the selection as the server reads it. */
  readonly entered: (text: string) => void;
  readonly hits: number | undefined;
  readonly total: number;
  readonly problem: Error | null;
  readonly focus: string | undefined;
  readonly hops: Hops;
  readonly setHops: (hops: Hops) => void;
  readonly leaveFocus: () => void;
  readonly listShown: boolean;
  readonly toggleList: () => void;
}) {
  const { text, typed, entered, hits, total, problem, focus, hops, setHops, leaveFocus } = props;
  const [shown, setShown] = useState(text);
  useEffect(() => setShown(text), [text]);
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Enter") entered(shown);
    if (event.key === "Escape") event.currentTarget.blur();
  };
  const clear = () => {
    setShown("");
    typed("");
  };
  return (
    <div className={styles.toolbar}>
      <Button kind="quiet" className={styles.listButton} aria-pressed={props.listShown} onClick={props.toggleList}>
        <List size={15} aria-hidden="true" /> List
      </Button>
      <div className={styles.find}>
        <Search size={14} aria-hidden="true" />
        <input
          data-page-filter
          aria-label="Find assets, or select them"
          aria-invalid={problem !== null}
          aria-describedby={problem === null ? undefined : "graph-find-problem"}
          placeholder="orders, or team:growth, +revenue/daily, status:blocked"
          value={shown}
          spellCheck={false}
          autoComplete="off"
          onChange={({ target }) => {
            setShown(target.value);
            typed(target.value);
          }}
          onKeyDown={onKeyDown}
        />
        {shown === "" ? null : (
          <button type="button" className={styles.icon} aria-label="Clear" onClick={clear}>
            <X size={14} aria-hidden="true" />
          </button>
        )}
      </div>
      {problem === null ? (
        <span className={styles.muted} role="status">
          {hits === undefined
            ? total === 1
              ? "1 asset"
              : `${total.toLocaleString("en")} assets`
            : `${hits.toLocaleString("en")} of ${total.toLocaleString("en")}`}
        </span>
      ) : (
        <span className={styles.findProblem} id="graph-find-problem" role="alert">
          {problem.message} {problem instanceof ApiProblem ? problem.hint : ""}
        </span>
      )}
      {focus === undefined ? null : (
        <div className={styles.focusBar}>
          <Button kind="quiet" onClick={leaveFocus}>
            <ArrowLeft size={14} aria-hidden="true" /> All assets
          </Button>
          <strong>{focus}</strong>
          <Stepper label="upstream" value={hops.up} set={(up) => setHops({ ...hops, up })} />
          <Stepper label="downstream" value={hops.down} set={(down) => setHops({ ...hops, down })} />
        </div>
      )}
    </div>
  );
}

function Stepper(props: { readonly label: string; readonly value: number; readonly set: (value: number) => void }) {
  const { label, value, set } = props;
  return (
    <span className={styles.stepper}>
      <button type="button" aria-label={`Fewer steps ${label}`} disabled={value === 0} onClick={() => set(value - 1)}>
        −
      </button>
      <span>
        {value} {label}
      </span>
      <button type="button" aria-label={`More steps ${label}`} disabled={value === 20} onClick={() => set(value + 1)}>
        +
      </button>
    </span>
  );
}
