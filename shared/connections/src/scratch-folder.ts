import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** After this long nobody is still writing a scratch file: whoever did was killed. */
const abandonedAfterMs = 24 * 60 * 60 * 1000;

/** A folder for files that are being written. */
export interface ScratchFolder {
  readonly path: string;
  /** A path of a file that does not exist yet. */
  newFile(): string;
}

/** Opens a folder that several processes share, and removes what killed ones left in it. */
export async function sharedScratchFolder(path: string): Promise<ScratchFolder> {
  await mkdir(path, { recursive: true });
  for (const name of await readdir(path)) {
    const file = join(path, name);
    // Another process may remove it first.
    const modifiedMs = await stat(file).then(
      (status) => status.mtimeMs,
      () => undefined,
    );
    if (modifiedMs !== undefined && Date.now() - modifiedMs > abandonedAfterMs) await rm(file, { force: true });
  }
  return { path, newFile: () => join(path, randomUUID()) };
}

/** Makes a folder of this process among the temporary files, and removes those whose process is gone. */
export async function ownScratchFolder(): Promise<ScratchFolder & { close(): Promise<void> }> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(/^headgate-objects-(\d+)-/.exec(name)?.[1]);
    // Another account's folder cannot be removed, and need not be.
    if (pid > 0 && !isAlive(pid))
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
  const path = await mkdtemp(join(tmpdir(), `headgate-objects-${process.pid}-`));
  const removeAtExit = () => rmSync(path, { recursive: true, force: true });
  process.once("exit", removeAtExit);
  return {
    path,
    newFile: () => join(path, randomUUID()),
    close: async () => {
      process.off("exit", removeAtExit);
      await rm(path, { recursive: true, force: true });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
