import { readdir, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";

const keptForMs = 30 * 86_400_000;
const markEveryMs = 6 * 3_600_000;

/** Marks a bundle as in use for as long as this process lives, or until the next is. */
export class BundleUse {
  #folder: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  use(entry: string): void {
    this.#folder = dirname(entry);
    this.#mark();
    this.#timer ??= setInterval(() => this.#mark(), markEveryMs).unref();
  }

  #mark(): void {
    const now = new Date();
    // What cannot be marked is at worst bundled again.
    if (this.#folder !== undefined) utimes(this.#folder, now, now).catch(() => {});
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Removes bundles that no process has used for a month: every save leaves one. */
export async function pruneBundles(cache: string, nowMs: number): Promise<void> {
  for (const entry of await readdir(cache, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === "node_modules") continue;
    const folder = join(cache, entry.name);
    try {
      if (nowMs - (await stat(folder)).mtimeMs > keptForMs) await rm(folder, { recursive: true, force: true });
    } catch {
      // Another process removed it first.
    }
  }
}
