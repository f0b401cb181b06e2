import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processIdentity } from "../../control-plane/src/processes/process-identity.ts";
import {
  DataDirLockedError,
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from "../../control-plane/src/storage/embedded-postgres.ts";
import { postgresAccount } from "../../control-plane/src/storage/postgres-account.ts";
import { usableBinaries } from "../../control-plane/src/storage/postgres-binaries.ts";

const isRoot = process.getuid?.() === 0;
const holderScript = fileURLToPath(new URL("../support/postgres-holder.ts", import.meta.url));

let root: string;
let dataDir: string;
let running: EmbeddedPostgres | undefined;
const holders: ChildProcess[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "headgate-embedded-"));
  await chmod(root, 0o755);
  dataDir = join(root, "data");
});
afterEach(async () => {
  for (const holder of holders.splice(0))
    if (holder.exitCode === null && holder.signalCode === null) await kill9(holder);
  // Whatever a test left running is adopted and ended, so that none outlives the suite.
  const last = running ?? (existsSync(join(dataDir, "postgres")) ? await start() : undefined);
  await last?.stop();
  running = undefined;
  await rm(root, { recursive: true });
});

async function start(): Promise<EmbeddedPostgres> {
  running = await startEmbeddedPostgres({ dataDir });
  return running;
}

async function stop(): Promise<void> {
  await running?.stop();
  running = undefined;
}

