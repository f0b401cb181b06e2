import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, processIdentity } from "../../control-plane/src/processes/process-identity.ts";
import { deployedEntry, Deployment, type DeploymentOptions, writeWorkspace } from "./deployment.ts";
import { freePort } from "./free-port.ts";
import { type CommandOutcome, type HeadgateProcess, runHeadgate } from "./headgate-process.ts";
import { until } from "./until.ts";

/** `headgate dev`: one process tree on the embedded Postgres, with a supervised process for each location. */
export class DevDeployment extends Deployment {
  readonly kind = "dev";
  #process: HeadgateProcess | undefined;

  static async create(options: DeploymentOptions): Promise<DevDeployment> {
    const deployment = new DevDeployment(options, await freePort());
    deployment.#writeWorkspace();
    return deployment;
  }

  get #dataDir(): string {
    return join(this.folder, ".headgate");
  }

  get #args(): string[] {
    return ["dev", "--workspace", this.workspaceFile, "--data-dir", this.#dataDir, "--port", String(this.port)];
  }

  #writeWorkspace(): void {
    const entries = this.options.locations.map((location) => {
      const { name, team = name, module, env = {}, port, database } = location;
      if (port !== undefined) return deployedEntry(location, port);
      const own = database === undefined ? "" : `, database: ${database}`;
      return `module: { path: ${module}, location_name: ${name}, team: ${team}, env: ${JSON.stringify(env)}${own} }`;
    });
    writeWorkspace(this.workspaceFile, this.options.teams ?? [], entries);
  }

  /** `dev --once` on the same data folder; only while nothing else runs there. */
  once(): Promise<CommandOutcome> {
    const env = { ...this.env(), HEADGATE_OBJECT_STORE: this.objectStore };
    return runHeadgate([...this.#args, "--once"], { cwd: this.folder, env, withinMs: 120_000 });
  }

  async start(): Promise<void> {
    await this.startControlPlane();
  }

  async startControlPlane(): Promise<void> {
    const dev = this.startHeadgate(this.#args, { HEADGATE_OBJECT_STORE: this.objectStore });
    this.#process = dev;
    await dev.said(/Headgate is at (\S+)/);
    await this.answersReady(dev);
  }

  async killControlPlane(): Promise<void> {
    await this.#process?.end("SIGKILL");
  }

  async reviveLocation(): Promise<void> {
    // The supervisor starts it again.
  }

  async crashDatabase(): Promise<void> {
    const postgres = this.#postgresIdentity();
    if (postgres === undefined) throw new Error("there is no Postgres to kill");
    process.kill(postgres.pid, "SIGKILL");
    await until("Postgres is gone", () => !isAlive(postgres));
  }

  async reviveDatabase(): Promise<void> {
    // `dev` starts it again.
  }

  databaseUrl(): string {
    const home = join(this.#dataDir, "postgres");
    const password = readFileSync(join(home, "password"), "utf8").trim();
    const port = readFileSync(join(home, "port"), "utf8").trim();
    return `postgres://headgate:${password}@127.0.0.1:${port}/headgate`;
  }

  databaseOf(location: string): string {
    const password = readFileSync(join(this.#dataDir, "postgres", `location-${location}.password`), "utf8").trim();
    const { host } = new URL(this.databaseUrl());
    return `postgres://location_${location}:${password}@${host}/location_${location}`;
  }

  describe(): string {
    return this.#process?.describe() ?? "not started";
  }

  protected async end(): Promise<void> {
    const postgres = this.#postgresIdentity();
    if (this.#process !== undefined && !this.#process.isOver) await this.#process.end("SIGTERM");
    if (postgres !== undefined) await until("the embedded Postgres has ended", () => !isAlive(postgres), 5_000);
  }

  #postgresIdentity() {
    try {
      const file = join(this.#dataDir, "postgres", "cluster", "postmaster.pid");
      return processIdentity(Number(readFileSync(file, "utf8").split("\n")[0]));
    } catch {
      return undefined;
    }
  }
}
