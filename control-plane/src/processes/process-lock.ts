import { link, mkdir, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { isAlive, type ProcessIdentity, processIdentity } from "./process-identity.ts";

export interface ProcessLock {
  /** Safe to call more than once. */
  release(): Promise<void>;
}

interface Holder extends ProcessIdentity {
  readonly released: boolean;
}

/**
 * Takes the lock that lives in `folder` (made if missing), or says who holds it. The lock ends with its holder's
 * process, however that ends: a holder is believed only while the process of its number and start time lives.
 *
 * Each holder writes a file of the next number, by a hard link that only one can make. Numbers never go back, so that
 * two processes which both find a dead holder cannot both take its place, as they could by removing its file.
 */
export async function takeProcessLock(folder: string): Promise<ProcessLock | { readonly heldBy: ProcessIdentity }> {
  const self = processIdentity(process.pid);
  if (self === undefined) throw new Error("cannot tell when this process started");
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `draft-${randomUUID()}`);
  await writeFile(draft, JSON.stringify({ ...self, released: false } satisfies Holder), { mode: 0o600 });
  try {
    for (;;) {
      const numbers = await lockNumbers(folder);
      const newest = numbers.at(-1) ?? 0;
      const holder = newest === 0 ? undefined : await readHolder(join(folder, `lock-${String(newest)}`));
      if (holder !== undefined && !holder.released && isAlive(holder)) return { heldBy: holder };
      const mine = join(folder, `lock-${String(newest + 1)}`);
      if (!(await linked(draft, mine))) continue;
      // A number that was freed by a still newer holder, while this process looked at the older one, is no lock.
      if ((await lockNumbers(folder)).at(-1) !== newest + 1) {
        await unlink(mine).catch(() => undefined);
        continue;
      }
      for (const number of numbers) await unlink(join(folder, `lock-${String(number)}`)).catch(() => undefined);
      return { release: once(() => release(folder, mine, self)) };
    }
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

/** Who holds the lock of a folder; undefined: nobody, or there is none. Changes nothing. */
export async function lockHolder(folder: string): Promise<ProcessIdentity | undefined> {
  const newest = (await lockNumbers(folder).catch(() => [])).at(-1);
  const holder = newest === undefined ? undefined : await readHolder(join(folder, `lock-${String(newest)}`));
  return holder === undefined || holder.released || !isAlive(holder) ? undefined : holder;
}

async function lockNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  const numbers = names.map((name) => Number(/^lock-(\d+)$/.exec(name)?.[1])).filter((number) => !Number.isNaN(number));
  return numbers.sort((a, b) => a - b);
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Holder;
  } catch {
    // Removed by a newer holder, whom the next look finds; or spoilt, which is nobody's claim.
    return undefined;
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function release(folder: string, file: string, self: ProcessIdentity): Promise<void> {
  const draft = join(folder, `draft-${randomUUID()}`);
  try {
    await writeFile(draft, JSON.stringify({ ...self, released: true } satisfies Holder), { mode: 0o600 });
    await rename(draft, file);
  } catch (error) {
    // Whoever removed the folder removed the lock.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}
