import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { StorageError } from "./storage-error.ts";

/** The account that runs Postgres; undefined means this process's own, which is every account but root. */
export interface PostgresAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root. Throws `postgres.no_account` if root has nobody to run it as. */
export function postgresAccount(): PostgresAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  // initdb insists on an account with a name, so a number that nobody uses will not do.
  const account = namedAccount("postgres") ?? namedAccount("nobody");
  if (account === undefined)
    throw new StorageError("postgres.no_account", "Headgate runs as root, and Postgres will not");
  return account;
}

/** True if the account can reach `path` and everything that it would have to pass through. */
export function canTraverse(account: PostgresAccount | undefined, path: string): boolean {
  if (account === undefined) return true;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if (!canPass(account, folder)) return false;
    if (dirname(folder) === folder) return true;
  }
}

function canPass(account: PostgresAccount, folder: string): boolean {
  try {
    const { mode, uid, gid } = statSync(folder);
    const bits = uid === account.uid ? mode >> 6 : gid === account.gid ? mode >> 3 : mode;
    return (bits & 0b001) === 0b001;
  } catch {
    return false;
  }
}

function namedAccount(name: string): PostgresAccount | undefined {
  let passwd: string;
  try {
    passwd = readFileSync("/etc/passwd", "utf8");
  } catch {
    return undefined;
  }
  const fields = passwd
    .split("\n")
    .find((line) => line.startsWith(`${name}:`))
    ?.split(":");
  const uid = Number(fields?.[2]);
  const gid = Number(fields?.[3]);
  return uid > 0 && Number.isInteger(gid) ? { name, uid, gid } : undefined;
}
