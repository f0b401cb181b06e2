import { useEffect, useRef } from "react";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { readColor } from "../style/read-color.ts";
import { useSettings } from "../settings/settings.ts";
import styles from "./metadata.module.css";

export interface ChartSeries {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

const colors = ["--accent", "--passed", "--warning", "--failed", "--blocked", "--running"] as const;
const heightPx = 150;

/** Figures over positions of equal distance, or over time; as wide as there is room, in the colours of the theme. */
export function Chart(props: {
  readonly label: string;
  readonly type: "line" | "bar";
  /** Unix seconds, or positions from 0. */
  readonly xs: readonly number[];
  readonly time: boolean;
  readonly xText?: (x: number) => string;
  readonly series: readonly ChartSeries[];
}) {
  const { label, type, xs, time, xText, series } = props;
  const { theme } = useSettings();
  const box = useRef<HTMLDivElement>(null);
  const shape = JSON.stringify([type, xs, time, series]);
  useEffect(() => {
    const at = box.current;
    if (at === null) return;
    const text = readColor("--text-muted");
    const line = readColor("--line");
    const axis = {
      stroke: text,
      grid: { stroke: line, width: 1 },
      ticks: { stroke: line, width: 1 },
      font: "11px Inter Variable",
    };
    const plot = new UPlot(
      {
        width: at.clientWidth,
        height: heightPx,
        scales: { x: { time } },
        legend: { show: series.length > 1 },
        cursor: { points: { size: 6 } },
        axes: [
          xText === undefined ? axis : { ...axis, values: (_, ticks) => ticks.map((x) => xText(x)) },
          { ...axis, size: 60 },
        ],
        series: [
          {},
          ...series.map(({ name }, i) => {
            const stroke = readColor(colors[i % colors.length] ?? "--accent");
            const bars = type === "bar" ? UPlot.paths.bars?.({ size: [0.6, 60] }) : undefined;
            return {
              label: name,
              stroke,
              width: 1.5,
              points: { size: 4 },
              ...(bars === undefined ? {} : { fill: stroke, paths: bars }),
            };
          }),
        ],
      },
      [[...xs], ...series.map(({ values }) => [...values])],
      at,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: at.clientWidth, height: heightPx }));
    observer.observe(at);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
    // `shape` stands for what is drawn; the theme changes the colours.
  }, [shape, theme]);
  return <div ref={box} role="img" aria-label={label} className={styles.chart} />;
}
