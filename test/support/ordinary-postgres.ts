import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { postgresAccount } from "../../control-plane/src/storage/postgres-account.ts";
import { asAccount } from "../../control-plane/src/storage/postgres-cluster.ts";
import { freePort } from "./free-port.ts";

export interface OrdinaryPostgres {
  /** Of a role that may create databases. */
  readonly url: string;
  /** Kills it with SIGKILL. */
  crash(): Promise<void>;
  /** Starts it again after a crash, at the same port. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** The folder with the programs of a distribution's Postgres of that major version, if it is installed. */
export function ordinaryPostgresFolder(major: number): string | undefined {
  const folder = `/usr/lib/postgresql/${String(major)}/bin`;
  return existsSync(join(folder, "initdb")) ? folder : undefined;
}

/** A distribution's Postgres with a new cluster in a temporary folder, as a production server would be: not ours. */
export async function startOrdinaryPostgres(binFolder: string): Promise<OrdinaryPostgres> {
  const account = postgresAccount();
  const folder = await mkdtemp(join(tmpdir(), "headgate-ordinary-"));
  await chmod(folder, 0o755);
  const password = randomBytes(16).toString("hex");
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== undefined) for (const path of [folder, passwordFile]) await chown(path, account.uid, account.gid);
  const data = join(folder, "data");
  const options = {
    ...asAccount(account),
    cwd: folder,
    env: { PATH: binFolder, LC_ALL: "C" },
    stdio: "ignore",
  } as const;
  const initdb = spawn(
    join(binFolder, "initdb"),
    [
      "-D",
      data,
      "-U",
      "postgres",
      "-A",
      "scram-sha-256",
      "--pwfile",
      passwordFile,
      "-E",
      "UTF8",
      "--locale",
      "C",
      "-N",
    ],
    options,
  );
  const [code] = (await once(initdb, "exit")) as [number | null];
  if (code !== 0) throw new Error(`initdb of ${binFolder} ended with ${String(code)}`);
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"];
  const start = async () => {
    const server = spawn(
      join(binFolder, "postgres"),
      ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])],
      options,
    );
    const exited = once(server, "exit");
    while (!(await isReady(data, server.pid))) {
      if (server.exitCode !== null) throw new Error(`postgres of ${binFolder} ended with ${String(server.exitCode)}`);
      await delay(10);
    }
    return async (signal: NodeJS.Signals) => {
      server.kill(signal);
      await exited;
    };
  };
  let end = await start();
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${String(port)}/postgres`,
    crash: () => end("SIGKILL"),
    startAgain: async () => {
      // The children of the killed server hold its memory until they have noticed.
      for (const deadline = Date.now() + 20_000; ; await delay(50)) {
        try {
          end = await start();
          return;
        } catch (error) {
          if (Date.now() > deadline) throw error;
        }
      }
    },
    stop: async () => {
      await end("SIGINT");
      await rm(folder, { recursive: true });
    },
  };
}

/** The pid file of a server that was killed is still there until the next one has replaced it. */
async function isReady(data: string, pid: number | undefined): Promise<boolean> {
  const lines = (await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
  return lines[0] === String(pid) && lines[7]?.startsWith("ready") === true;
}
