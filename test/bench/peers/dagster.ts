import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BenchOptions } from "../benchmark.ts";

export interface PeerRun {
  readonly totalMs: number;
  readonly hopsMs: readonly number[];
}

export interface DagsterMode {
  readonly name: string;
  readonly runs: readonly PeerRun[];
  /** The goal of B1, where there is one. */
  readonly timesFasterAtLeast: number | undefined;
}

export type DagsterMeasurement =
  | { readonly kind: "measured"; readonly modes: readonly DagsterMode[]; readonly versions: Record<string, string> }
  /** It is not installed; `how` says what to type. */
  | { readonly kind: "missing"; readonly how: string };

const environmentName = "HEADGATE_BENCH_DAGSTER_VENV";
const script = fileURLToPath(new URL("dagster_chain.py", import.meta.url));
const deadlineMs = 300_000;

/** Chains of fewer assets than ours, because they take so long; a time an asset does not ask for more. */
const modes = [
  // Keeps its event log in memory, which nobody can run in production: no goal.
  { mode: "in-process-ephemeral", name: "in-process, log in memory", assets: 60, once: false, goal: undefined },
  { mode: "in-process-sqlite", name: "in-process", assets: 60, once: false, goal: 20 },
  { mode: "multiprocess", name: "default executor", assets: 20, once: true, goal: 200 },
] as const;

/** Runs the same chain in Dagster, one mode after the other; none longer than `assetsMax`. */
export async function measureDagster(
  assetsMax: number,
  { runs, say, signal }: Pick<BenchOptions, "runs" | "say" | "signal">,
): Promise<DagsterMeasurement> {
  const folder = process.env[environmentName] ?? join(tmpdir(), "dagster-venv");
  const python = join(folder, "bin", "python");
  if (!existsSync(python)) {
    const how = `Dagster is not measured: python3 -m venv ${folder} && ${join(folder, "bin", "pip")} install dagster (another folder: ${environmentName})`;
    return { kind: "missing", how };
  }
  const measured: DagsterMode[] = [];
  let versions: Record<string, string> = {};
  for (const { mode, name, assets, once, goal } of modes) {
    say(`Dagster ${name} …`);
    const answer = await runMode(python, [mode, Math.min(assets, assetsMax), once ? 1 : runs], signal);
    versions = answer.versions;
    measured.push({ name, runs: answer.runs, timesFasterAtLeast: goal });
  }
  return { kind: "measured", modes: measured, versions };
}

interface Answer {
  readonly versions: Record<string, string>;
  readonly runs: readonly PeerRun[];
}

async function runMode(python: string, args: readonly (string | number)[], signal: AbortSignal): Promise<Answer> {
  const env = { ...process.env, DAGSTER_DISABLE_TELEMETRY: "1" };
  const { stdout } = await promisify(execFile)(python, [script, ...args.map(String)], {
    env,
    signal,
    timeout: deadlineMs,
    maxBuffer: 256 * 1_048_576,
  });
  return JSON.parse(stdout) as Answer;
}
