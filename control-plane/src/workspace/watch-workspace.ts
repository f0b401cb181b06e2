import { type FSWatcher, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { readWorkspace } from "./read-workspace.ts";
import type { Workspace } from "./workspace.ts";

export interface WorkspaceWatch {
  close(): void;
}

/** Editors write in several steps: look once they are done. */
const settleMs = 30;
/** For file systems that report no changes (network folders, some containers). */
const pollMs = 2_000;

/**
 * Calls `onChange` with what the file says now, and again whenever its content is another than before; also when it
 * vanishes and when it is back. So no change falls between reading it and watching it. The folder is watched, since
 * editors put a new file in the old one's place.
 */
export function watchWorkspace(
  path: string,
  onChange: (workspace: Workspace) => void,
  env: Readonly<Record<string, string | undefined>> = process.env,
): WorkspaceWatch {
  const file = resolve(path);
  let closed = false;
  let settling: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  const content = () => readFile(file, "utf8").catch(() => undefined);
  // One look after another, so that the last call is about the last content. `null`: not looked at yet.
  let looking: Promise<string | undefined | null> = Promise.resolve(null);
  const look = () => {
    looking = looking.then(async (before) => {
      if (closed) return before;
      const now = await content();
      if (now === before) return before;
      const workspace = await readWorkspace(file, env);
      if (!closed) onChange(workspace);
      return now;
    });
  };
  const soon = () => {
    clearTimeout(settling);
    settling = setTimeout(look, settleMs);
  };
  try {
    watcher = watch(dirname(file), { persistent: false }, soon);
    watcher.on("error", () => watcher?.close());
  } catch {
    // No such folder, or no watches left: the poll remains.
  }
  look();
  const poll = setInterval(look, pollMs);
  poll.unref();
  return {
    close: () => {
      closed = true;
      clearTimeout(settling);
      clearInterval(poll);
      watcher?.close();
    },
  };
}
