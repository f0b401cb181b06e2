import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import { classes } from "./classes.ts";
import styles from "./data-table.module.css";

export interface Column<Row> {
  readonly name: string;
  /** A track of a CSS grid, such as `8rem` or `minmax(12rem, 1fr)`. */
  readonly width: string;
  readonly align?: "right";
  readonly cell: (row: Row) => ReactNode;
}

const estimatedRowPx = 29;

/**
 * A table of any length: only the rows in view are drawn. Arrow keys, or `j` and `k`, go from row to row and Enter
 * opens one; `reachEnd` is called when the last row comes into view.
 */
export function DataTable<Row>(props: {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly open?: (row: Row) => void;
  readonly reachEnd?: () => void;
}) {
  const { label, columns, rows, keyOf, open, reachEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => estimatedRowPx,
    overscan: 12,
    getItemKey: (i) => keyOf(rows[i] as Row),
  });
  const items = virtual.getVirtualItems();
  const atEnd = (items.at(-1)?.index ?? -1) >= rows.length - 1;
  useEffect(() => {
    if (atEnd) reachEnd?.();
  }, [atEnd, rows.length, reachEnd]);
  const grid = { gridTemplateColumns: columns.map(({ width }) => width).join(" ") };
  return (
    <div ref={scroller} className={styles.scroller}>
      <div
        role="table"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        className={styles.table}
        onKeyDown={(event) => moveFocus(event)}
      >
        <div role="rowgroup" className={styles.head}>
          <div role="row" className={styles.row} style={grid}>
            {columns.map(({ name, align }) => (
              <div key={name} role="columnheader" className={classes(align === "right" && styles.right)}>
                {name}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" className={styles.body} style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, key, start }) => {
            const row = rows[index] as Row;
            return (
              <div
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                data-row
                role="row"
                aria-rowindex={index + 2}
                tabIndex={open === undefined ? undefined : 0}
                className={classes(styles.row, open !== undefined && styles.opens)}
                style={{ ...grid, transform: `translateY(${start}px)` }}
                onClick={(event) => {
                  if (!(event.target as Element).closest("a, button")) open?.(row);
                }}
                onKeyDown={(event) => {
                  if (event.key === "Enter" && event.target === event.currentTarget) open?.(row);
                }}
              >
                {columns.map(({ name, align, cell }) => (
                  <div key={name} role="cell" className={classes(align === "right" && styles.right)}>
                    {cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

const down = new Set(["ArrowDown", "j"]);
const up = new Set(["ArrowUp", "k"]);

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const row = (event.target as HTMLElement).closest<HTMLElement>("[data-row]");
  if (row === null || event.ctrlKey || event.metaKey || event.altKey) return;
  const by = down.has(event.key) ? 1 : up.has(event.key) ? -1 : 0;
  if (by === 0) return;
  event.preventDefault();
  const to = Number(row.dataset["index"]) + by;
  row.parentElement?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus();
}