async function sql(url: string, ...statements: string[]): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let rows: unknown[] = [];
    for (const statement of statements) rows = (await client.query<Record<string, unknown>>(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

type Held = { url: string; pid: number; adopted: boolean } | { code: string; message: string; pid?: number };

/** Another process that starts the server on the same data folder. */
async function hold(): Promise<{ child: ChildProcess; answer: Held }> {
  const child = fork(holderScript, [dataDir], { execArgv: ["--import", "tsx"] });
  holders.push(child);
  const [answer] = (await once(child, "message")) as [Held];
  return { child, answer };
}

async function kill9(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

describe("a start", () => {
  it("makes a durable server on loopback only, behind a password that only this account can read", async () => {
    const { url, port, pid, adopted } = await start();
    expect(adopted).toBe(false);
    expect(
      await sql(
        url,
        `select name, setting from pg_settings where name in
         ('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'listen_addresses', 'unix_socket_directories', 'max_connections')
         order by name`,
      ),
    ).toEqual([
      { name: "data_checksums", setting: "on" },
      { name: "fsync", setting: "on" },
      { name: "full_page_writes", setting: "on" },
      { name: "listen_addresses", setting: "127.0.0.1" },
      { name: "max_connections", setting: "100" },
      { name: "synchronous_commit", setting: "on" },
      { name: "unix_socket_directories", setting: "" },
    ]);
    expect(statSync(join(dataDir, "postgres", "password")).mode & 0o777).toBe(0o600);
    expect(new URL(url).port).toBe(String(port));
    expect(processIdentity(pid)).toBeDefined();
    await expect(sql(url.replace(/:[^:@]+@/, ":guess@"), "select 1")).rejects.toMatchObject({ code: "28P01" });
  });

  it("finds after a stop what was there before it, on the same port", async () => {
    const first = await start();
    await sql(first.url, "create table kept (n int)", "insert into kept values (1)");
    await stop();
    expect(processIdentity(first.pid)).toBeUndefined();
    const second = await start();
    expect(second).toMatchObject({ adopted: false, port: first.port });
    expect(await sql(second.url, "select n from kept")).toEqual([{ n: 1 }]);
  });

  it("takes another port if the last one is taken, and refuses a taken one that was asked for", async () => {
    const first = await start();
    const { port } = first;
    await stop();
    const { createServer } = await import("node:net");
    const squatter = createServer().listen(port, "127.0.0.1");
    await once(squatter, "listening");
    await expect(startEmbeddedPostgres({ dataDir, port })).rejects.toMatchObject({
      code: "postgres.start_failed",
      message: expect.stringContaining("Address already in use") as string,
    });
    expect((await start()).port).not.toBe(port);
    squatter.close();
  });

  it("makes a location a database of its own, from which it reaches no other, and finds it again", async () => {
    const { url } = await start();
    const long = `etl-${"x".repeat(59)}`;
    const etl = await running!.locationDatabase("etl");
    const other = await running!.locationDatabase(long);
    await sql(etl, "create table kept (n int)", "insert into kept values (1)");
    await expect(sql(other, "select n from kept")).rejects.toMatchObject({ code: "42P01" });
    // Not the control plane's, not another location's, and no right to make more.
    const named = (database: string) => Object.assign(new URL(etl), { pathname: `/${database}` }).href;
    for (const database of ["headgate", "postgres", "template1", new URL(other).pathname.slice(1)]) {
      await expect(sql(named(database), "select 1"), database).rejects.toMatchObject({ code: "42501" });
    }
    await expect(sql(etl, "create role more")).rejects.toMatchObject({ code: "42501" });
    await expect(sql(etl, "create database more")).rejects.toMatchObject({ code: "42501" });
    expect(
      await sql(
        url,
        "select rolsuper or rolcreatedb or rolbypassrls as r from pg_roles where rolname like 'location%'",
      ),
    ).toEqual([{ r: false }, { r: false }]);
    expect(statSync(join(dataDir, "postgres", "location-etl.password")).mode & 0o777).toBe(0o600);
    await stop();
    await start();
    expect(await running!.locationDatabase("etl")).toBe(etl);
    expect(await sql(etl, "select n from kept")).toEqual([{ n: 1 }]);
  });

  it("works in a folder whose path is longer than a unix socket's may be", async () => {
    dataDir = join(root, "d".repeat(120));
    const { url } = await start();
    expect(await sql(url, "select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("begins again where an earlier one was killed during initdb", async () => {
    await mkdir(join(dataDir, "postgres", "cluster.new", "base"), { recursive: true });
    await writeFile(join(dataDir, "postgres", "cluster.new", "PG_VERSION"), "18\n");
    const { url } = await start();
    expect(await sql(url, "select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("finds its rows after the data folder was moved", async () => {
    const { url } = await start();
    await sql(url, "create table kept as select 1 as n");
    await stop();
    await rename(dataDir, join(root, "moved"));
    dataDir = join(root, "moved");
    expect(await sql((await start()).url, "select n from kept")).toEqual([{ n: 1 }]);
  });

  it.runIf(isRoot)("as root works where the server's account cannot go, and starts empty after a removal", async () => {
    await chmod(root, 0o700);
    const first = await start();
    await sql(first.url, "create table kept as select 1 as n");
    const elsewhere = readFileSync(join(dataDir, "postgres", "cluster-folder"), "utf8").trim();
    expect(statSync(elsewhere).uid).toBe(postgresAccount()?.uid);
    await stop();
    expect(await sql((await start()).url, "select n from kept")).toEqual([{ n: 1 }]);
    await stop();
    await rm(dataDir, { recursive: true });
    await rm(dirname(elsewhere), { recursive: true });
    const again = await start();
    expect(await sql(again.url, "select to_regclass('kept') as kept")).toEqual([{ kept: null }]);
    await stop();
    await rm(dirname(readFileSync(join(dataDir, "postgres", "cluster-folder"), "utf8").trim()), { recursive: true });
    await rm(dataDir, { recursive: true });
  });
});

describe("kill -9", () => {
  it("of the process that started it leaves the server running, and the next start adopts it", async () => {
    const { child, answer } = await hold();
    if (!("url" in answer)) throw new Error(answer.message);
    await sql(answer.url, "create table kept as select 1 as n");
    const open = new pg.Client({ connectionString: answer.url });
    await open.connect();
    await kill9(child);
    const next = await start();
    expect(next).toMatchObject({ adopted: true, pid: answer.pid, url: answer.url });
    expect((await open.query("select n from kept")).rows).toEqual([{ n: 1 }]);
    await open.end();
    await stop();
    expect(processIdentity(answer.pid)).toBeUndefined();
  });

  it("of the server itself loses nothing that was committed", async () => {
    const first = await start();
    await sql(first.url, "create table kept as select 1 as n");
    process.kill(first.pid, "SIGKILL");
    await first.leave();
    const next = await start();
    expect(next.adopted).toBe(false);
    expect(next.pid).not.toBe(first.pid);
    expect(await sql(next.url, "select n from kept")).toEqual([{ n: 1 }]);
  });

  it("of the server while one of its children computes on and on", async () => {
    const first = await start();
    await sql(first.url, "create table kept as select 1 as n");
    const busy = new pg.Client({ connectionString: first.url });
    const lost = new Promise((resolve) => busy.on("error", resolve));
    await busy.connect();
    const { rows } = await busy.query<{ pid: number }>("select pg_backend_pid() as pid");
    const computing = busy.query("do $$ begin loop end loop; end $$").catch(() => undefined);
    process.kill(first.pid, "SIGKILL");
    await first.leave();
    const child = processIdentity(rows[0]?.pid ?? 0);
    expect(child).toBeDefined();
    const next = await start();
    expect(next.adopted).toBe(false);
    expect(processIdentity(rows[0]?.pid ?? 0)).toBeUndefined();
    expect(await sql(next.url, "select n from kept")).toEqual([{ n: 1 }]);
    await Promise.all([computing, lost]);
  });

  it("of the starter, and the folder is reached by a link, then moved, then copied while the server runs", async () => {
    const first = await start();
    await sql(first.url, "create table kept as select 1 as n");
    await first.leave();
    await symlink(dataDir, join(root, "link"));
    dataDir = join(root, "link");
    const linked = await start();
    expect(linked).toMatchObject({ adopted: true, pid: first.pid });

    await linked.leave();
    await rename(join(root, "data"), join(root, "moved"));
    dataDir = join(root, "moved");
    const moved = await start();
    expect(moved.adopted).toBe(false);
    expect(processIdentity(first.pid)).toBeUndefined();
    expect(await sql(moved.url, "select n from kept")).toEqual([{ n: 1 }]);

    // A copy of a running server's files has its pid file too, and must get a server of its own.
    await cp(join(root, "moved"), join(root, "copy"), { recursive: true, preserveTimestamps: true });
    const owner = statSync(join(root, "moved", "postgres", "cluster"));
    for (const path of readdirSync(join(root, "copy", "postgres", "cluster"), { recursive: true, encoding: "utf8" })) {
      chownSync(join(root, "copy", "postgres", "cluster", path), owner.uid, owner.gid);
    }
    chownSync(join(root, "copy", "postgres", "cluster"), owner.uid, owner.gid);
    await rm(join(root, "copy", "lock"), { recursive: true });
    const copy = await startEmbeddedPostgres({ dataDir: join(root, "copy") });
    expect(copy.adopted).toBe(false);
    expect(copy.pid).not.toBe(moved.pid);
    expect(await sql(moved.url, "select n from kept")).toEqual([{ n: 1 }]);
    await copy.stop();
  });

  it("of both leaves a pid file whose number may be another process's by now", async () => {
    const first = await start();
    const cluster = join(dataDir, "postgres", "cluster");
    const pidFile = readFileSync(join(cluster, "postmaster.pid"), "utf8");
    await stop();
    await writeFile(join(cluster, "postmaster.pid"), pidFile.replace(String(first.pid), String(process.pid)));
    const next = await start();
    expect(next.adopted).toBe(false);
    expect(await sql(next.url, "select 1 as n")).toEqual([{ n: 1 }]);
  });
});

describe("the data folder", () => {
  it("is refused to a second process, which is told the first one's", async () => {
    await start();
    const { answer } = await hold();
    expect(answer).toMatchObject({
      code: "dev.data_dir_in_use",
      pid: process.pid,
      message: `the data folder ${dataDir} is in use by process ${String(process.pid)}`,
    });
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toBeInstanceOf(DataDirLockedError);
  });

  it("is given to exactly one of five that start at the same moment", async () => {
    await start();
    await stop();
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => hold()));
    const winners = outcomes.filter(({ answer }) => "url" in answer);
    expect(winners).toHaveLength(1);
    for (const { answer } of outcomes) {
      if ("code" in answer) expect(answer).toMatchObject({ code: "dev.data_dir_in_use", pid: winners[0]?.child.pid });
    }
  });

  it("is free once its holder was killed or gave it up", async () => {
    const { child, answer } = await hold();
    expect(answer).toMatchObject({ adopted: false });
    await kill9(child);
    const second = await start();
    await second.leave();
    const third = await start();
    expect(third.pid).toBe(second.pid);
  });
});

describe("the server's programs", () => {
  const native = () => {
    const library = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const entry = library.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return join(dirname(dirname(entry)), "native");
  };

  async function copyWithoutLinks(): Promise<string> {
    const copy = join(root, "native");
    await cp(native(), copy, { recursive: true, verbatimSymlinks: true });
    const links = JSON.parse(readFileSync(join(copy, "pg-symlinks.json"), "utf8")) as { target: string }[];
    for (const { target } of links) await unlink(join(root, target));
    return copy;
  }

  it("get the library links that an install without scripts left out", async () => {
    const copy = await copyWithoutLinks();
    const { postgres } = await usableBinaries(copy, "test", postgresAccount());
    expect(postgres).toBe(join(copy, "bin", "postgres"));
    expect(existsSync(join(copy, "lib", "libpq.so.5"))).toBe(true);
  });

  it.runIf(isRoot)("are copied to where the server's account can read them", async () => {
    const copy = await copyWithoutLinks();
    await chmod(root, 0o700);
    const { postgres } = await usableBinaries(copy, `test-${String(process.pid)}`, postgresAccount());
    const cached = dirname(dirname(postgres));
    try {
      expect(postgres.startsWith(root)).toBe(false);
      expect(statSync(postgres).mode & 0o005).toBe(0o005);
      expect(existsSync(join(cached, "lib", "libpq.so.5"))).toBe(true);
      expect(await usableBinaries(copy, `test-${String(process.pid)}`, postgresAccount())).toEqual({
        postgres,
        initdb: join(cached, "bin", "initdb"),
      });
    } finally {
      await rm(cached, { recursive: true });
    }
  });
});
