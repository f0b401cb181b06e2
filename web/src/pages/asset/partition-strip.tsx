import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Answered } from "../../api/answers.ts";
import { query } from "../../api/queries.ts";
import { Answer } from "../../parts/answer.tsx";
import { Button } from "../../parts/button.tsx";
import { classes } from "../../parts/classes.ts";
import { inWords, partitionLooks } from "../../status/status-dictionary.ts";
import { StatusGlyph } from "../../status/status-glyph.tsx";
import styles from "./asset-page.module.css";

/** How many partitions are shown by key at once; the strip above them shows all. */
const pageSize = 62;

/** The partitions in their order: all of them as one strip of statuses, a stretch of them by key. */
export function PartitionStrip(props: {
  readonly asset: string;
  readonly chosen: string | undefined;
  readonly choose: (partition: string | undefined) => void;
}) {
  const { asset, chosen, choose } = props;
  const [page, setPage] = useState<number>();
  const start = page ?? 0;
  const partitions = useQuery(
    query("getPartitions", { params: { key: asset }, query: { start: start * pageSize, keys: pageSize } }),
  );
  return (
    <Answer of={partitions}>
      {({ count, runs, keys }) => (
        <section className={styles.strip} aria-label="Partitions">
          {count <= pageSize ? null : (
            <>
              <Track runs={runs} count={count} jump={(ordinal) => setPage(Math.floor(ordinal / pageSize))} />
              <div className={styles.stripHead}>
                <span>
                  {start * pageSize + 1} to {Math.min(count, (start + 1) * pageSize)} of {count} partitions
                </span>
                <span>
                  <Button disabled={start === 0} onClick={() => setPage(start - 1)}>
                    Earlier
                  </Button>{" "}
                  <Button disabled={(start + 1) * pageSize >= count} onClick={() => setPage(start + 1)}>
                    Later
                  </Button>
                </span>
              </div>
            </>
          )}
          <div className={styles.cells}>
            {keys.map(({ partition, status }) => (
              <button
                key={partition}
                type="button"
                className={classes(styles.cell, partition === chosen && styles.on)}
                aria-pressed={partition === chosen}
                title={inWords(status)}
                onClick={() => choose(partition === chosen ? undefined : partition)}
              >
                <StatusGlyph look={partitionLooks[status]} size={11} />
                {partition}
                <span className="visually-hidden"> {inWords(status)}</span>
              </button>
            ))}
          </div>
        </section>
      )}
    </Answer>
  );
}

type Runs = Answered<"getPartitions">["runs"];

/** All partitions side by side. What cannot be told apart by colour here is told by key below. */
function Track(props: { readonly runs: Runs; readonly count: number; readonly jump: (ordinal: number) => void }) {
  const { runs, count, jump } = props;
  return (
    <svg
      className={styles.track}
      viewBox={`0 0 ${count} 10`}
      preserveAspectRatio="none"
      aria-hidden="true"
      onClick={(event) => {
        const { left, width } = event.currentTarget.getBoundingClientRect();
        jump(Math.min(count - 1, Math.floor(((event.clientX - left) / width) * count)));
      }}
    >
      {runs.map(({ status, start, count: length, first, last }) => (
        <rect key={start} x={start} width={length} height="10" fill={`var(--${partitionLooks[status].tone})`}>
          <title>{`${first === last ? first : `${first} to ${last}`}: ${inWords(status)}`}</title>
        </rect>
      ))}
    </svg>
  );
}
