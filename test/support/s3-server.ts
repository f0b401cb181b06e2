import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { freePort } from "./free-port.ts";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const programs = ["ceph-mon", "ceph-osd", "ceph", "ceph-authtool", "monmaptool", "radosgw", "radosgw-admin"];
const readyWithinMs = 60_000;

/** A real S3 server of this test run: signatures and conditional writes are enforced. */
export interface S3Server {
  /** `http://127.0.0.1:<port>`; buckets are addressed by path. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  stop(): Promise<void>;
}

/** Why no S3 server can be started here, with the remedy; undefined when one can. */
export function s3ServerProblem(): string | undefined {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return undefined;
  return (
    `The S3 suite is skipped: ${missing.join(", ")} not found. Debian and Ubuntu have them: ` +
    "apt-get install -y --no-install-recommends ceph-mon ceph-osd ceph-common radosgw"
  );
}

function isInstalled(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Starts Ceph's radosgw on a monitor and one object store daemon in memory, in about ten seconds. They listen on the
 * loopback alone, write in a temporary folder alone, and end with this process, however it ends.
 */
export async function startS3Server(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), "headgate-s3-"));
  const daemons: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(daemons.map(end));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { ...(await startIn(folder, daemons)), stop };
  } catch (error) {
    const logs = await Promise.all(
      ["mon.a", "osd.0", "client.rgw"].map((name) =>
        readFile(join(folder, "log", `${name}.log`), "utf8").catch(() => ""),
      ),
    );
    await stop();
    throw new Error(`The S3 server did not start.\n${logs.map((log) => log.slice(-2_000)).join("\n")}`, {
      cause: error,
    });
  }
}

async function startIn(folder: string, daemons: ChildProcess[]): Promise<Omit<S3Server, "stop">> {
  const port = await freePort();
  const monitors = `[v2:127.0.0.1:${await freePort()},v1:127.0.0.1:${await freePort()}]`;
  const fsid = randomUUID();
  const config = join(folder, "ceph.conf");
  const keyring = join(folder, "keyring");
  for (const name of ["mon", "osd", "run", "log"]) await mkdir(join(folder, name));
  await writeFile(config, configuration({ folder, keyring, fsid, monitors, port }));
  const configured = ["-c", config];

  const authtool = (...parameters: string[]) => run("ceph-authtool", parameters);
  await authtool("-C", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *");
  const adminCaps = ["mon", "osd", "mgr"].flatMap((daemon) => ["--cap", daemon, "allow *"]);
  await authtool(keyring, "--gen-key", "-n", "client.admin", ...adminCaps);
  await authtool(keyring, "--gen-key", "-n", "client.rgw", "--cap", "mon", "allow rw", "--cap", "osd", "allow rwx");

  const monitorMap = join(folder, "monmap");
  await run("monmaptool", ["--create", "--fsid", fsid, "--addv", "a", monitors, monitorMap]);
  await run("ceph-mon", [...configured, "-i", "a", "--mkfs", "--monmap", monitorMap, "--keyring", keyring]);
  daemons.push(startDaemon("ceph-mon", [...configured, "-i", "a", "-f"]));

  const osdKey = (await run("ceph-authtool", ["--gen-print-key"])).stdout.trim();
  const secret = join(folder, "osd-secret.json");
  await writeFile(secret, JSON.stringify({ cephx_secret: osdKey }));
  const osdId = randomUUID();
  await run("ceph", [...configured, "--connect-timeout", "30", "osd", "new", osdId, "-i", secret]);
  await authtool(keyring, "-n", "osd.0", "--add-key", osdKey);
  await writeFile(join(folder, "osd", "keyring"), await readFile(keyring));
  await run("ceph-osd", [...configured, "-i", "0", "--mkfs", "--osd-uuid", osdId]);
  daemons.push(startDaemon("ceph-osd", [...configured, "-i", "0", "-f"]));
  await until("the object store daemon is up", async () =>
    (await run("ceph", [...configured, "osd", "stat"])).stdout.includes("1 up"),
  );

  const [accessKeyId, secretAccessKey] = ["headgate-test", randomUUID()];
  const user = ["user", "create", "--uid", "test", "--display-name", "test"];
  const keys = ["--access-key", accessKeyId, "--secret-key", secretAccessKey];
  await run("radosgw-admin", [...configured, "-n", "client.rgw", ...user, ...keys]);
  daemons.push(startDaemon("radosgw", [...configured, "-n", "client.rgw", "-f"]));
  const endpoint = `http://127.0.0.1:${port}`;
  await until("radosgw answers", async () => (await fetch(endpoint)).status > 0);
  return { endpoint, accessKeyId, secretAccessKey };
}

/** Starts a program that is killed as soon as this process closes its pipe: on request, or by dying itself. */
function startDaemon(program: string, parameters: readonly string[]): ChildProcess {
  const script = '"$0" "$@" & pid=$!; cat > /dev/null; kill -9 "$pid"; wait "$pid" 2> /dev/null';
  return spawn("sh", ["-c", script, program, ...parameters], { stdio: ["pipe", "ignore", "ignore"], detached: true });
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = new Promise((resolve) => daemon.once("exit", resolve));
  daemon.stdin?.end();
  await ended;
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (!(await condition().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`Waited ${readyWithinMs} ms until ${what}`);
    await delay(200);
  }
}

function configuration(server: {
  readonly folder: string;
  readonly keyring: string;
  readonly fsid: string;
  readonly monitors: string;
  readonly port: number;
}): string {
  const { folder } = server;
  return `
[global]
fsid = ${server.fsid}
keyring = ${server.keyring}
mon host = ${server.monitors}
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 1
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
pid file = ${folder}/run/$name.pid
log file = ${folder}/log/$name.log
[mon.a]
mon data = ${folder}/mon
[osd.0]
osd data = ${folder}/osd
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${server.port}
rgw data = ${folder}
`;
}
