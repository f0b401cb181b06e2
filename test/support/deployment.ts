import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import pg from "pg";
import { type ApiClient, apiClient, segment } from "../../control-plane/src/cli/api-client.ts";
import type { Answer, Routes } from "../../control-plane/src/http/contract.ts";
import { type CommandOutcome, HeadgateProcess, runHeadgate } from "./headgate-process.ts";
import { markedProcesses, markName } from "./process-census.ts";
import { until } from "./until.ts";

export type DeploymentKind = "dev" | "split";
export const deploymentKinds = ["dev", "split"] as const satisfies readonly DeploymentKind[];

export type Run = Answer<Routes["getRun"]>;
export type Version = Answer<Routes["getVersion"]>;
export type Location = Answer<Routes["getLocation"]>;

/** One code location of the workspace under test. */
export interface LocationSetup {
  readonly name: string;
  /** Default: the location's name. */
  readonly team?: string;
  /** Folder with a definitions.ts. */
  readonly module: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The variable that gets the URL of a database of the location's own. */
  readonly database?: string;
  /** It loads its code again when a file changes; `dev` always does. */
  readonly watch?: boolean;
  /** Already deployed at this port by somebody else, whether it answers or not; `dev` does not start it either. */
  readonly port?: number;
}

export interface DeploymentOptions {
  readonly locations: readonly LocationSetup[];
  /** Lines of workspace.yaml under `teams:`. */
  readonly teams?: readonly string[];
}

const packages = fileURLToPath(new URL("../../node_modules", import.meta.url));

/**
 * A whole Headgate of real processes in a folder of its own, behind one interface whichever way it is deployed. What it
 * starts carries a mark, by which `stop` finds whatever was left behind.
 */
export abstract class Deployment {
  abstract readonly kind: DeploymentKind;
  readonly folder: string;
  readonly api: ApiClient;
  readonly url: string;
  readonly port: number;
  readonly mark = randomUUID();
  protected readonly options: DeploymentOptions;
  #pool: { readonly url: string; readonly pool: pg.Pool } | undefined;

  protected constructor(options: DeploymentOptions, port: number) {
    this.options = options;
    this.folder = deploymentFolder();
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.api = apiClient({ HEADGATE_URL: this.url });
  }

  /** Starts everything and resolves once it is ready. */
  abstract start(): Promise<void>;
  abstract databaseUrl(): string;
  /** The URL of the database of a location that asks for one. */
  abstract databaseOf(location: string): string;
  /** Kills what decides with SIGKILL: dev's process, or the daemon and the API. */
  abstract killControlPlane(): Promise<void>;
  abstract startControlPlane(): Promise<void>;
  /** Makes sure that a location which was killed is there again; `dev` sees to that itself. */
  abstract reviveLocation(name: string): Promise<void>;
  /** Kills Postgres's first process with SIGKILL. */
  abstract crashDatabase(): Promise<void>;
  /** Whoever runs the database starts it again; `dev` sees to that itself. */
  abstract reviveDatabase(): Promise<void>;
  /** Ends what the deployment started, in the orderly way. */
  protected abstract end(): Promise<void>;
  /** What its processes wrote, for messages. */
  abstract describe(): string;

  get objectStore(): string {
    return pathToFileURL(join(this.folder, "objects")).href;
  }

  get workspaceFile(): string {
    return join(this.folder, "workspace.yaml");
  }

  env(): Record<string, string> {
    return { [markName]: this.mark, HEADGATE_URL: this.url };
  }

  /** Runs a command as a user would, against this deployment. */
  cli(...args: string[]): Promise<CommandOutcome> {
    return runHeadgate(args, { cwd: this.folder, env: this.env() });
  }

  /** What a command with `--json` prints. */
  async json<T = never>(...args: string[]): Promise<T> {
    const { stdout, stderr } = await this.cli(...args, "--json");
    try {
      return JSON.parse(stdout) as T;
    } catch {
      throw new Error(`headgate ${args.join(" ")} --json printed no JSON:\n${stdout}\n${stderr}`);
    }
  }

  async query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    const url = this.databaseUrl();
    if (this.#pool?.url !== url) {
      await this.#pool?.pool.end();
      const pool = new pg.Pool({ connectionString: url, max: 1 });
      pool.on("error", () => undefined);
      this.#pool = { url, pool };
    }
    return (await this.#pool.pool.query<T>(text, values)).rows;
  }

  /**
   * Asks `probe` now and after every event of the log, until it answers something; follows the log anew when the
   * control plane was away. A slow look stands behind it, for what no event tells.
   */
  async until<T>(what: string, probe: () => Promise<T | undefined | false | null>, withinMs = 60_000): Promise<T> {
    const deadline = performance.now() + withinMs;
    const stop = new AbortController();
    let wake: () => void = () => undefined;
    const follow = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        try {
          for await (const _event of this.api.events({}, undefined, stop.signal)) wake();
        } catch {
          // Away: the slow look goes on.
        }
        await delay(100, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    };
    const following = follow();
    let failure: unknown;
    try {
      for (;;) {
        const news = new Promise<void>((resolve) => (wake = resolve));
        try {
          const answer = await probe();
          if (answer !== undefined && answer !== false && answer !== null) return answer;
          failure = undefined;
        } catch (error) {
          failure = error;
        }
        if (performance.now() > deadline) {
          throw new Error(`Waited ${withinMs} ms: ${what}\n${this.describe()}`, { cause: failure });
        }
        await Promise.race([news, delay(250)]);
      }
    } finally {
      stop.abort();
      await following;
    }
  }

