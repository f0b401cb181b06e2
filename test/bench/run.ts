import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { BenchResult, Benchmark } from "./benchmark.ts";
import { figureTable } from "./figure-table.ts";

/*
 * `npm run bench` runs every benchmark there is and prints the goal beside the figure; `npm run bench -- B1 B3` those.
 * Raw figures go to test/bench/results. A benchmark is no test: the exit status does not depend on a time.
 */

const usage = `npm run bench -- [B1 B2 ...] [--assets N] [--runs N] [--no-peers] [--profile]`;

interface BuildModule {
  isStale(): boolean;
  build(): Promise<void>;
}

/** Before anything is imported that is measured: in-process workloads run what was built, as the processes do. */
async function buildIfStale(): Promise<void> {
  const script: string = new URL("../../build.mjs", import.meta.url).href;
  const { isStale, build } = (await import(script)) as BuildModule;
  if (isStale()) await build();
}

async function benchmarks(): Promise<readonly Benchmark[]> {
  const [{ chain }, { fanOut }, { planning }, { reaction }, { graph }] = await Promise.all([
    import("./workloads/chain.ts"),
    import("./workloads/fan-out.ts"),
    import("./workloads/planning.ts"),
    import("./workloads/reaction.ts"),
    import("./workloads/graph.ts"),
  ]);
  return [chain, fanOut, planning, reaction, graph];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      assets: { type: "string" },
      runs: { type: "string", default: "5" },
      "no-peers": { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
    },
  });
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => stopped.abort(new Error(`ended by ${signal}`)));
  }
  await buildIfStale();
  const all = await benchmarks();
  const stranger = positionals.find((id) => !all.some((benchmark) => benchmark.id === id));
  if (stranger !== undefined) {
    throw new Error(`There is no benchmark ${stranger}. There are ${all.map(({ id }) => id).join(", ")}. ${usage}`);
  }
  const chosen = positionals.length === 0 ? all : all.filter(({ id }) => positionals.includes(id));
  say(`${machine()}\n`);
  const results: (BenchResult & { id: string })[] = [];
  for (const benchmark of chosen) {
    say(`${benchmark.id}: ${benchmark.title}`);
    const loadBefore = loadText();
    const options = {
      assets: values.assets === undefined ? undefined : wholeNumber("--assets", values.assets),
      runs: wholeNumber("--runs", values.runs),
      peers: !values["no-peers"],
      profiles: values.profile ? await profilesFolder(benchmark.id) : undefined,
      signal: stopped.signal,
      say: (line: string) => say(`  ${line}`),
    };
    const result = await benchmark.run(options);
    const load = `load average ${loadBefore} before, ${loadText()} after`;
    for (const note of [...result.notes, load]) say(`  ${note}`);
    const versions = { node: process.version, headgate: headgateVersion(), ...result.versions };
    say(
      `  ${Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", ")}`,
    );
    const file = await keep(benchmark.id, { machine: machine(), load, ...result, versions });
    say(`  ${file}\n`);
    results.push({ ...result, id: benchmark.id });
  }
  say(figureTable(results));
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`${option} takes a whole number from 1. ${usage}`);
  return number;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function machine(): string {
  const gigabytes = Math.round(totalmem() / 1e9);
  return `${availableParallelism()} × ${cpus()[0]?.model ?? process.arch}, ${gigabytes} GB, ${process.platform}`;
}

function loadText(): string {
  return loadavg()
    .slice(0, 2)
    .map((load) => load.toFixed(2))
    .join(" ");
}

function headgateVersion(): string {
  const path = new URL("../../control-plane/package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version?: string }).version ?? "unreleased";
}

async function profilesFolder(id: string): Promise<string> {
  const folder = fileURLToPath(new URL(`results/${id}-profiles`, import.meta.url));
  await mkdir(folder, { recursive: true });
  say(`  profiles: ${folder}`);
  return folder;
}

/** Writes everything that was measured; returns the file. */
async function keep(id: string, everything: object): Promise<string> {
  const folder = fileURLToPath(new URL("results", import.meta.url));
  await mkdir(folder, { recursive: true });
  const measuredAt = new Date().toISOString();
  const file = `${folder}/${id}-${measuredAt.replaceAll(":", "")}.json`;
  await writeFile(file, `${JSON.stringify({ id, measuredAt, ...everything }, null, 2)}\n`);
  return file;
}

await main();
