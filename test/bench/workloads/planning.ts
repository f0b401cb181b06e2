import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Benchmark } from "../benchmark.ts";
import type { PlanningTimes } from "./planning-process.ts";

const assetsDefault = 50_000;
const program = fileURLToPath(new URL("planning-process.ts", import.meta.url));

/** B3: the pure part of a launch, each time in a process of its own, so that nothing is warm. */
export const planning: Benchmark = {
  id: "B3",
  title: "build a large graph, plan all of it, and plan again after one materialization",
  async run({ assets = assetsDefault, runs, say }) {
    const times: PlanningTimes[] = [];
    for (let n = 0; n < runs; n++) times.push(await measureOnce(assets));
    const { edges = 0, locations = 0, replannedSteps = 0 } = times[0] ?? {};
    say(`${times.length} processes`);
    return {
      figures: [
        {
          name: "cold: graph and plan",
          unit: "ms",
          values: times.map((t) => t.buildMs + t.planMs),
          goal: { kind: "atMost", value: 300 },
        },
        { name: "cold: graph", unit: "ms", values: times.map((t) => t.buildMs) },
        { name: "cold: plan of every asset", unit: "ms", values: times.map((t) => t.planMs) },
        {
          name: "after one materialization: plan of its readers",
          unit: "ms",
          values: times.map((t) => t.replanMs),
          goal: { kind: "atMost", value: 2 },
        },
        { name: "warm: plan of every asset", unit: "ms", values: times.map((t) => t.planAgainMs) },
        { name: "memory: process", unit: "MB", values: times.map((t) => t.rssBytes / 1_000_000) },
      ],
      notes: [
        `${assets} assets, ${edges} edges, ${locations} locations; the second plan has ${replannedSteps} steps, the median of 20`,
      ],
      versions: {},
      raw: times,
    };
  },
};

async function measureOnce(assets: number): Promise<PlanningTimes> {
  // execArgv is inherited, and with it what lets Node run TypeScript.
  const child = fork(program, [String(assets)]);
  const answer = once(child, "message") as Promise<[PlanningTimes]>;
  const [code] = (await Promise.all([once(child, "exit"), Promise.race([answer, once(child, "exit")])]))[0] as [number];
  if (code !== 0) throw new Error(`the planning process ended with ${code}`);
  return (await answer)[0];
}
