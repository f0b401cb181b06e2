import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import type { ItemOf } from "../../api/answers.ts";
import { classes } from "../../parts/classes.ts";
import { durationText } from "../../parts/duration-text.ts";
import { useNow } from "../../parts/use-now.ts";
import { inWords, stepLooks } from "../../status/status-dictionary.ts";
import { StatusGlyph } from "../../status/status-glyph.tsx";
import { type GanttAxis, ganttAxis } from "./gantt-axis.ts";
import styles from "./gantt.module.css";

export type Step = ItemOf<"listSteps">;

const rowPx = 28;

/** The steps of a run in planned order, each with its time as a bar. A step that never started says why it did not. */
export function Gantt(props: {
  readonly steps: readonly Step[];
  readonly chosen: number | undefined;
  readonly choose: (index: number | undefined) => void;
}) {
  const { steps, chosen, choose } = props;
  const nowMs = useNow();
  const running = steps.some(({ startedAt, endedAt }) => startedAt !== null && endedAt === null);
  const untilMs = running ? nowMs : 0;
  const axis = useMemo(() => ganttAxis(steps.flatMap((step) => spanOf(step, untilMs))), [steps, untilMs]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: steps.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 10,
  });
  return (
    <div ref={scroller} className={styles.scroller}>
      <ol className={styles.rows} aria-label="Steps" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const step = steps[index] as Step;
          return (
            <li key={key} className={styles.row} style={{ transform: `translateY(${start}px)` }}>
              <button
                type="button"
                aria-pressed={chosen === step.index}
                className={classes(styles.step, chosen === step.index && styles.chosen)}
                onClick={() => choose(chosen === step.index ? undefined : step.index)}
              >
                <StatusGlyph look={stepLooks[step.state]} />
                <span className={styles.name}>
                  {step.kind === "checks" ? "checks of " : ""}
                  {step.asset} <span className={styles.partition}>{step.partition}</span>
                </span>
                <span className="visually-hidden">{inWords(step.state)}</span>
                <Bar step={step} axis={axis} untilMs={untilMs} />
              </button>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function spanOf({ startedAt, endedAt }: Step, nowMs: number) {
  if (startedAt === null) return [];
  const fromMs = Date.parse(startedAt);
  return [{ fromMs, toMs: Math.max(fromMs, endedAt === null ? nowMs : Date.parse(endedAt)) }];
}

function Bar({ step, axis, untilMs }: { readonly step: Step; readonly axis: GanttAxis; readonly untilMs: number }) {
  const [span] = spanOf(step, untilMs);
  if (span === undefined) {
    return (
      <span className={styles.lane}>{step.state === "blocked" ? <Blocked step={step} /> : inWords(step.state)}</span>
    );
  }
  const [from, to] = [axis.positionOf(span.fromMs), axis.positionOf(span.toMs)];
  const retries = step.attempts > 1 ? `, ${step.attempts} attempts` : "";
  return (
    <span className={styles.lane}>
      {axis.folds.map((fold) => (
        <span
          key={fold.from}
          className={styles.fold}
          title={`nothing happened for ${durationText(fold.ms)}`}
          style={{ left: place(fold.from), width: place(fold.to - fold.from) }}
        />
      ))}
      <span
        className={classes(styles.bar, styles[stepLooks[step.state].tone])}
        style={{ left: place(from), width: `max(3px, ${place(to - from)})` }}
      />
      <span className={styles.time} style={{ left: place(to, "0.5rem") }}>
        {durationText(span.toMs - span.fromMs)}
        {retries}
      </span>
    </span>
  );
}

/** A part of the axis. At its end there is room for what is written behind the last bar. */
function place(part: number, more = "0rem"): string {
  return `calc((100% - var(--behind)) * ${part} + ${more})`;
}

/** "Blocked" always names what blocks. */
function Blocked({ step }: { readonly step: Step }) {
  const [first] = step.reasons;
  return (
    <span className={styles.blocked} title={first?.message}>
      blocked{first === undefined ? "" : ` by ${first.asset} ${first.partition} ${first.check ?? inWords(first.kind)}`}
    </span>
  );
}
