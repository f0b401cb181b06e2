import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { type ApiClient, apiClient } from "../../control-plane/src/cli/api-client.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../control-plane/src/storage/embedded-postgres.ts";
import { HeadgateProcess, runHeadgate } from "../support/headgate-process.ts";
import { until } from "../support/until.ts";
import type { BenchOptions } from "./benchmark.ts";
import { type Usage, childrenOf, usageOf, usageOfTree } from "./process-usage.ts";

export interface BenchLocation {
  /** Also its team, and the folder below test/bench/locations. */
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What was used and written up to a moment; two of them tell of what lies between. */
export interface Snapshot {
  readonly atMs: number;
  /** By process: "daemon", "api", "postgres", a location's name, and "<location> workers". */
  readonly usage: Readonly<Record<string, Usage>>;
  /** Transactions of the database, reading ones too, without the harness's own. Up to 10 s late: see `settleCounters`. */
  readonly transactions: number;
  /** Times that the log was forced to disk; equally late. */
  readonly walSyncs: number;
}

const profiler = new URL("cpu-profile.mjs", import.meta.url).href;
const readyWithinMs = 120_000;
const runWithinMs = 600_000;
/** A backend that idles tells what it counted after ten seconds. */
const countersLateMs = 12_000;

/**
 * Headgate as in production, of real processes on a Postgres of its own in a temporary folder: `migrate`, then `daemon`,
 * `api` and a `serve` for each location. Settings are the product's, so commits are durable.
 */
export class BenchDeployment {
  readonly api: ApiClient;
  readonly postgresVersion: string;
  readonly #folder: string;
  readonly #postgres: EmbeddedPostgres;
  readonly #client: pg.Client;
  readonly #processes: ReadonlyMap<string, HeadgateProcess>;
  readonly #locations: ReadonlySet<string>;
  #ownTransactions = 0;

  private constructor(
    folder: string,
    postgres: EmbeddedPostgres,
    client: pg.Client,
    postgresVersion: string,
    apiPort: number,
    processes: ReadonlyMap<string, HeadgateProcess>,
    locations: readonly BenchLocation[],
  ) {
    this.#locations = new Set(locations.map(({ name }) => name));
    this.#folder = folder;
    this.#postgres = postgres;
    this.#client = client;
    this.postgresVersion = postgresVersion;
    this.#processes = processes;
    this.api = apiClient({ HEADGATE_URL: `http://127.0.0.1:${apiPort}` });
  }

