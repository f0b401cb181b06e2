/** What a benchmark is asked for on the command line. */
export interface BenchOptions {
  /** Assets of the workload instead of its own number: for a quick look. */
  readonly assets: number | undefined;
  /** Measured runs; the warm-up comes before them. */
  readonly runs: number;
  /** Whether peers are measured beside ours. */
  readonly peers: boolean;
  /** Folder for CPU profiles of Headgate's processes, while it works; undefined: none, since they cost time. */
  readonly profiles: string | undefined;
  /** Aborted when whoever waits gives up: what was started is ended then. */
  readonly signal: AbortSignal;
  /** A line for whoever waits. */
  readonly say: (line: string) => void;
}

export interface Goal {
  readonly kind: "atMost" | "atLeast";
  readonly value: number;
}

/** One thing that was measured: a value a run, or one over all runs. */
export interface Figure {
  readonly name: string;
  /** "ms", "1/s", "×", "MB"; empty for a plain count. */
  readonly unit: string;
  readonly values: readonly number[];
  /** Compared with the median. */
  readonly goal?: Goal;
}

export interface BenchResult {
  readonly figures: readonly Figure[];
  /** What a reader of the figures has to know. */
  readonly notes: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  /** Kept in the results file, and nowhere shown. */
  readonly raw: unknown;
}

export interface Benchmark {
  /** As in the table of workloads, for example "B1". */
  readonly id: string;
  readonly title: string;
  run(options: BenchOptions): Promise<BenchResult>;
}
