import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** A digest as references carry it, and how many bytes it is of. */
export interface Digested {
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Passes chunks on and hashes them; `result` is of what passed so far. */
export function digesting(body: Uint8Array | AsyncIterable<Uint8Array>): {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly result: () => Digested;
} {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  async function* pass(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      yield chunk;
    }
  }
  return { chunks: pass(), result: () => ({ digest: `sha256:${hash.copy().digest("hex")}`, sizeBytes }) };
}

/** The digest of a file, read in chunks. */
export async function digestOfFile(path: string, signal?: AbortSignal): Promise<Digested> {
  const { chunks, result } = digesting(createReadStream(path, { highWaterMark: 1 << 20, signal }));
  const iterator = chunks[Symbol.asyncIterator]();
  while (!(await iterator.next()).done);
  return result();
}

export function digestOfBytes(bytes: Uint8Array): Digested {
  return { digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, sizeBytes: bytes.length };
}
