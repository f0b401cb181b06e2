import type { BenchDeployment } from "./bench-deployment.ts";

/** One run as the event log tells it. */
export interface RunTimings {
  /** From its start to its end, in milliseconds. */
  readonly totalMs: number;
  /** Milliseconds between the ends of successive steps, in the order of the log. */
  readonly hopsMs: readonly number[];
  readonly steps: number;
  /** Events about its steps. */
  readonly stepEvents: number;
  /** Transactions that wrote at least one of them. */
  readonly commits: number;
}

/** Reads what a run that has ended left in the log. Times are those of the events, which the database's clock gives. */
export async function readRunTimings(headgate: BenchDeployment, run: string): Promise<RunTimings> {
  const [totals] = await headgate.query<{ total: number; events: string; commits: string; ends: number[] }>(
    // `at` in microseconds: a JavaScript date has milliseconds alone.
    `select
       (select extract(epoch from ended_at - started_at)::float8 * 1000 from runs where id = $1) as total,
       count(*) as events,
       count(distinct xmin::text) as commits,
       array_agg(extract(epoch from at)::float8 * 1000 order by seq) filter (where kind = 'step_succeeded') as ends
     from events where run_id = $1 and step_index is not null`,
    [run],
  );
  if (totals === undefined) throw new Error(`run ${run} left no event`);
  const { ends } = totals;
  return {
    totalMs: totals.total,
    hopsMs: ends.slice(1).map((end, index) => end - (ends[index] ?? end)),
    steps: ends.length,
    stepEvents: Number(totals.events),
    commits: Number(totals.commits),
  };
}
