import { focusLayout, groupedLayout } from "@headgate/layout";
import { randomGraph } from "../../support/random-graph.ts";
import type { Benchmark } from "../benchmark.ts";

const warmUps = 2;

/** B9: where the assets of a graph are drawn, computed in a process that has computed it before. */
export const layout: Benchmark = {
  id: "B9",
  title: "lay out graphs: assets in boxes of their teams, and some assets by themselves",
  async run({ runs, say }) {
    const grouped = [
      { assets: 5_000, teams: 20, value: 400 },
      { assets: 20_000, teams: 20, value: 1_200 },
      { assets: 20_000, teams: 1, value: 1_200 },
    ].map(({ assets, teams, value }) => {
      const graph = randomGraph(assets, teams);
      const values = timesOf(runs, () => groupedLayout(graph, graph.groups));
      const { width, height } = groupedLayout(graph, graph.groups);
      say(`${assets} assets of ${teams} teams, ${graph.edges.length} edges: ${width} × ${height}`);
      return {
        name: `${assets} assets of ${teams} ${teams === 1 ? "team" : "teams"}`,
        unit: "ms",
        values,
        goal: { kind: "atMost" as const, value },
      };
    });
    const few = randomGraph(250, 1);
    const focus = {
      name: "250 assets by themselves",
      unit: "ms",
      values: timesOf(runs, () => focusLayout(few)),
      goal: { kind: "atMost" as const, value: 25 },
    };
    return { figures: [focus, ...grouped], notes: [], versions: {}, raw: null };
  },
};

function timesOf(runs: number, work: () => unknown): number[] {
  for (let n = 0; n < warmUps; n++) work();
  return Array.from({ length: runs }, () => {
    const startedAt = performance.now();
    work();
    return performance.now() - startedAt;
  });
}
