import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { filesBeside, readWorkspace } from "./read-workspace.ts";
import type { Workspace } from "./workspace.ts";

export interface WorkspaceWatch {
  close(): void;
}

/** Editors write in several steps: look once they are done. */
const settleMs = 30;
/** For file systems that report no changes (network folders, some containers). */
const pollMs = 2_000;

/**
 * Calls `onChange` with what the file says now, and again whenever its content or that of an env file or certificate
 * that it names is another than before; also when one vanishes and when it is back. So no change falls between reading
 * it and watching it. Folders are watched, since editors put a new file in the old one's place.
 */
export function watchWorkspace(
  path: string,
  onChange: (workspace: Workspace) => void,
  env: Readonly<Record<string, string | undefined>> = process.env,
): WorkspaceWatch {
  const file = resolve(path);
  let closed = false;
  let settling: NodeJS.Timeout | undefined;
  let beside: { readonly text: string; readonly files: readonly string[] } | undefined;
  const watchers = new Map<string, FSWatcher>();
  /** A digest of all that it says; undefined: there is no such file. */
  const content = async (): Promise<string | undefined> => {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    if (beside?.text !== text) beside = { text, files: filesBeside(text, file, env) };
    const hash = createHash("sha256").update(text);
    for (const path of beside.files) hash.update(`\n${path}\n${await digestOf(path)}`);
    return hash.digest("hex");
  };
  // One look after another, so that the last call is about the last content. `null`: not looked at yet.
  let looking: Promise<string | undefined | null> = Promise.resolve(null);
  const look = () => {
    looking = looking.then(async (before) => {
      if (closed) return before;
      const now = await content();
      watchFolders();
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
  const watchFolders = () => {
    if (closed) return;
    const files = [file, ...(beside?.files ?? [])];
    const folders = new Set(files.map((path) => dirname(path)));
    for (const [folder, watcher] of watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of folders) {
      if (watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, (_event, name) => {
          const named = [file, ...(beside?.files ?? [])].some(
            (path) => path === resolve(folder, name ?? basename(path)),
          );
          if (named) soon();
        });
        watcher.on("error", () => {
          watcher.close();
          watchers.delete(folder);
        });
        watchers.set(folder, watcher);
      } catch {
        // No such folder, or no watches left: the poll remains.
      }
    }
  };
  watchFolders();
  look();
  const poll = setInterval(look, pollMs);
  poll.unref();
  return {
    close: () => {
      closed = true;
      clearTimeout(settling);
      clearInterval(poll);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

/** Empty for what cannot be read, and for the folder of a module: its own process watches that. */
async function digestOf(path: string): Promise<string> {
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => error.code ?? "unreadable");
  return typeof content === "string" ? content : createHash("sha256").update(content).digest("hex");
}
