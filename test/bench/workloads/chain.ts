import { BenchDeployment } from "../bench-deployment.ts";
import type { BenchOptions, BenchResult, Benchmark, Figure } from "../benchmark.ts";
import { type HopCosts, measureHopCosts } from "../hop-costs.ts";
import { measureDagster } from "../peers/dagster.ts";
import { median, quantile, sum } from "../quantile.ts";
import { type RunTimings, readRunTimings } from "../run-timings.ts";

const assetsDefault = 1_000;

/** B1: dependent no-op assets in one run, each with a passing blocking check. */
export const chain: Benchmark = {
  id: "B1",
  title: "a chain of dependent no-op assets, one passing blocking check each",
  async run(options) {
    const assets = options.assets ?? assetsDefault;
    const { timings, costs, postgres } = await measure(assets, options);
    const p50s = timings.map((run) => quantile(run.hopsMs, 0.5));
    const figures: Figure[] = [
      { name: "hop p50", unit: "ms", values: p50s, goal: { kind: "atMost", value: 3 } },
      {
        name: "hop p99",
        unit: "ms",
        values: timings.map((run) => quantile(run.hopsMs, 0.99)),
        goal: { kind: "atMost", value: 12 },
      },
      { name: "run, start to end, an asset", unit: "ms", values: timings.map((run) => run.totalMs / run.steps) },
      {
        name: "events a hop",
        unit: "",
        values: timings.map((run) => run.stepEvents / run.steps),
        goal: { kind: "atMost", value: 2 },
      },
      {
        // N hops have N + 1 ends: the first lease is committed before there is anything to settle.
        name: "commits a hop, the first lease apart",
        unit: "",
        values: timings.map((run) => (run.commits - 1) / run.steps),
        goal: { kind: "atMost", value: 1 },
      },
      ...costs.figures,
    ];
    const notes = [`${assets} assets, ${options.runs} runs after one to warm up`, ...costs.notes];
    const raw = { assets, timings, costs: costs.raw };
    if (!options.peers) return { figures, notes, versions: { postgres }, raw };
    return withDagster({ figures, notes, versions: { postgres }, raw }, median(p50s), assets, options);
  },
};

async function measure(
  assets: number,
  { runs, profiles, signal, say }: BenchOptions,
): Promise<{ timings: RunTimings[]; costs: HopCosts; postgres: string }> {
  const env = { HEADGATE_BENCH_ASSETS: String(assets) };
  const headgate = await BenchDeployment.start([{ name: "chain", env }], { profiles, signal });
  try {
    await headgate.warmUp("chain/*");
    const timings: RunTimings[] = [];
    const costs = await measureHopCosts(headgate, assets * runs, async () => {
      if (profiles !== undefined) headgate.startProfiles();
      for (let n = 1; n <= runs; n++) {
        const run = await headgate.launch("chain/*");
        await headgate.succeeded(run);
        const timing = await readRunTimings(headgate, run);
        timings.push(timing);
        say(
          `run ${n}: p50 ${quantile(timing.hopsMs, 0.5).toFixed(2)} ms a hop, ${(timing.totalMs / 1_000).toFixed(2)} s`,
        );
      }
    });
    return { timings, costs, postgres: headgate.postgresVersion };
  } finally {
    await headgate.stop();
  }
}

/** The ratio to Dagster, which the goal is about where its storage is durable as ours is. */
async function withDagster(
  ours: BenchResult,
  oursMs: number,
  assets: number,
  options: BenchOptions,
): Promise<BenchResult> {
  const measured = await measureDagster(assets, options);
  if (measured.kind === "missing") return { ...ours, notes: [...ours.notes, measured.how] };
  const figures = [...ours.figures];
  for (const { name, runs: theirs, timesFasterAtLeast } of measured.modes) {
    const p50s = theirs.map((run) => median(run.hopsMs));
    figures.push({ name: `Dagster ${name}: hop p50`, unit: "ms", values: p50s });
    figures.push({
      name: `Dagster ${name}: run, start to end, an asset`,
      unit: "ms",
      values: theirs.map((run) => run.totalMs / (run.hopsMs.length + 1)),
    });
    figures.push({
      name: `times faster than Dagster ${name}`,
      unit: "×",
      values: [median(p50s) / oursMs],
      ...(timesFasterAtLeast === undefined ? {} : { goal: { kind: "atLeast", value: timesFasterAtLeast } as const }),
    });
  }
  const shapes = measured.modes.map(({ name, runs: theirs }) => {
    const steps = theirs.map((run) => run.hopsMs.length + 1);
    return `${name}: ${steps.length} × ${steps[0] ?? 0} assets, ${(sum(theirs.map((r) => r.totalMs)) / 1_000).toFixed(0)} s`;
  });
  return {
    figures,
    notes: [...ours.notes, `Dagster, by its own event log; ${shapes.join("; ")}`],
    versions: { ...ours.versions, ...measured.versions },
    raw: { ours: ours.raw, dagster: measured.modes },
  };
}
