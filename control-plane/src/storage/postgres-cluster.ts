import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canTraverse, type PostgresAccount } from "./postgres-account.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { StorageError } from "./storage-error.ts";

export const superuser = "headgate";

/** Where one data folder keeps its Postgres. */
export interface PostgresCluster {
  /** Password, record of the cluster's place, log: this process's own. */
  readonly home: string;
  /** Postgres's data folder, owned by the account that runs it. */
  readonly folder: string;
  readonly password: string;
  readonly account: PostgresAccount | undefined;
}

/** Finds the cluster of `home` or makes it (`created`). Throws `postgres.init_failed`. */
export async function openCluster(
  home: string,
  account: PostgresAccount | undefined,
  binaries: PostgresBinaries,
): Promise<PostgresCluster & { readonly created: boolean }> {
  await mkdir(home, { recursive: true, mode: 0o755 });
  // Recorded only if it is elsewhere, so that a data folder may be moved with what is in it.
  const record = join(home, "cluster-folder");
  const inside = join(home, "cluster");
  const recorded = (await readFile(record, "utf8").catch(() => undefined))?.trim();
  const folder = recorded ?? (existsSync(inside) ? inside : await newClusterFolder(home, account));
  const owner = await ownerOf(folder, account);
  if (recorded === undefined && folder !== inside) await writeWhole(record, `${folder}\n`);
  if (existsSync(join(folder, "PG_VERSION"))) {
    return { home, folder, password: await readPassword(home), account: owner, created: false };
  }
  const password = randomBytes(24).toString("base64url");
  await writeWhole(join(home, "password"), `${password}\n`);
  await initialise(folder, password, owner, binaries);
  return { home, folder, password, account: owner, created: true };
}

/**
 * Inside the data folder if the account can get there. Where it cannot (root's home, a temporary folder of mode 700) in
 * a place for root's data, under a fresh name, so that a data folder that was deleted never finds its old rows again.
 */
async function newClusterFolder(home: string, account: PostgresAccount | undefined): Promise<string> {
  if (account === undefined || canTraverse(account, home)) return join(home, "cluster");
  const parents = home.startsWith(`${tmpdir()}/`) ? [tmpdir()] : ["/var/lib/headgate", tmpdir()];
  for (const parent of parents) {
    const folder = join(parent, `headgate-postgres-${randomUUID()}`);
    try {
      // Not `cluster` itself: initdb's work is moved to its name once it is whole.
      await mkdir(folder, { recursive: true, mode: 0o711 });
      if (!canTraverse(account, folder)) continue;
      await writeFile(join(folder, "README"), `The Postgres cluster of the Headgate data folder ${home}\n`);
      return join(folder, "cluster");
    } catch {
      // Not this one.
    }
  }
  throw new StorageError(
    "postgres.init_failed",
    `the account ${account.name} can reach neither ${home} nor ${parents.join(" nor ")}`,
    {
      hint: "choose a data folder that every account can pass through with --data-dir",
    },
  );
}

/** An existing cluster belongs to whoever made it: Postgres insists on running as its owner. */
async function ownerOf(folder: string, account: PostgresAccount | undefined): Promise<PostgresAccount | undefined> {
  const found = await stat(folder).catch(() => undefined);
  if (account === undefined || found === undefined || found.uid === 0) return account;
  return { name: String(found.uid), uid: found.uid, gid: found.gid };
}

async function readPassword(home: string): Promise<string> {
  try {
    return (await readFile(join(home, "password"), "utf8")).trim();
  } catch (cause) {
    throw new StorageError(
      "postgres.start_failed",
      `cannot read the database's password: ${(cause as Error).message}`,
      {
        cause,
        hint: `bring that file back, or remove the data folder to begin afresh`,
      },
    );
  }
}

/** initdb into a draft that gets its name only once it is whole: an interrupted one is never taken for a cluster. */
async function initialise(
  folder: string,
  password: string,
  account: PostgresAccount | undefined,
  binaries: PostgresBinaries,
): Promise<void> {
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  // Outside the draft, which initdb wants empty; readable by the account that runs initdb and nobody else.
  const passwordFile = `${folder}.password`;
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flag: "wx" });
  if (account !== undefined) {
    await chown(draft, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  try {
    await run(binaries.initdb, initdbArguments(draft, passwordFile), account, draft);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, folder);
}

function initdbArguments(draft: string, passwordFile: string): string[] {
  return [
    `--pgdata=${draft}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // Postgres's own locale: the same order of text on every machine, whatever it has installed.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
  ];
}

function run(file: string, args: readonly string[], account: PostgresAccount | undefined, cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      ...asAccount(account),
      env: postgresEnvironment(),
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (cause) =>
      reject(new StorageError("postgres.init_failed", `${file}: ${cause.message}`, { cause })),
    );
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else
        reject(
          new StorageError("postgres.init_failed", `initdb ended with ${String(code ?? signal)}: ${output.trim()}`),
        );
    });
  });
}

export function asAccount(account: PostgresAccount | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}

/** Nothing of the caller's own: its secrets have no business in the server. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

/** Writes a file of this account's own so that it is there whole or not at all. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, file);
}
