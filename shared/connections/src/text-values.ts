import { ioManager, type IoManager } from "@headgate/sdk";
import { ConnectionError } from "./connection-error.ts";
import { checkSize, sizeBytesMaxDefault, type SmallValueOptions } from "./json-values.ts";
import { objectKey } from "./object-key.ts";
import { folderObjects } from "./open-object-store.ts";

const extensions: Readonly<Record<string, string>> = {
  "text/markdown": "md",
  "text/html": "html",
  "text/csv": "csv",
};

/** Where `text` stores its values, and what it calls them. */
export interface TextOptions extends SmallValueOptions {
  /** What the text is, for whoever opens it: "text/markdown", "text/html", ...; default "text/plain". */
  readonly mediaType?: `text/${string}`;
}

/** Stores a string as it is, in UTF-8. */
export function text({
  store,
  sizeBytesMax = sizeBytesMaxDefault,
  mediaType = "text/plain",
}: TextOptions): IoManager<string> {
  return ioManager({
    // It reads every text that is written here; a reader need not know which kind its upstream chose.
    mediaTypes: [...new Set([mediaType, "text/plain", ...Object.keys(extensions)])],
    resources: { store },
    write: async (value: string, { resources, signal, ...version }) => {
      if (typeof value !== "string") {
        throw new ConnectionError("value.not_text", `${version.assetKey} returned a value of type ${typeof value}`);
      }
      const bytes = new TextEncoder().encode(value);
      checkSize(version.assetKey, bytes.length, sizeBytesMax);
      const key = objectKey(version, extensions[mediaType] ?? "txt");
      return await resources.store.put(key, bytes, { mediaType, signal });
    },
    read: async (reference, { resources, signal }) => {
      const bytes = await resources.store.get(reference, { sizeBytesMax, signal });
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    },
    scratch: (folder) => text({ store: folderObjects(folder), sizeBytesMax, mediaType }),
  });
}
