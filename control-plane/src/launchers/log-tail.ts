import { type FSWatcher, fstatSync, ftruncateSync, watch } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** Reads what a process appends to a file and hands it on by lines. */
export interface LogTail {
  /** Hands on what is there, the last line too if it has no end, and stops. */
  close(): Promise<void>;
}

const lineCharactersMax = 8_000;
const readBytesMax = 256_000;
/** What is further behind than this is skipped, with a word about it. */
const backlogBytesMax = 2_000_000;
/** The file is emptied once it is read and larger than this. Its writer appends, so it goes on from the start. */
const fileBytesMax = 8_000_000;
const pollMs = 250;

/**
 * Follows `file` from byte `from`. A process writes to a file rather than to a pipe, so that it neither waits for this
 * process nor fails with it.
 */
export async function tailLog(file: string, from: number, onLine: (line: string) => void): Promise<LogTail> {
  return new FileTail(await open(file, "r+"), file, from, onLine);
}

class FileTail implements LogTail {
  readonly #handle: FileHandle;
  readonly #onLine: (line: string) => void;
  readonly #decoder = new TextDecoder();
  readonly #poll: NodeJS.Timeout;
  readonly #buffer = Buffer.alloc(readBytesMax);
  #watcher: FSWatcher | undefined;
  #position: number;
  #rest = "";
  #cut = false;
  #reading: Promise<void> = Promise.resolve();
  #wanted = false;

  constructor(handle: FileHandle, file: string, from: number, onLine: (line: string) => void) {
    this.#handle = handle;
    this.#position = from;
    this.#onLine = onLine;
    const look = () => this.#look();
    try {
      this.#watcher = watch(file, { persistent: false }, look);
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // No watches left: the poll remains.
    }
    this.#poll = setInterval(look, pollMs);
    this.#poll.unref();
    look();
  }

  async close(): Promise<void> {
    clearInterval(this.#poll);
    this.#watcher?.close();
    this.#look();
    await this.#reading;
    if (this.#rest !== "") this.#emit(this.#rest);
    await this.#handle.close();
  }

  /** One read after another; any number of wishes while one waits are one. */
  #look(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#reading = this.#reading.then(async () => {
      this.#wanted = false;
      await this.#read().catch(() => undefined);
    });
  }

  async #read(): Promise<void> {
    for (;;) {
      const { size } = await this.#handle.stat();
      if (size < this.#position) this.#position = 0;
      const behind = size - this.#position;
      if (behind === 0) {
        if (size <= fileBytesMax || this.#emptied()) return;
        continue;
      }
      if (behind > backlogBytesMax) {
        const skipped = behind - readBytesMax;
        this.#position += skipped;
        this.#rest = "";
        this.#onLine(`(${String(skipped)} bytes of output skipped)`);
      }
      const { bytesRead } = await this.#handle.read(this.#buffer, 0, readBytesMax, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      this.#take(this.#decoder.decode(this.#buffer.subarray(0, bytesRead), { stream: true }));
    }
  }

  /**
   * Empties the file if all of it was read. Looked at and done without a turn of the event loop between, because what
   * the process writes between is lost: microseconds, once in so many megabytes.
   */
  #emptied(): boolean {
    if (fstatSync(this.#handle.fd).size !== this.#position) return false;
    ftruncateSync(this.#handle.fd, 0);
    this.#position = 0;
    return true;
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      // The end of a line whose beginning was handed on already.
      if (this.#cut) this.#cut = false;
      else this.#emit(line);
    }
    if (this.#rest.length > lineCharactersMax) {
      if (!this.#cut) this.#emit(this.#rest);
      this.#cut = true;
      this.#rest = "";
    }
  }

  #emit(line: string): void {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    this.#onLine(text.length > lineCharactersMax ? `${text.slice(0, lineCharactersMax)}… (cut)` : text);
  }
}
