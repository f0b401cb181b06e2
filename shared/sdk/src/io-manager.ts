import { rememberSite } from "./construction-site.ts";
import type { MetadataInput } from "./metadata.ts";
import type { ResourceMap, ResourceValues } from "./resource.ts";
import type { Log } from "./log.ts";

/** Where a value is, for a reader that does not know its producer. */
export interface ValueReference {
  /** For example "file" or "s3". */
  readonly scheme: string;
  /** A URL or path that the scheme's reader understands; it contains the version id unless the asset is in place. */
  readonly place: string;
  readonly mediaType: string;
  /** "sha256:<hex>"; "" where the place has no digest. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** What `write` returns; `digest` and `sizeBytes` where the place knows them. */
export type WrittenReference = Pick<ValueReference, "scheme" | "place" | "mediaType"> &
  Partial<Pick<ValueReference, "digest" | "sizeBytes">>;

/** Which version an IO manager writes, reads or publishes, and what it has at hand. */
export interface IoContext<R extends ResourceMap = ResourceMap> {
  /** The asset whose value this is. */
  readonly assetKey: string;
  /** "" where the asset is not partitioned. */
  readonly partitionKey: string;
  readonly versionId: string;
  /** The place is overwritten by each version. */
  readonly inPlace: boolean;
  readonly resources: ResourceValues<R>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** How values are written and read, and shown to readers outside. */
export interface IoManagerOptions<W, R extends ResourceMap> {
  /** The schemes that `read` understands; default: every one. */
  readonly schemes?: readonly string[];
  /** The media types that `read` understands; default: every one. */
  readonly mediaTypes?: readonly string[];
  readonly resources?: R;
  /** Stores a value at a place named by the version id and says where; durable when it returns. */
  readonly write: (value: W, context: IoContext<R>) => WrittenReference | Promise<WrittenReference>;
  /** Reads a value, also one that another team's location wrote. */
  readonly read: (reference: ValueReference, context: IoContext<R>) => unknown;
  /**
   * Shows a version to readers outside Headgate: swaps a view or a pointer. Called with the newest open version of a
   * partition once its gate is open, again when another one becomes that, and again after a failure: what was published
   * already must be harmless to publish.
   */
  readonly publish?: (reference: ValueReference, context: IoContext<R>) => void | Promise<void>;
  /**
   * The same kind of IO manager that stores below this folder (an absolute path) and nowhere else: for `headgate try`.
   * Without it a tried value stays in memory.
   */
  readonly scratch?: (folder: string) => IoManager<W>;
  /** What `headgate try` shows of a value, for example its first rows; default, and for undefined: as Node prints it. */
  readonly preview?: (
    value: W,
    context: IoContext<R>,
  ) => MetadataInput | undefined | Promise<MetadataInput | undefined>;
}

/** Writes and reads values. `W`: the values that it can write. */
export interface IoManager<in W = never> {
  readonly kind: "ioManager";
  readonly schemes?: readonly string[];
  readonly mediaTypes?: readonly string[];
  readonly resources?: ResourceMap;
  readonly write: (value: W, context: IoContext) => WrittenReference | Promise<WrittenReference>;
  readonly read: (reference: ValueReference, context: IoContext) => unknown;
  readonly publish?: (reference: ValueReference, context: IoContext) => void | Promise<void>;
  readonly scratch?: (folder: string) => IoManager<W>;
  readonly preview?: (value: W, context: IoContext) => MetadataInput | undefined | Promise<MetadataInput | undefined>;
}

/** Declares an IO manager. */
export function ioManager<W = unknown, R extends ResourceMap = Record<never, never>>(
  options: IoManagerOptions<W, R>,
): IoManager<W> {
  return rememberSite({ ...options, kind: "ioManager" }, ioManager as () => unknown) as unknown as IoManager<W>;
}
