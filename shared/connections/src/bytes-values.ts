import { ioManager, type IoManager } from "@headgate/sdk";
import { ConnectionError } from "./connection-error.ts";
import { checkSize, sizeBytesMaxDefault, type SmallValueOptions } from "./json-values.ts";
import { objectKey } from "./object-key.ts";

/** Where `bytes` stores its values, and what it calls them. */
export interface BytesOptions extends SmallValueOptions {
  /** What the bytes are, for whoever opens them: "image/png", "application/pdf"; default "application/octet-stream". */
  readonly mediaType?: string;
  /** Of the stored file, without a dot; default "bin". */
  readonly extension?: string;
}

/** Stores bytes (a Uint8Array or Buffer) as they are; they are read as a Uint8Array. */
export function bytes({
  store,
  sizeBytesMax = sizeBytesMaxDefault,
  mediaType = "application/octet-stream",
  extension = "bin",
}: BytesOptions): IoManager<Uint8Array> {
  return ioManager({
    mediaTypes: [mediaType],
    resources: { store },
    write: async (value: Uint8Array, { resources, signal, ...version }) => {
      if (!(value instanceof Uint8Array)) {
        throw new ConnectionError("value.not_bytes", `${version.assetKey} returned a value of type ${typeof value}`);
      }
      checkSize(version.assetKey, value.length, sizeBytesMax);
      return await resources.store.put(objectKey(version, extension), value, { mediaType, signal });
    },
    read: async (reference, { resources, signal }) => await resources.store.get(reference, { sizeBytesMax, signal }),
  });
}
