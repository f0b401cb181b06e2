import { Chart } from "./chart.tsx";
import type { ChartValue } from "./chart-value.ts";

/** A chart that was reported: series over labels. */
export default function LabeledChart({ type, labels, series }: ChartValue) {
  return (
    <Chart
      label={`chart of ${series.map(({ name }) => name).join(", ")}`}
      type={type}
      xs={labels.map((_, i) => i)}
      time={false}
      xText={(x) => labels[x] ?? ""}
      series={series}
    />
  );
}
