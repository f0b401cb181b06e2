import { readdirSync, watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { basename, dirname, join } from "node:path";

const debounceMs = 50;
const foldersMax = 2_000;

/**
 * Tells of changes below a folder, and of further files outside. Folders are watched, not files: an editor that replaces a
 * file by renaming another over it is seen as well.
 */
export class WatchedFiles {
  readonly #folder: string;
  readonly #changed: (savedAtMs: number, isOfCode: boolean) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #files: readonly string[] = [];
  /** Names that are looked at in a folder outside, by its path. */
  #outside: ReadonlyMap<string, readonly string[]> = new Map();
  #timer: NodeJS.Timeout | undefined;
  /** The first change of those that are told together. */
  #savedAtMs: number | undefined;
  /** One of those files was among what changed. */
  #isOfCode = false;

  /** `changed` is told when it began, in Unix milliseconds, and whether a file that is looked at was part of it. */
  constructor(folder: string, changed: (savedAtMs: number, isOfCode: boolean) => void) {
    this.#folder = folder;
    this.#changed = changed;
    this.look([]);
  }

  /** Watches the folder as it is now, and the folders of `files`. */
  look(files: readonly string[]): void {
    this.#files = files;
    const wanted = new Set<string>(foldersBelow(this.#folder));
    const outside = new Map<string, string[]>();
    for (const file of files) {
      const folder = dirname(file);
      if (!wanted.has(folder)) outside.set(folder, [...(outside.get(folder) ?? []), basename(file)]);
    }
    this.#outside = outside;
    for (const folder of outside.keys()) wanted.add(folder);
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (!this.#concerns(folder, name)) return;
        if (name !== null && this.#files.includes(join(folder, name))) this.#isOfCode = true;
        this.#schedule();
      });
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

  /** Below its own folder everything does; outside, where others work too, what was named, whatever its ending. */
  #concerns(folder: string, name: string | null): boolean {
    const names = this.#outside.get(folder);
    if (names === undefined || name === null) return true;
    return names.some((wanted) => name === wanted || name.startsWith(`${wanted}.`));
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const savedAtMs = (this.#savedAtMs ??= Date.now());
    this.#timer = setTimeout(() => {
      const isOfCode = this.#isOfCode;
      this.#savedAtMs = undefined;
      this.#isOfCode = false;
      this.look(this.#files);
      this.#changed(savedAtMs, isOfCode);
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
