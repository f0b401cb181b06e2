import { readdirSync, watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { dirname, join } from "node:path";

const debounceMs = 50;
const foldersMax = 2_000;

/**
 * Tells of changes below a folder, and beside further files. Folders are watched, not files: an editor that replaces a
 * file by renaming another over it is seen as well.
 */
export class WatchedFiles {
  readonly #folder: string;
  readonly #changed: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #files: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string, changed: () => void) {
    this.#folder = folder;
    this.#changed = changed;
    this.look([]);
  }

  /** Watches the folder as it is now, and the folders of `files`. */
  look(files: readonly string[]): void {
    this.#files = files;
    const wanted = new Set<string>(foldersBelow(this.#folder));
    for (const file of files) wanted.add(dirname(file));
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#schedule());
      watcher.on("error", () => {
        watcher.close();
        this.#watchers.delete(folder);
        this.#schedule();
      });
      this.#watchers.set(folder, watcher);
    } catch {
      // The folder is gone again, or the system has no more watches; the other folders still tell.
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.look(this.#files);
      this.#changed();
    }, debounceMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}

function foldersBelow(root: string): string[] {
  const folders = [root];
  for (let at = 0; at < folders.length && folders.length < foldersMax; at++) {
    const folder = folders[at] ?? root;
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const isOurs = entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith(".");
        if (isOurs) folders.push(join(folder, entry.name));
      }
    } catch {
      // Removed while it was looked at.
    }
  }
  return folders;
}
