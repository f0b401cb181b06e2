import { rename, rm } from "node:fs/promises";
import type { Digested } from "./digest.ts";
import type { LocalFile } from "./object-store.ts";
import type { ScratchFolder } from "./scratch-folder.ts";

interface Kept {
  readonly path: string;
  readonly sizeBytes: number;
  /** Alive as long as a reader holds the file. */
  holder: WeakRef<LocalFile>;
}

/**
 * Verified copies of remote objects, by digest. The least recently used go first when they are too many bytes in all,
 * but never one that a reader still holds.
 */
export class LocalFiles {
  readonly #scratch: ScratchFolder;
  readonly #bytesMax: number;
  readonly #kept = new Map<string, Kept>();
  readonly #fetching = new Map<string, Promise<LocalFile>>();
  #bytes = 0;

  constructor(scratch: ScratchFolder, bytesMax: number) {
    this.#scratch = scratch;
    this.#bytesMax = bytesMax;
  }

  /** The file of a digest; `fetch` writes it to a path when it is not here, and returns only what it verified. */
  async get(digest: string, fetch: (path: string) => Promise<Digested>): Promise<LocalFile> {
    const here = this.#lookUp(digest);
    if (here !== undefined) return here;
    const underWay = this.#fetching.get(digest);
    if (underWay !== undefined) return await underWay;
    const fetched = this.#fetch(fetch);
    this.#fetching.set(digest, fetched);
    try {
      return await fetched;
    } finally {
      this.#fetching.delete(digest);
    }
  }

  /** Keeps a file of the scratch folder whose digest is known; it moves. */
  async adopt(path: string, { digest, sizeBytes }: Digested): Promise<LocalFile> {
    const here = this.#lookUp(digest);
    if (here !== undefined) return here;
    const file: LocalFile = Object.freeze({ path: this.#scratch.newFile() });
    await rename(path, file.path);
    this.#kept.set(digest, { path: file.path, sizeBytes, holder: new WeakRef(file) });
    this.#bytes += sizeBytes;
    await this.#evict();
    return file;
  }

  /** Removes a scratch file that was not adopted. */
  async discard(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  async #fetch(fetch: (path: string) => Promise<Digested>): Promise<LocalFile> {
    const path = this.#scratch.newFile();
    try {
      return await this.adopt(path, await fetch(path));
    } finally {
      await this.discard(path);
    }
  }

  #lookUp(digest: string): LocalFile | undefined {
    const kept = this.#kept.get(digest);
    if (kept === undefined) return undefined;
    const file = kept.holder.deref() ?? Object.freeze({ path: kept.path });
    kept.holder = new WeakRef(file);
    this.#kept.delete(digest);
    this.#kept.set(digest, kept);
    return file;
  }

  async #evict(): Promise<void> {
    for (const [digest, kept] of this.#kept) {
      if (this.#bytes <= this.#bytesMax) return;
      if (kept.holder.deref() !== undefined) continue;
      this.#kept.delete(digest);
      this.#bytes -= kept.sizeBytes;
      await rm(kept.path, { force: true });
    }
  }
}
