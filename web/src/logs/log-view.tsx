import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { Button } from "../parts/button.tsx";
import { classes } from "../parts/classes.ts";
import fields from "../parts/field.module.css";
import type { LogLine } from "./log-lines.ts";
import styles from "./log-view.module.css";

const linePx = 19;

/** Lines of a log of any length: those in view are drawn, long ones wrap, and it follows the end until one scrolls up. */
export function LogView(props: {
  readonly lines: readonly LogLine[];
  /** Whether more may come. */
  readonly live: boolean;
  readonly withSteps: boolean;
  readonly marked: number | undefined;
  readonly mark: (line: number) => void;
}) {
  const { lines, live, withSteps, marked, mark } = props;
  const [sought, setSought] = useState("");
  const needle = useDeferredValue(sought.trim().toLowerCase());
  const shown = useMemo(
    () => (needle === "" ? lines : lines.filter(({ text }) => text.toLowerCase().includes(needle))),
    [lines, needle],
  );
  const [following, setFollowing] = useState(marked === undefined);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => linePx,
    overscan: 30,
  });
  useEffect(() => {
    if (live && following && shown.length > 0) virtual.scrollToIndex(shown.length - 1);
  }, [live, following, shown.length, virtual]);
  const opened = useRef(false);
  useEffect(() => {
    if (opened.current || marked === undefined || shown.length < marked) return;
    opened.current = true;
    virtual.scrollToIndex(marked - 1, { align: "center" });
  }, [marked, shown.length, virtual]);
  return (
    <div className={styles.log}>
      <div className={fields.bar}>
        <input
          className={classes(fields.field, fields.wide)}
          type="search"
          data-page-filter
          aria-label="Find in the log"
          placeholder="Find in the log"
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
        <span className={styles.count}>
          {needle === "" ? `${lines.length} lines` : `${shown.length} of ${lines.length} lines`}
        </span>
        {live ? (
          <Button aria-pressed={following} onClick={() => setFollowing(!following)}>
            {following ? "Following" : "Follow"}
          </Button>
        ) : null}
      </div>
      <div
        ref={scroller}
        className={styles.scroller}
        role="log"
        aria-live="off"
        aria-label="Log"
        tabIndex={0}
        onWheel={(event) => event.deltaY < 0 && setFollowing(false)}
      >
        <div className={styles.lines} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, key, start }) => {
            const line = shown[index] as LogLine;
            return (
              <div
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                className={classes(
                  styles.line,
                  line.stream === "stderr" && styles.stderr,
                  line.number === marked && styles.marked,
                )}
                style={{ transform: `translateY(${start}px)` }}
              >
                <button
                  type="button"
                  className={styles.number}
                  title="Mark this line"
                  onClick={() => mark(line.number)}
                >
                  {line.number}
                </button>
                <time className={styles.time} dateTime={line.at}>
                  {line.at.slice(11, 23)}
                </time>
                {withSteps ? (
                  <span className={styles.step} title={`${line.asset} ${line.partition}`}>
                    {line.asset.slice(line.asset.indexOf("/") + 1)} {line.partition}
                  </span>
                ) : null}
                <span className={styles.text}>{line.text}</span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