  /** Launches a run and returns at once. */
  launch(selection: string, more: Readonly<Record<string, unknown>> = {}): Promise<Run> {
    return this.api.send("createRun", "POST", "/runs", { body: { selection, ...more }, idempotencyKey: randomUUID() });
  }

  /** Resolves with the run once it has ended. */
  ended(id: string, withinMs = 60_000): Promise<Run> {
    return this.until(
      `run ${id} has ended`,
      async () => {
        const run = await this.api.get("getRun", `/runs/${id}`);
        return run.endedAt === null ? undefined : run;
      },
      withinMs,
    );
  }

  steps(id: string): Promise<Answer<Routes["listSteps"]>["items"]> {
    return this.api.list("listSteps", `/runs/${id}/steps`);
  }

  /** Newest first. */
  versions(key: string, partition?: string): Promise<Version[]> {
    return this.api.list("listVersions", `/assets/${segment(key)}/versions`, { partition });
  }

  async newest(key: string, partition?: string): Promise<Version> {
    const [version] = await this.versions(key, partition);
    if (version === undefined) throw new Error(`${key} ${partition ?? ""} has no version`);
    return version;
  }

  why(key: string, partition?: string): Promise<Answer<Routes["why"]>> {
    return this.api.get("why", `/why/${segment(key)}`, { partition });
  }

  location(name: string): Promise<Location> {
    return this.api.get("getLocation", `/locations/${segment(name)}`);
  }

  /** Resolves once the location is healthy: with another process than `notPid`, if one is given. */
  healthy(name: string, notPid?: number): Promise<Location> {
    return this.until(`location ${name} is healthy`, async () => {
      const location = await this.location(name);
      return location.state === "healthy" && location.pid !== null && location.pid !== notPid && location;
    });
  }

  /** Kills the serving process with SIGKILL; its workers follow by themselves. Returns its number. */
  async killLocation(name: string): Promise<number> {
    const { pid } = await this.location(name);
    if (pid === null) throw new Error(`location ${name} has no process`);
    process.kill(pid, "SIGKILL");
    return pid;
  }

  /** The history checker finds nothing wrong. */
  async verify(): Promise<void> {
    const env = { ...this.env(), HEADGATE_DATABASE_URL: this.databaseUrl() };
    const outcome = await runHeadgate(["verify"], { cwd: this.folder, env });
    if (outcome.status !== 0) throw new Error(`headgate verify: ${outcome.stdout}\n${outcome.stderr}`);
  }

  /** Ends everything, removes the folder, and fails if a process was left behind. */
  async stop(): Promise<void> {
    await this.#pool?.pool.end();
    const ended = await this.end().then(
      () => undefined,
      (error: unknown) => error ?? "end() failed",
    );
    // What was told to end by something that has ended itself may take a moment.
    const gone = await until("every process is gone", () => markedProcesses(this.mark).length === 0, 3_000).catch(
      () => false,
    );
    const left = gone ? [] : markedProcesses(this.mark);
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
    if (ended !== undefined) throw new Error(`${this.kind} did not end in an orderly way`, { cause: ended });
    if (left.length > 0) {
      const named = left.map(({ pid, command }) => `${pid} ${command}`).join("\n");
      throw new Error(`These processes were left behind and had to be killed:\n${named}`);
    }
  }

  protected startHeadgate(args: readonly string[], env: Readonly<Record<string, string>> = {}): HeadgateProcess {
    return new HeadgateProcess(args, { cwd: this.folder, env: { ...this.env(), ...env } });
  }

  /** Ready to answer, and no location is still loading. */
  protected async answersReady(process: HeadgateProcess): Promise<void> {
    await until(
      `${this.url} is ready`,
      async () => {
        if (process.isOver) return true;
        return (await fetch(`${this.url}/readyz`)).status === 200;
      },
      60_000,
    );
    if (process.isOver) throw new Error(`It ended: ${process.describe()}`);
  }
}

/** Where a test may keep files and copies of code: packages resolve from there as in the repository. */
function deploymentFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "headgate-e2e-")));
  // The account that runs Postgres has to get to its cluster.
  chmodSync(folder, 0o755);
  symlinkSync(packages, join(folder, "node_modules"));
  mkdirSync(join(folder, "objects"));
  return folder;
}

export function writeWorkspace(file: string, teams: readonly string[], entries: readonly string[]): void {
  const teamLines = teams.length === 0 ? [] : ["teams:", ...teams.map((line) => `  ${line}`)];
  writeFileSync(file, [...teamLines, "load_from:", ...entries.map((entry) => `  - ${entry}`), ""].join("\n"));
}

export function deployedEntry({ name, team }: LocationSetup, port: number): string {
  return `grpc_server: { host: 127.0.0.1, port: ${port}, location_name: ${name}, team: ${team ?? name} }`;
}
