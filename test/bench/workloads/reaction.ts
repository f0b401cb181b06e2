import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../support/until.ts";
import { BenchDeployment } from "../bench-deployment.ts";
import type { BenchOptions, Benchmark } from "../benchmark.ts";
import { quantile } from "../quantile.ts";

const reactionsDefault = 100;
/** Longer than a reaction takes, so that looking for its end does not disturb it. */
const lookAfterMs = 40;

/** B8: from a validated version to the entry of compute in another team's location. */
export const reaction: Benchmark = {
  id: "B8",
  title: "an upstream version is validated, and another team's compute is entered",
  async run(options) {
    const reactions = options.assets ?? reactionsDefault;
    const sources = reactions * (options.runs + 1);
    const env = { HEADGATE_BENCH_ASSETS: String(sources) };
    const locations = ["source", "reader"].map((name) => ({ name, env }));
    const headgate = await BenchDeployment.start(locations, options);
    try {
      await headgate.warmUp("source/step or reader/step");
      const inRun = await measureInRun(headgate, reactions, options);
      const automated = await measureAutomated(headgate, reactions, options);
      const quantiles = (batches: readonly (readonly number[])[], q: number) =>
        batches.map((batch) => quantile(batch, q));
      return {
        figures: [
          {
            name: "reaction p50, by a condition",
            unit: "ms",
            values: quantiles(automated, 0.5),
            goal: { kind: "atMost", value: 6 },
          },
          {
            name: "reaction p99, by a condition",
            unit: "ms",
            values: quantiles(automated, 0.99),
            goal: { kind: "atMost", value: 30 },
          },
          { name: "reaction p50, in one run", unit: "ms", values: quantiles(inRun, 0.5) },
          { name: "reaction p99, in one run", unit: "ms", values: quantiles(inRun, 0.99) },
        ],
        notes: [
          `${reactions} reactions, ${options.runs} times after once to warm up; ${sources} conditions in the graph`,
          "from the time of the upstream step's event, which is before its commit, to the entry of compute",
        ],
        versions: { postgres: headgate.postgresVersion },
        raw: { automated, inRun },
      };
    } finally {
      await headgate.stop();
    }
  },
};

/** Both assets in one run, again and again; the first batch warms up. */
async function measureInRun(headgate: BenchDeployment, reactions: number, options: BenchOptions): Promise<number[][]> {
  const batches: number[][] = [];
  for (let batch = 0; batch <= options.runs; batch++) {
    const times: number[] = [];
    for (let n = 0; n < reactions; n++) {
      const run = await headgate.launch("source/step or reader/step");
      times.push(await reactionTo(headgate, "source/step", "reader/step", run));
    }
    batches.push(times);
  }
  options.say("in one run: done");
  return batches.slice(1);
}

/** Each upstream asset is materialized once, and its reader's condition answers with a run of its own. */
async function measureAutomated(
  headgate: BenchDeployment,
  reactions: number,
  options: BenchOptions,
): Promise<number[][]> {
  const batches: number[][] = [];
  for (let batch = 0; batch <= options.runs; batch++) {
    const times: number[] = [];
    for (let n = 0; n < reactions; n++) {
      const name = `a${String(batch * reactions + n).padStart(5, "0")}`;
      await headgate.launch(`source/${name}`);
      times.push(await reactionTo(headgate, `source/${name}`, `reader/${name}`));
    }
    batches.push(times);
  }
  options.say("by a condition: done");
  return batches.slice(1);
}

/** Milliseconds between the two, once the reader has its version; in the given run, or in whatever run made it. */
async function reactionTo(headgate: BenchDeployment, upstream: string, reader: string, run?: string): Promise<number> {
  const look = async () => {
    await delay(lookAfterMs);
    const [row] = await headgate.query<{ ms: number }>(
      `select (v.metadata -> 0 ->> 'value')::float8 - extract(epoch from e.at)::float8 * 1000 as ms
       from versions v
       join versions u on u.id = (v.inputs -> 0 -> 'versions' -> 0 ->> 'id')::uuid
       join events e on e.seq = u.seq
       where v.asset_key = $2 and u.asset_key = $1 and ($3::uuid is null or v.run_id = $3)`,
      [upstream, reader, run ?? null],
    );
    return row?.ms;
  };
  return until(`${reader} has read ${upstream}`, look);
}
