/** Where an object is, what it is and what its bytes are: enough to read it and to know that it is the right one. */
export interface StoredObject {
  readonly scheme: "file" | "s3";
  /** `file`: the path below the store's folder. `s3`: the bucket, a slash, the key. */
  readonly place: string;
  readonly mediaType: string;
  /** `sha256:` and 64 lower-case hex digits. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** What a reader must know of an object. An empty digest is refused: nothing is read unverified. */
export interface ObjectReference {
  readonly scheme: string;
  readonly place: string;
  readonly digest: string;
}

/** What is said of an object when it is put. */
export interface PutOptions {
  readonly mediaType: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A verified file on this machine's disk. It stays there at least as long as this object is referenced: hold the
 * object, not its path.
 */
export interface LocalFile {
  readonly path: string;
}

/**
 * Values of versions: an object is written once and never changed, is visible whole or not at all, and is given to a
 * reader only after its digest was verified. Keys and places have `/` between segments.
 *
 * Every method throws ConnectionError: `object_store.unavailable`, `.denied`, `.not_found`, `.conflict`,
 * `.digest_mismatch`, `.too_large`, `.place_invalid`, `.scheme_mismatch`.
 */
export interface ObjectStore {
  readonly scheme: "file" | "s3";
  /** The folder, or bucket and prefix: for messages. */
  readonly location: string;

  /**
   * Stores bytes under a key. Chunks are hashed as they pass; memory does not grow with the size. Storing the same
   * bytes again is harmless; other bytes under the same key are `object_store.conflict`.
   */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredObject>;

  /** Lets `fill` write a file at the path that it is given, and stores that file under the key. */
  putFile(key: string, fill: (path: string) => Promise<void>, options: PutOptions): Promise<StoredObject>;

  /** The verified bytes of a small object: `object_store.too_large` beyond `sizeBytesMax`. */
  get(
    object: ObjectReference,
    options: { readonly sizeBytesMax: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array>;

  /** The verified object as a file on this machine: the stored one itself where the store is a folder. */
  getFile(object: ObjectReference, options?: { readonly signal?: AbortSignal | undefined }): Promise<LocalFile>;

  /** Whether an object is at a place, and its size in bytes. Its content is not verified. */
  head(place: string): Promise<{ readonly sizeBytes: number } | undefined>;

  /** Removes an object; removing what is not there is harmless. */
  remove(place: string): Promise<void>;

  /** Lets go of connections and temporary files. */
  close(): Promise<void>;
}
