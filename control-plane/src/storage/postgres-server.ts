import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { open, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { commandLine, isAlive, type ProcessIdentity, processIdentity } from "../processes/process-identity.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { asAccount, type PostgresCluster, postgresEnvironment, superuser, writeWhole } from "./postgres-cluster.ts";
import { StorageError } from "./storage-error.ts";

/** A running server that accepts connections. */
export interface PostgresServer {
  readonly identity: ProcessIdentity;
  readonly port: number;
}

export interface LaunchOptions {
  readonly port?: number;
  readonly settings?: readonly string[];
}

/** Postgres tells of its state through its pid file alone, which is what pg_ctl polls too. */
const pollMs = 10;
const startTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;
const logBytesMax = 8_000_000;
/** The largest there can be; systems number far lower. */
const nobodysPid = 2_147_483_647;

/** For a laptop: bounded memory, few processes, and durable all the same. */
const settings = [
  "listen_addresses=127.0.0.1",
  // A unix socket's path is limited to 107 bytes, which a data folder easily exceeds. Loopback does.
  "unix_socket_directories=",
  "max_connections=100",
  "shared_buffers=128MB",
  "work_mem=8MB",
  "max_wal_size=1GB",
  "wal_level=minimal",
  "max_wal_senders=0",
  "io_method=sync",
  "jit=off",
  "timezone=UTC",
  "log_timezone=UTC",
  // Failing statements are reported to whoever sent them; a loop of them must not fill the disk.
  "log_min_messages=log",
  "log_checkpoints=off",
] as const;

/**
 * The server that already runs on this cluster, left by a process that died. Waits while one is still starting up or
 * shutting down. Throws `postgres.start_failed` if one is there but cannot be adopted.
 */
export async function findServer(cluster: PostgresCluster): Promise<PostgresServer | undefined> {
  const file = join(cluster.folder, "postmaster.pid");
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    const lines = text?.split("\n") ?? [];
    const identity = processIdentity(Number(lines[0]));
    // No file, or one of a dead process: Postgres sees to that itself. The file must stay, because it leads Postgres
    // to the memory that children of the dead server may still be using.
    if (text === undefined || identity === undefined) return undefined;
    const serving = servesFolder(identity.pid, cluster.folder);
    if (serving === "no") {
      // The number is somebody else's by now. Postgres would refuse to start if that somebody runs under its own
      // account, so it gets a number that nobody has; the rest of the file is kept, for the reason above.
      await writeFile(file, text.replace(/^.*/, String(nobodysPid)));
      return undefined;
    }
    if (serving === "yes" && sameFolder(startedOn(identity.pid), cluster.folder) !== "yes") {
      // Its folder was moved under it, and it would fail at its next checkpoint. What it committed is in the log.
      await stopServer({ identity, port: 0 }, ["SIGQUIT"]);
      return undefined;
    }
    const port = Number(lines[3]);
    const ready = serving === "yes" && lines[7]?.startsWith("ready") === true;
    if (ready && (await answers(cluster, port))) return { identity, port };
    if (serving === "unknown" || Date.now() > deadline) {
      const pid = String(identity.pid);
      throw new StorageError(
        "postgres.start_failed",
        `process ${pid} seems to be the server of ${cluster.folder}, but does not answer`,
        {
          hint: `end process ${pid}, then start again`,
        },
      );
    }
    await delay(pollMs);
  }
}

/** Starts the server and waits until it accepts connections. Throws `postgres.start_failed` with the end of its log. */
export async function launchServer(
  cluster: PostgresCluster,
  binaries: PostgresBinaries,
  options: LaunchOptions,
): Promise<PostgresServer> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const port = options.port ?? (await choosePort(cluster));
    const outcome = await launchOnce(cluster, binaries, port, options.settings ?? [], deadline);
    if (outcome.kind === "ready") {
      await writeWhole(join(cluster.home, "port"), `${String(port)}\n`);
      return { identity: outcome.identity, port };
    }
    // After a kill -9 of the server its children need a moment to notice, and hold its memory until then. And a port
    // that was free when it was chosen may be taken by now.
    const passing = /pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(outcome.log);
    if (passing) {
      await disownZombie(cluster.folder);
      killOrphans(cluster.folder);
    }
    const portTaken = options.port === undefined && /could not bind IPv4|Address already in use/.test(outcome.log);
    if ((!passing && !portTaken) || Date.now() > deadline) {
      throw new StorageError("postgres.start_failed", `Postgres ended at once (${outcome.exit}): ${outcome.log}`);
    }
    await delay(50);
  }
}

type Outcome =
  | { readonly kind: "ready"; readonly identity: ProcessIdentity }
  | { readonly kind: "ended"; readonly exit: string; readonly log: string };

