import { BenchDeployment } from "../bench-deployment.ts";
import type { Benchmark } from "../benchmark.ts";
import { type RunTimings, readRunTimings } from "../run-timings.ts";

const widthDefault = 10_000;
const bytesPerMegabyte = 1_000_000;

/** B2: one root, many readers, and a sink that reads them all. */
export const fanOut: Benchmark = {
  id: "B2",
  title: "one root, many no-op assets that read it, one sink that reads those",
  async run({ assets: width = widthDefault, runs, profiles, signal, say }) {
    const env = { HEADGATE_BENCH_ASSETS: String(width) };
    const headgate = await BenchDeployment.start([{ name: "fan", env }], { profiles, signal });
    try {
      await headgate.warmUp("fan/root or fan/leaf000*");
      const before = await headgate.snapshot();
      if (profiles !== undefined) headgate.startProfiles();
      const timings: RunTimings[] = [];
      for (let n = 1; n <= runs; n++) {
        const run = await headgate.launch("fan/*");
        await headgate.succeeded(run);
        const timing = await readRunTimings(headgate, run);
        timings.push(timing);
        say(`run ${n}: ${(timing.totalMs / 1_000).toFixed(2)} s`);
      }
      const after = await headgate.snapshot();
      const rates = timings.map((run) => (run.steps * 1_000) / run.totalMs);
      const names = Object.keys(after.usage).sort();
      return {
        figures: [
          { name: "assets a second", unit: "1/s", values: rates, goal: { kind: "atLeast", value: 4_000 } },
          { name: "run, start to end", unit: "s", values: timings.map((run) => run.totalMs / 1_000) },
          { name: "commits a run", unit: "", values: timings.map((run) => run.commits) },
          ...names.map((name) => {
            const cpuMs = (after.usage[name]?.cpuMs ?? 0) - (before.usage[name]?.cpuMs ?? 0);
            return { name: `CPU a run: ${name}`, unit: "s", values: [cpuMs / 1_000 / runs] };
          }),
          ...names.map((name) => {
            const { peakBytes = 0, proportionalBytes = 0 } = after.usage[name] ?? {};
            const bytes = name === "postgres" ? proportionalBytes : peakBytes;
            return { name: `memory: ${name}`, unit: "MB", values: [bytes / bytesPerMegabyte] };
          }),
        ],
        notes: [`${width} readers, ${runs} runs after one of a hundred readers to warm up`],
        versions: { postgres: headgate.postgresVersion },
        raw: { width, timings, before, after },
      };
    } finally {
      await headgate.stop();
    }
  },
};
