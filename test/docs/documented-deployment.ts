import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ApiClient, apiClient } from "../../control-plane/src/cli/api-client.ts";
import type { Answer, Routes } from "../../control-plane/src/http/contract.ts";
import { freePort } from "../support/free-port.ts";
import { markedProcesses, markName } from "../support/process-census.ts";
import { until } from "../support/until.ts";
import { type FencedBlock, placeOf } from "./fenced-blocks.ts";
import { type KnownIds, outputProblem, withRealIds } from "./shown-output.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const withinMs = 60_000;

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How the reader starts Headgate, and what of it is carried out: what is to be installed before is. */
const starts = new Map([
  ["npm ci && npm start", "npm start --"],
  ["npx headgate dev", "npx headgate dev"],
]);

/**
 * A folder in which the blocks of a document are carried out as a reader would, in a shell: a copy of what a clone has,
 * or an empty one. `instead` has what stands in the document for something else here, such as a folder.
 */
export class DocumentedDeployment {
  readonly folder: string;
  readonly #instead: ReadonlyMap<string, string>;
  readonly #mark = randomUUID();
  readonly #ids: KnownIds = new Map();
  #started: ChildProcess | undefined;
  #said = "";
  #api: ApiClient | undefined;

  constructor(given: { readonly empty?: boolean; readonly instead?: ReadonlyMap<string, string> } = {}) {
    this.#instead = given.instead ?? new Map();
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), "headgate-docs-")));
    // The account that runs Postgres has to get to its cluster.
    chmodSync(this.folder, 0o755);
    if (given.empty === true) return;
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"));
    for (const file of ["package.json", "workspace.yaml"]) cpSync(join(root, file), join(this.folder, file));
    const filter = (source: string) => basename(source) !== "node_modules";
    cpSync(join(root, "code-locations"), join(this.folder, "code-locations"), { recursive: true, filter });
  }

  /** Carries out one block; `shown` is what the document says comes of it. */
  async carryOut(block: FencedBlock, shown: FencedBlock | undefined): Promise<void> {
    const { language, marks } = block;
    if (language === "sh" && marks.has("start")) await this.#start(block, shown);
    else if (language === "sh") await this.#run(block, shown);
    else if (language === "diff") await this.#edit(block);
    else this.write(marks.get("file") ?? "", `${block.text}\n`);
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.folder, file)), { recursive: true });
    writeFileSync(join(this.folder, file), text);
  }

  append(file: string, line: string): void {
    this.write(file, `${this.read(file).trimEnd()}\n${line}\n`);
  }

  /** Resolves once the location is healthy and its definitions are stored. */
  located(name: string): Promise<Answer<Routes["getLocation"]>> {
    return until(`location ${name} is loaded`, async () => {
      const location = await this.api.get("getLocation", `/locations/${name}`);
      return location.state === "healthy" && location.definitionsHash !== null && location;
    });
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), "utf8");
  }

  get api(): ApiClient {
    if (this.#api === undefined) throw new Error("no block has started Headgate");
    return this.#api;
  }

  async stop(): Promise<void> {
    const child = this.#started;
    if (child?.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    const gone = await until("everything has ended", () => markedProcesses(this.#mark).length === 0, 20_000).catch(
      () => false,
    );
    const left = gone ? [] : markedProcesses(this.#mark);
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`Left behind: ${left.map(({ command }) => command).join("\n")}`);
  }

  /** Starts it at a port that is free. */
  async #start(block: FencedBlock, shown: FencedBlock | undefined): Promise<void> {
    const command = starts.get(block.text);
    if (command === undefined) throw new Error(`${placeOf(block)}: expected ${[...starts.keys()].join(" or ")}`);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    this.#api = apiClient({ HEADGATE_URL: url });
    const child = spawn("sh", ["-c", `exec ${command} --port ${port}`], {
      cwd: this.folder,
      env: this.#environment(url),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#started = child;
    let stdout = "";
    child.stdout.on("data", (text) => (stdout += String(text)));
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (this.#said += String(text)));
    await until(
      `${placeOf(block)}: ${command} answers\n`,
      async () => child.exitCode !== null || (await fetch(`${url}/readyz`)).status === 200,
      withinMs,
    ).catch((error: unknown) => {
      throw new Error(`${placeOf(block)}: ${String(error)}\n${this.#said}`);
    });
    if (child.exitCode !== null) throw new Error(`${placeOf(block)}: it ended with ${child.exitCode}\n${this.#said}`);
    this.#url = url;
    if (shown === undefined) return;
    const problem = () => outputProblem(shown.text, stdout, this.#ids);
    await until("what is shown has been said", () => problem() === undefined, withinMs).catch(() => {
      throw new Error(`${placeOf(shown)}: ${problem() ?? ""}`);
    });
  }

  #url = "";

  async #run(block: FencedBlock, shown: FencedBlock | undefined): Promise<void> {
    const problem = async () => {
      const ids = new Map(this.#ids);
      const found = await this.#problemOf(block, shown, ids);
      if (found === undefined) for (const [id, real] of ids) this.#ids.set(id, real);
      return found;
    };
    let last = await problem();
    if (last !== undefined && block.marks.has("eventually")) {
      const ends = performance.now() + withinMs;
      while (last !== undefined && performance.now() < ends) last = await problem();
    }
    if (last !== undefined) throw new Error(`${placeOf(block)}: ${last}`);
  }

  async #problemOf(block: FencedBlock, shown: FencedBlock | undefined, ids: KnownIds): Promise<string | undefined> {
    const statuses = (block.marks.get("exit") ?? "").split(",");
    let stdout = "";
    for (const [index, line] of block.text.split("\n").entries()) {
      const outcome = await this.shell(withRealIds(line, this.#ids));
      const expected = Number(statuses[index] ?? "");
      if (outcome.status !== expected) {
        return `"${line}" ended with ${outcome.status}, not ${expected}:\n${outcome.stdout}${outcome.stderr}`;
      }
      stdout += outcome.stdout;
    }
    return shown === undefined ? undefined : outputProblem(shown.text, stdout, ids);
  }

  shell(command: string): Promise<Outcome> {
    let line = command;
    for (const [written, here] of this.#instead) line = line.replaceAll(written, here);
    const child = spawn("sh", ["-c", line], {
      cwd: this.folder,
      env: this.#environment(this.#url),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: withinMs,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (text) => (stdout += String(text)));
    child.stderr.on("data", (text) => (stderr += String(text)));
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status) => resolve({ status, stdout, stderr }));
    });
  }

  /** Applies a diff whose context and "-" lines are in the file once. */
  async #edit(block: FencedBlock): Promise<void> {
    const file = block.marks.get("edit") ?? "";
    const sideOf = (dropped: string) =>
      block.text
        .split("\n")
        .filter((line) => !line.startsWith(dropped))
        .map((line) => line.slice(1))
        .join("\n");
    const [before, after] = [sideOf("+"), sideOf("-")];
    await this.change(file, before, after).catch((error: unknown) => {
      throw new Error(`${placeOf(block)}: ${String(error)}`);
    });
  }

  /** Replaces a part of a file that is there once; waits until the location that it belongs to is reloaded. */
  async change(file: string, before: string, after: string): Promise<void> {
    const text = this.read(file);
    if (text.split(before).length !== 2) throw new Error(`${file} does not have this once:\n${before}`);
    // A test is no part of what a location serves.
    const location = /^code-locations\/([^/]+)\/(?!test\/)/.exec(file)?.[1];
    const hash = location === undefined ? undefined : await this.#definitionsHash(location);
    this.write(
      file,
      text.replace(before, () => after),
    );
    if (location === undefined) return;
    await until(`${location} is reloaded`, async () => (await this.#definitionsHash(location)) !== hash);
  }

  async #definitionsHash(location: string): Promise<string | null> {
    return (await this.api.get("getLocation", `/locations/${location}`)).definitionsHash;
  }

  /** As a shell of the reader's: nothing of the test runner's, and a mark to find by what was started. */
  #environment(url: string): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(
      ([name]) => !/^(HEADGATE_|VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$|npm_)/.test(name),
    );
    // What npm has fetched once it need not ask for again.
    const npm = { npm_config_prefer_offline: "true", npm_config_audit: "false", npm_config_fund: "false" };
    return { ...Object.fromEntries(own), ...npm, HEADGATE_URL: url, [markName]: this.#mark };
  }
}
