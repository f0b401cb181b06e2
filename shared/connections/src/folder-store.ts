import { createWriteStream } from "node:fs";
import { chmod, link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ConnectionError } from "./connection-error.ts";
import { digestOfBytes, digestOfFile, digesting, type Digested } from "./digest.ts";
import type { LocalFile, ObjectReference, ObjectStore, PutOptions, StoredObject } from "./object-store.ts";
import { checkReference, placeSegments } from "./place.ts";
import { sharedScratchFolder, type ScratchFolder } from "./scratch-folder.ts";

/** Files whose digest this process verified; beyond this many the oldest are forgotten and verified again. */
const verifiedMax = 1_000;

/**
 * An object store in a folder. An object is written under a scratch name, flushed to the disk, and only then linked to
 * its place: `link` fails where something is, so that of two writers one wins, and a killed one leaves nothing behind.
 */
export async function folderStore(root: string): Promise<ObjectStore> {
  const scratch = await sharedScratchFolder(join(root, ".scratch")).catch((error: unknown) => {
    throw failure(error, `The object store's folder ${root} cannot be used`);
  });
  return new FolderStore(root, scratch);
}

class FolderStore implements ObjectStore {
  readonly scheme = "file";
  readonly location: string;
  readonly #scratch: ScratchFolder;
  /** Digests that were verified, by path and by what changes when a file changes. */
  readonly #verified = new Map<string, string>();

  constructor(root: string, scratch: ScratchFolder) {
    this.location = root;
    this.#scratch = scratch;
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredObject> {
    const path = this.#pathOf(key);
    const { chunks, result } = digesting(body);
    return await this.#throughScratch(key, async (file) => {
      const target = createWriteStream(file, { flags: "wx", flush: true });
      await pipeline(Readable.from(chunks), target, options.signal ? { signal: options.signal } : {});
      return await this.#publish(key, file, path, result(), options);
    });
  }

  async putFile(key: string, fill: (path: string) => Promise<void>, options: PutOptions): Promise<StoredObject> {
    const path = this.#pathOf(key);
    return await this.#throughScratch(key, async (file) => {
      await fill(file);
      const digested = await digestOfFile(file, options.signal);
      await flush(file);
      const stored = await this.#publish(key, file, path, digested, options);
      // What was digested is the file itself: its first reader need not read it twice.
      await rm(file, { force: true });
      this.#remember(await this.#fingerprint(path), stored.digest);
      return stored;
    });
  }

  async get(
    object: ObjectReference,
    options: { readonly sizeBytesMax: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array> {
    checkReference(this, object);
    const path = this.#pathOf(object.place);
    try {
      const { size } = await stat(path);
      if (size > options.sizeBytesMax) throw tooLarge(object.place, size, options.sizeBytesMax);
      const bytes = await readFile(path, options.signal ? { signal: options.signal } : {});
      verify(object, digestOfBytes(bytes), this.location);
      return bytes;
    } catch (error) {
      throw failure(error, `${object.place} cannot be read from ${this.location}`);
    }
  }

  async getFile(
    object: ObjectReference,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<LocalFile> {
    checkReference(this, object);
    const path = this.#pathOf(object.place);
    try {
      const fingerprint = await this.#fingerprint(path);
      if (this.#verified.get(fingerprint) !== object.digest) {
        verify(object, await digestOfFile(path, options.signal), this.location);
        this.#remember(fingerprint, object.digest);
      }
      return { path };
    } catch (error) {
      throw failure(error, `${object.place} cannot be read from ${this.location}`);
    }
  }

  async head(place: string): Promise<{ readonly sizeBytes: number } | undefined> {
    try {
      return { sizeBytes: (await stat(this.#pathOf(place))).size };
    } catch (error) {
      const failed = failure(error, `${place} cannot be looked up in ${this.location}`);
      if (failed instanceof ConnectionError && failed.code === "object_store.not_found") return undefined;
      throw failed;
    }
  }

  async remove(place: string): Promise<void> {
    await rm(this.#pathOf(place), { force: true }).catch((error: unknown) => {
      throw failure(error, `${place} cannot be removed from ${this.location}`);
    });
  }

  async close(): Promise<void> {}

  /** A place is relative to the folder: it may be mounted elsewhere for another reader, or move as a whole. */
  #pathOf(place: string): string {
    return join(this.location, ...placeSegments(place));
  }

  async #throughScratch(key: string, write: (file: string) => Promise<StoredObject>): Promise<StoredObject> {
    const file = this.#scratch.newFile();
    try {
      return await write(file);
    } catch (error) {
      throw failure(error, `${key} cannot be stored in ${this.location}`);
    } finally {
      await rm(file, { force: true });
    }
  }

  async #publish(key: string, file: string, path: string, digested: Digested, options: PutOptions) {
    options.signal?.throwIfAborted();
    await chmod(file, 0o444);
    const firstNewFolder = await mkdir(dirname(path), { recursive: true });
    try {
      await link(file, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      // A try whose answer was lost may come again: the same content is no conflict.
      const existing = await digestOfFile(path, options.signal);
      if (existing.digest !== digested.digest) {
        throw new ConnectionError("object_store.conflict", `${key} is already stored in ${this.location}`);
      }
    }
    await flushFolders(dirname(path), firstNewFolder === undefined ? dirname(path) : dirname(firstNewFolder));
    return { scheme: this.scheme, place: key, mediaType: options.mediaType, ...digested } as const;
  }

  async #fingerprint(path: string): Promise<string> {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [path, dev, ino, size, mtimeNs, ctimeNs].join(":");
  }

  #remember(fingerprint: string, digest: string): void {
    if (this.#verified.size >= verifiedMax) {
      for (const oldest of this.#verified.keys()) {
        this.#verified.delete(oldest);
        break;
      }
    }
    this.#verified.set(fingerprint, digest);
  }
}

/** A name is durable once the folder that holds it is flushed: from the object's up to one that existed before. */
async function flushFolders(from: string, to: string): Promise<void> {
  for (let folder = from; ; folder = dirname(folder)) {
    await flush(folder);
    if (folder === to || folder === dirname(folder)) return;
  }
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function verify(object: ObjectReference, found: Digested, location: string): void {
  if (found.digest === object.digest) return;
  throw new ConnectionError(
    "object_store.digest_mismatch",
    `${object.place} in ${location} has the digest ${found.digest}, and was written with ${object.digest}`,
  );
}

function tooLarge(place: string, sizeBytes: number, sizeBytesMax: number): ConnectionError {
  return new ConnectionError(
    "object_store.too_large",
    `${place} has ${sizeBytes} bytes, and at most ${sizeBytesMax} are read into memory`,
  );
}

/** The operating system's errors in this package's words; what is none of them (an abort, a bug) stays what it is. */
function failure(error: unknown, what: string): unknown {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof ConnectionError || syscall === undefined) return error;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new ConnectionError("object_store.not_found", `${what}: it is not there`, error);
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new ConnectionError("object_store.denied", `${what}: ${message}`, error);
  }
  return new ConnectionError("object_store.unavailable", `${what}: ${message}`, error);
}