async function launchOnce(
  cluster: PostgresCluster,
  binaries: PostgresBinaries,
  port: number,
  extra: readonly string[],
  deadline: number,
): Promise<Outcome> {
  const log = join(cluster.home, "server.log");
  const grown = (await stat(log).catch(() => undefined))?.size ?? 0;
  const handle = await open(log, grown > logBytesMax ? "w" : "a", 0o600);
  let child: ChildProcess;
  let exit: string | undefined;
  const logStart = (await handle.stat()).size;
  try {
    const options = [...settings, ...extra].flatMap((setting) => ["-c", setting]);
    child = spawn(binaries.postgres, ["-D", cluster.folder, "-p", String(port), ...options], {
      ...asAccount(cluster.account),
      cwd: cluster.folder,
      env: postgresEnvironment(),
      // A session of its own, and no pipe to this process: neither a Ctrl-C meant for this one nor its death reaches
      // the server.
      detached: true,
      stdio: ["ignore", handle.fd, handle.fd],
    });
    // Before anything is awaited: a server that finds the folder taken is gone in a few milliseconds.
    child.on("error", (error) => (exit ??= error.message));
    child.on("exit", (code, signal) => (exit ??= String(code ?? signal)));
    child.unref();
  } finally {
    await handle.close();
  }
  while (exit === undefined) {
    const lines = (await readFile(join(cluster.folder, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
    if (lines[0] === String(child.pid) && lines[7]?.startsWith("ready") === true) {
      const identity = processIdentity(child.pid ?? 0);
      if (identity !== undefined) return { kind: "ready", identity };
    }
    if (Date.now() > deadline) {
      if (child.kill("SIGQUIT")) await once(child, "exit");
      exit = `no answer within ${String(startTimeoutMs / 1_000)} s`;
    }
    await delay(pollMs);
  }
  const text = (await readFile(log)).subarray(logStart).toString("utf8").trim();
  return { kind: "ended", exit, log: text.slice(-2_000) };
}

/** Ends the server: connections are cut, transactions roll back, memory goes to disk. Throws `postgres.stop_failed`. */
export async function stopServer(
  server: PostgresServer,
  // Fast shutdown; then the one that leaves the disk to recovery at the next start.
  signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"],
): Promise<void> {
  for (const signal of signals) {
    if (isAlive(server.identity)) process.kill(server.identity.pid, signal);
    const deadline = Date.now() + stopTimeoutMs;
    while (isAlive(server.identity)) {
      if (Date.now() > deadline) break;
      await delay(pollMs);
    }
    if (!isAlive(server.identity)) return;
  }
  throw new StorageError("postgres.stop_failed", `Postgres, process ${String(server.identity.pid)}, does not end`);
}

/** The one used before if it is free, so that whoever was connected finds the server again. */
async function choosePort(cluster: PostgresCluster): Promise<number> {
  const before = Number(await readFile(join(cluster.home, "port"), "utf8").catch(() => "0"));
  return (before > 0 ? await freePort(before) : undefined) ?? (await freePort(0)) ?? 0;
}

async function freePort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}

/**
 * Whether that process is a server that works on that folder, however either is called by now: the folder may have been
 * moved, copied or reached by another link since.
 */
function servesFolder(pid: number, folder: string): "yes" | "no" | "unknown" {
  const command = commandLine(pid) ?? "";
  if (!command.includes("postgres")) return "no";
  // A server's working directory is its data folder, and on Linux one can look at it.
  return sameFolder(process.platform === "linux" ? `/proc/${String(pid)}/cwd` : startedOn(pid), folder);
}

/** The data folder that a server was started with, by its command line. */
function startedOn(pid: number): string | undefined {
  return / -D (.+?) -p /.exec(commandLine(pid) ?? "")?.[1];
}

function sameFolder(one: string | undefined, other: string): "yes" | "no" | "unknown" {
  if (one === undefined) return "unknown";
  try {
    const [a, b] = [statSync(one), statSync(other)];
    return a.dev === b.dev && a.ino === b.ino ? "yes" : "no";
  } catch {
    return "unknown";
  }
}

/**
 * Postgres takes a zombie for a live server. One whose starter has died is a zombie until the first process of the
 * system looks after it, which in a container may be never.
 */
async function disownZombie(folder: string): Promise<void> {
  const file = join(folder, "postmaster.pid");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined || processIdentity(Number(text.split("\n")[0])) !== undefined) return;
  // As above: the number alone changes.
  await writeFile(file, text.replace(/^.*/, String(nobodysPid)));
}

/**
 * Ends the children of a server that was killed. Most notice by themselves; one that computes does so only in the end.
 * Called only once Postgres itself has said that there is no server but that its memory is in use.
 */
function killOrphans(folder: string): void {
  if (process.platform !== "linux") return;
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!(pid > 0) || commandLine(pid)?.startsWith("postgres:") !== true) continue;
    if (sameFolder(`/proc/${name}/cwd`, folder) === "yes") process.kill(pid, "SIGKILL");
  }
}

/** True if the server accepts this cluster's own password. */
async function answers(cluster: PostgresCluster, port: number): Promise<boolean> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port,
    user: superuser,
    password: cluster.password,
    database: "postgres",
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
