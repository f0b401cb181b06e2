import { join } from "node:path";
import { startEmbeddedPostgres } from "../../control-plane/src/storage/embedded-postgres.ts";
import { deployedEntry, Deployment, type DeploymentOptions, writeWorkspace } from "./deployment.ts";
import { freePort } from "./free-port.ts";
import { type HeadgateProcess, runHeadgate } from "./headgate-process.ts";
import { type OrdinaryPostgres, ordinaryPostgresFolder, startOrdinaryPostgres } from "./ordinary-postgres.ts";

/**
 * As in production: `migrate`, then `api`, `daemon` and a `serve` for each location as processes of their own, on a
 * Postgres that is not ours: 15 where it is installed, else the embedded one started as a plain server.
 */
export class SplitDeployment extends Deployment {
  readonly kind = "split";
  readonly #ports: ReadonlyMap<string, number>;
  readonly #locations = new Map<string, HeadgateProcess>();
  readonly #daemons: HeadgateProcess[] = [];
  #postgres: OrdinaryPostgres | undefined;
  #api: HeadgateProcess | undefined;

  private constructor(options: DeploymentOptions, port: number, ports: ReadonlyMap<string, number>) {
    super(options, port);
    this.#ports = ports;
  }

  static async create(options: DeploymentOptions): Promise<SplitDeployment> {
    const ports = new Map<string, number>();
    for (const { name, port } of options.locations) ports.set(name, port ?? (await freePort()));
    const deployment = new SplitDeployment(options, await freePort(), ports);
    const entries = options.locations.map((location) => deployedEntry(location, ports.get(location.name) ?? 0));
    writeWorkspace(deployment.workspaceFile, options.teams ?? [], entries);
    return deployment;
  }

  databaseUrl(): string {
    if (this.#postgres === undefined) throw new Error("there is no database yet");
    return this.#postgres.url;
  }

  async start(): Promise<void> {
    this.#postgres = await startPostgres(join(this.folder, "server"));
    const ours = this.options.locations.filter(({ port }) => port === undefined);
    const locations = Promise.all(ours.map(({ name }) => this.reviveLocation(name)));
    const env = { ...this.env(), HEADGATE_DATABASE_URL: this.databaseUrl() };
    const migrated = await runHeadgate(["migrate"], { cwd: this.folder, env });
    if (migrated.status !== 0) throw new Error(`headgate migrate: ${migrated.stdout}\n${migrated.stderr}`);
    await Promise.all([locations, this.startControlPlane()]);
  }

  async startControlPlane(): Promise<void> {
    await Promise.all([this.startDaemon(), this.startApi()]);
  }

  async startApi(): Promise<void> {
    this.#api = this.startHeadgate(
      ["api", "--workspace", this.workspaceFile, "--port", String(this.port)],
      this.#own(),
    );
    await this.#api.said(/Headgate API at /);
    await this.answersReady(this.#api);
  }

  /** One more daemon. */
  async startDaemon(): Promise<HeadgateProcess> {
    const daemon = this.startHeadgate(["daemon", "--workspace", this.workspaceFile], this.#own());
    this.#daemons.push(daemon);
    await daemon.said(/Headgate daemon started/);
    return daemon;
  }

  async killControlPlane(): Promise<void> {
    await Promise.all([this.killApi(), ...this.#daemons.splice(0).map((daemon) => daemon.end("SIGKILL"))]);
  }

  async killApi(): Promise<void> {
    await this.#api?.end("SIGKILL");
    this.#api = undefined;
  }

  async crashDatabase(): Promise<void> {
    await this.#postgres?.crash();
  }

  async reviveDatabase(): Promise<void> {
    await this.#postgres?.startAgain();
  }

  /** Starts the location's process, at its port; one that was killed a moment ago is waited for. */
  async reviveLocation(name: string): Promise<void> {
    const running = this.#locations.get(name);
    await running?.exited;
    const setup = this.options.locations.find((location) => location.name === name);
    if (setup === undefined) throw new Error(`there is no location ${name}`);
    const { module, team = name, env = {}, watch, database } = setup;
    const args = ["serve", module, "--port", String(this.#ports.get(name)), "--location-name", name, "--team", team];
    if (watch === true) args.push("--watch");
    const location = this.startHeadgate(args, {
      HEADGATE_OBJECT_STORE: this.objectStore,
      ...(database === undefined ? {} : { [database]: await this.#makeDatabase(name) }),
      ...env,
    });
    this.#locations.set(name, location);
    await location.said(/Serving /);
  }

  describe(): string {
    const all = [this.#api, ...this.#daemons, ...this.#locations.values()];
    return all.map((process) => process?.describe() ?? "").join("\n");
  }

  protected async end(): Promise<void> {
    const processes = [...this.#locations.values(), ...this.#daemons, ...(this.#api === undefined ? [] : [this.#api])];
    const running = processes.filter((process) => !process.isOver);
    const outcomes = await Promise.allSettled(running.map((process) => process.end("SIGTERM")));
    await this.#postgres?.stop();
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw new Error("a process did not end", { cause: failed.reason });
  }

  databaseOf(location: string): string {
    return Object.assign(new URL(this.databaseUrl()), { pathname: `/of_${location}` }).href;
  }

  /** As an administrator would set it up; whose role it is does not matter to a test. */
  async #makeDatabase(location: string): Promise<string> {
    const there = await this.query("select 1 from pg_database where datname = $1", [`of_${location}`]);
    if (there.length === 0) await this.query(`create database of_${location}`);
    return this.databaseOf(location);
  }

  #own(): Record<string, string> {
    return { HEADGATE_DATABASE_URL: this.databaseUrl() };
  }
}

async function startPostgres(dataDir: string): Promise<OrdinaryPostgres> {
  const installed = ordinaryPostgresFolder(15);
  if (installed !== undefined) return startOrdinaryPostgres(installed);
  let server = await startEmbeddedPostgres({ dataDir });
  return {
    url: server.url,
    crash: async () => {
      process.kill(server.pid, "SIGKILL");
      await server.leave();
    },
    startAgain: async () => {
      server = await startEmbeddedPostgres({ dataDir, port: server.port });
    },
    stop: () => server.stop(),
  };
}