  static async start(
    locations: readonly BenchLocation[],
    { profiles, signal }: Pick<BenchOptions, "profiles" | "signal">,
  ): Promise<BenchDeployment> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "headgate-bench-")));
    const processes = new Map<string, HeadgateProcess>();
    const profiling: Record<string, string> =
      profiles === undefined ? {} : { HEADGATE_BENCH_PROFILES: profiles, NODE_OPTIONS: `--import ${profiler}` };
    const postgres = await startEmbeddedPostgres({ dataDir: join(folder, "data") });
    const client = new pg.Client({ connectionString: postgres.url, application_name: "headgate bench" });
    try {
      await client.connect();
      const version = await client.query<{ version: string }>("select current_setting('server_version') as version");
      const [apiPort, ...ports] = await freePorts(locations.length + 1);
      const workspace = join(folder, "workspace.yaml");
      writeFileSync(workspace, workspaceText(locations, ports));
      const env = { HEADGATE_DATABASE_URL: postgres.url, HEADGATE_LOG_LEVEL: "error", ...profiling };
      const options = { cwd: folder, env };
      const migrated = await runHeadgate(["migrate"], options);
      if (migrated.status !== 0) throw new Error(`headgate migrate: ${migrated.stdout}\n${migrated.stderr}`);
      for (const [index, location] of locations.entries()) {
        const module = fileURLToPath(new URL(`locations/${location.name}`, import.meta.url));
        const args = ["serve", module, "--port", String(ports[index]), "--location-name", location.name];
        processes.set(
          location.name,
          new HeadgateProcess(args, { cwd: folder, env: { ...location.env, ...profiling } }),
        );
      }
      await Promise.all([...processes.values()].map((serving) => serving.said(/Serving /)));
      processes.set("daemon", new HeadgateProcess(["daemon", "--workspace", workspace], options));
      processes.set("api", new HeadgateProcess(["api", "--workspace", workspace, "--port", String(apiPort)], options));
      await processes.get("daemon")?.said(/Headgate daemon started/);
      await processes.get("api")?.said(/Headgate API at /);
      const postgresVersion = version.rows[0]?.version ?? "";
      const deployment = new BenchDeployment(
        folder,
        postgres,
        client,
        postgresVersion,
        apiPort ?? 0,
        processes,
        locations,
      );
      // Ends the wait for whatever was being measured; that failure leads to `stop`.
      signal.addEventListener("abort", () => void client.end(), { once: true });
      await Promise.all(locations.map(({ name }) => deployment.#healthy(name)));
      return deployment;
    } catch (error) {
      const said = [...processes.values()].map((process) => process.describe()).join("\n");
      await end(folder, postgres, client, processes);
      throw new Error(`The deployment did not start.\n${said}`, { cause: error });
    }
  }

  async #healthy(location: string): Promise<void> {
    const probe = async () => (await this.api.get("getLocation", `/locations/${location}`)).state === "healthy";
    await until(`location ${location} is healthy`, probe, readyWithinMs);
  }

  /** Launches a run as a user does, and returns its id. */
  async launch(selection: string): Promise<string> {
    return (await this.api.send("createRun", "POST", "/runs", { body: { selection } })).id;
  }

  /** Resolves once the run has ended; looks so seldom that looking costs nothing. Throws unless it succeeded. */
  async succeeded(run: string): Promise<void> {
    const deadline = performance.now() + runWithinMs;
    for (;;) {
      const [row] = await this.query<{ state: string }>(
        "select state from runs where id = $1 and ended_at is not null",
        [run],
      );
      if (row?.state === "succeeded") return;
      if (row !== undefined) throw new Error(`Run ${run} ended ${row.state}.\n${this.#said()}`);
      if (performance.now() > deadline) throw new Error(`Run ${run} has not ended after 10 minutes.\n${this.#said()}`);
      await delay(200);
    }
  }

  /** Runs a selection to its end; retried while the control plane's graph does not have the assets yet. */
  async warmUp(selection: string): Promise<void> {
    await this.succeeded(await until(`${selection} can be launched`, () => this.launch(selection)));
  }

  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    this.#ownTransactions++;
    return (await this.#client.query<Row>(text, [...values])).rows;
  }

  /** Waits until what Postgres's backends have counted so far is in its counters. */
  async settleCounters(): Promise<void> {
    await delay(countersLateMs);
  }

  async snapshot(): Promise<Snapshot> {
    const usage: Record<string, Usage> = { postgres: usageOfTree(this.#postgres.pid) };
    for (const [name, { pid }] of this.#processes) {
      usage[name] = usageOf(pid);
      // Only a location has workers: another process's child is what built the sources that changed.
      const workers = this.#locations.has(name) ? childrenOf(pid).map(usageOf) : [];
      if (workers.length > 0) usage[`${name} workers`] = workers.reduce(plus);
    }
    const atMs = performance.now();
    await this.query("select pg_stat_force_next_flush()");
    const [row] = await this.query<{ transactions: string; syncs: string }>(
      `select xact_commit + xact_rollback as transactions,
         (select coalesce(sum(fsyncs), 0) from pg_stat_io where object = 'wal') as syncs
       from pg_stat_database where datname = current_database()`,
    );
    // The statement that counts is not over when it counts.
    const transactions = Number(row?.transactions) - this.#ownTransactions + 1;
    return { atMs, usage, transactions, walSyncs: Number(row?.syncs) };
  }

  /** From here on, processes that were started with `profiles` record where their time goes. */
  startProfiles(): void {
    for (const { pid } of this.#processes.values()) {
      for (const each of [pid, ...childrenOf(pid)]) process.kill(each, "SIGUSR2");
    }
  }

  async stop(): Promise<void> {
    await end(this.#folder, this.#postgres, this.#client, this.#processes);
  }

  #said(): string {
    return [...this.#processes.values()].map((process) => process.describe()).join("\n");
  }
}

function plus(a: Usage, b: Usage): Usage {
  return {
    cpuMs: a.cpuMs + b.cpuMs,
    writes: a.writes + b.writes,
    peakBytes: a.peakBytes + b.peakBytes,
    proportionalBytes: a.proportionalBytes + b.proportionalBytes,
  };
}

async function end(
  folder: string,
  postgres: EmbeddedPostgres,
  client: pg.Client,
  processes: ReadonlyMap<string, HeadgateProcess>,
): Promise<void> {
  const running = [...processes.values()].filter((process) => !process.isOver);
  await Promise.allSettled(running.map((process) => process.end("SIGTERM", 5_000)));
  await client.end().catch(() => undefined);
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}

function workspaceText(locations: readonly BenchLocation[], ports: readonly number[]): string {
  const entries = locations.map(
    ({ name }, index) =>
      `  - grpc_server: { host: 127.0.0.1, port: ${String(ports[index])}, location_name: ${name} }\n`,
  );
  return `load_from:\n${entries.join("")}`;
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
