import { createReadStream, createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  type PutObjectCommandInput,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { ConnectionError } from "./connection-error.ts";
import { digestOfBytes, digestOfFile, digesting, type Digested } from "./digest.ts";
import { LocalFiles } from "./local-files.ts";
import type { ObjectStoreUrl } from "./object-store-url.ts";
import type { LocalFile, ObjectReference, ObjectStore, PutOptions, StoredObject } from "./object-store.ts";
import { checkReference, placeSegments } from "./place.ts";
import { isMissing, isOverwriteRefused, isTransient, s3Failure } from "./s3-failure.ts";
import { ownScratchFolder, type ScratchFolder } from "./scratch-folder.ts";

export interface S3StoreOptions {
  /** Up to this size an object goes out from memory, and the client repeats a lost request; default 8 MiB. */
  readonly memoryBytesMax?: number;
  /** From this size on an object goes out in parts; default 1 GiB, and a server takes no more than 5 GiB at once. */
  readonly multipartBytesMin?: number;
  /** Of one part of those; default 16 MiB. Three are in memory at a time. */
  readonly partBytes?: number;
  /** Downloaded files that are kept for further readers; default 4 GiB. Files in use do not count as spare. */
  readonly cacheBytesMax?: number;
}

/** Tries of one request in all; the waits between them are 200 ms and 400 ms. */
const triesMax = 3;

/**
 * An object store in a bucket of S3 or of a server that speaks its protocol and honours `If-None-Match`. An object
 * appears whole, under a condition that nothing is there; the server checks the SHA-256 that the request is signed
 * with, and readers check it again.
 */
export async function s3Store(
  url: Extract<ObjectStoreUrl, { scheme: "s3" }>,
  options: S3StoreOptions = {},
): Promise<ObjectStore> {
  // Servers other than AWS need not know the newer checksums; the digest is verified here anyway.
  const client = new S3Client({
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: triesMax,
    // A large object may take its time, as long as something moves.
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
    forcePathStyle: url.forcePathStyle,
    ...(url.endpoint !== undefined && { endpoint: url.endpoint, region: "us-east-1" }),
    ...(url.region !== undefined && { region: url.region }),
  });
  return new S3Store(client, url, await ownScratchFolder(), options);
}

class S3Store implements ObjectStore {
  readonly scheme = "s3";
  readonly location: string;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #scratch: ScratchFolder & { close(): Promise<void> };
  readonly #files: LocalFiles;
  readonly #options: Required<Omit<S3StoreOptions, "cacheBytesMax">>;

  constructor(
    client: S3Client,
    url: { readonly bucket: string; readonly prefix: string },
    scratch: ScratchFolder & { close(): Promise<void> },
    options: S3StoreOptions,
  ) {
    this.#client = client;
    this.#bucket = url.bucket;
    this.#prefix = url.prefix === "" ? "" : `${url.prefix}/`;
    this.location = `s3://${url.bucket}/${this.#prefix}`;
    this.#scratch = scratch;
    this.#files = new LocalFiles(scratch, options.cacheBytesMax ?? 4 * 2 ** 30);
    this.#options = { memoryBytesMax: 8 * 2 ** 20, multipartBytesMin: 2 ** 30, partBytes: 16 * 2 ** 20, ...options };
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredObject> {
    if (body instanceof Uint8Array) return await this.#putBytes(key, body, digestOfBytes(body), options);
    // A request is signed with the digest, so the end of a stream has to be seen before its first byte is sent.
    return await this.putFile(
      key,
      async (path) => {
        await pipeline(Readable.from(body), createWriteStream(path, { flags: "wx" }), {
          ...(options.signal && { signal: options.signal }),
        });
      },
      options,
    );
  }

  async putFile(key: string, fill: (path: string) => Promise<void>, options: PutOptions): Promise<StoredObject> {
    placeSegments(key);
    const scratch = this.#scratch.newFile();
    try {
      await fill(scratch);
      const digested = await digestOfFile(scratch, options.signal);
      const stored =
        digested.sizeBytes <= this.#options.memoryBytesMax
          ? await this.#putBytes(key, await readFile(scratch), digested, options)
          : await this.#putLarge(key, scratch, digested, options);
      // The bytes whose digest went out are here: the checks that follow need not fetch them.
      await this.#files.adopt(scratch, digested);
      return stored;
    } finally {
      await this.#files.discard(scratch);
    }
  }

  async get(
    object: ObjectReference,
    options: { readonly sizeBytesMax: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array> {
    checkReference(this, object);
    return await this.#repeated(`${object.place} cannot be read`, options.signal, async () => {
      const body = await this.#open(object, options.signal);
      const pieces: Uint8Array[] = [];
      let sizeBytes = 0;
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        pieces.push(chunk);
        sizeBytes += chunk.length;
        if (sizeBytes > options.sizeBytesMax) {
          const message = `${object.place} has more than the ${options.sizeBytesMax} bytes that are read into memory`;
          throw new ConnectionError("object_store.too_large", message);
        }
      }
      const bytes = Buffer.concat(pieces);
      this.#verify(object, digestOfBytes(bytes));
      return bytes;
    });
  }

  async getFile(
    object: ObjectReference,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<LocalFile> {
    checkReference(this, object);
    return await this.#files.get(object.digest, (path) =>
      this.#repeated(`${object.place} cannot be read`, options.signal, async () => {
        const { chunks, result } = digesting(await this.#open(object, options.signal));
        await pipeline(Readable.from(chunks), createWriteStream(path));
        this.#verify(object, result());
        return result();
      }),
    );
  }

  async head(place: string): Promise<{ readonly sizeBytes: number } | undefined> {
    const found = await this.#head(place);
    return found && { sizeBytes: found.sizeBytes };
  }

  async remove(place: string): Promise<void> {
    await this.#repeated(`${place} cannot be removed`, undefined, async () => {
      await this.#client.send(new DeleteObjectCommand(address(place)));
    });
  }

  async close(): Promise<void> {
    this.#client.destroy();
    await this.#scratch.close();
  }

  async #putBytes(key: string, bytes: Uint8Array, digested: Digested, options: PutOptions): Promise<StoredObject> {
    return await this.#put(key, digested, options, async (input) => {
      await this.#client.send(signedWith(digested, new PutObjectCommand({ ...input, Body: bytes })), {
        ...(options.signal && { abortSignal: options.signal }),
      });
    });
  }

  async #putLarge(key: string, path: string, digested: Digested, options: PutOptions): Promise<StoredObject> {
    return await this.#put(key, digested, options, async (input) => {
      const Body = createReadStream(path, { highWaterMark: 2 ** 20 });
      try {
        if (digested.sizeBytes < this.#options.multipartBytesMin) {
          const command = new PutObjectCommand({ ...input, Body, ContentLength: digested.sizeBytes });
          await this.#client.send(signedWith(digested, command), {
            ...(options.signal && { abortSignal: options.signal }),
          });
        } else {
          await this.#putParts({ ...input, Body }, options.signal);
        }
      } finally {
        Body.destroy();
      }
    });
  }

  async #putParts(params: PutObjectCommandInput, signal: AbortSignal | undefined): Promise<void> {
    // Some servers look at the condition when a request is a single one, and not when parts are put together.
    if (await this.#head(`${params.Bucket}/${params.Key}`)) throw new OverwriteRefused();
    const upload = new Upload({ client: this.#client, params, queueSize: 3, partSize: this.#options.partBytes });
    const abort = () => void upload.abort();
    signal?.throwIfAborted();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await upload.done();
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async #put(
    key: string,
    digested: Digested,
    options: PutOptions,
    send: (input: PutObjectCommandInput) => Promise<void>,
  ): Promise<StoredObject> {
    placeSegments(key);
    const place = `${this.#bucket}/${this.#prefix}${key}`;
    const input: PutObjectCommandInput = {
      ...address(place),
      ContentType: options.mediaType,
      IfNoneMatch: "*",
      Metadata: { sha256: digested.digest },
    };
    await this.#repeated(`${key} cannot be stored`, options.signal, async () => {
      try {
        await send(input);
      } catch (error) {
        if (!(error instanceof OverwriteRefused) && !isOverwriteRefused(error)) throw error;
        // A try whose answer was lost may come again: the same content is no conflict.
        if ((await this.#head(place))?.digest === digested.digest) return;
        throw new ConnectionError("object_store.conflict", `${key} is already stored in ${this.location}`, error);
      }
    });
    return { scheme: this.scheme, place, mediaType: options.mediaType, ...digested };
  }

  async #head(place: string): Promise<{ readonly sizeBytes: number; readonly digest: string | undefined } | undefined> {
    return await this.#repeated(`${place} cannot be looked up`, undefined, async () => {
      try {
        const found = await this.#client.send(new HeadObjectCommand(address(place)));
        return { sizeBytes: found.ContentLength ?? 0, digest: found.Metadata?.["sha256"] };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  async #open(object: ObjectReference, signal: AbortSignal | undefined): Promise<Readable> {
    const answer = await this.#client.send(new GetObjectCommand(address(object.place)), {
      ...(signal && { abortSignal: signal }),
    });
    return answer.Body as Readable;
  }

  #verify(object: ObjectReference, found: Digested): void {
    if (found.digest === object.digest) return;
    const message = `${object.place} has the digest ${found.digest}, and was written with ${object.digest}`;
    throw new ConnectionError("object_store.digest_mismatch", message);
  }

  /** The client repeats what it can send again; a stream that broke in the middle is begun anew here. */
  async #repeated<T>(what: string, signal: AbortSignal | undefined, request: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await request();
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        if (error instanceof ConnectionError) throw error;
        if (tries >= triesMax || !isTransient(error)) throw s3Failure(error, `${what} in ${this.location}`);
        await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tries));
      }
    }
  }
}

class OverwriteRefused extends Error {}

function address(place: string): { readonly Bucket: string; readonly Key: string } {
  const [bucket = "", ...key] = placeSegments(place);
  return { Bucket: bucket, Key: key.join("/") };
}

/** Signs the request with the digest that is known already: the server refuses other bytes, and no one hashes twice. */
function signedWith(digested: Digested, command: PutObjectCommand): PutObjectCommand {
  command.middlewareStack.add(
    (next) => async (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers["x-amz-content-sha256"] = digested.digest.slice("sha256:".length);
      return await next(args);
    },
    { step: "build", name: "headgateContentDigest" },
  );
  return command;
}
