import { ioManager, type IoManager, type Resource } from "@headgate/sdk";
import { ConnectionError } from "./connection-error.ts";
import { objectKey } from "./object-key.ts";
import { folderObjects } from "./open-object-store.ts";
import type { ObjectStore } from "./object-store.ts";

/** The media type of values that `json` and `values` store. */
export const jsonMediaType = "application/json";

/** Where values are stored that fit into memory, and how large they may be. */
export interface SmallValueOptions {
  readonly store: Resource<ObjectStore>;
  /** Larger values are refused; default 64 MiB. */
  readonly sizeBytesMax?: number;
}

export const sizeBytesMaxDefault = 64 * 2 ** 20;

/**
 * Stores values as JSON. What JSON would change without a word (a Date, undefined in a list, NaN, a Map) is refused
 * with its path: ConnectionError `value.not_json`.
 */
export function json({ store, sizeBytesMax = sizeBytesMaxDefault }: SmallValueOptions): IoManager<unknown> {
  return ioManager({
    mediaTypes: [jsonMediaType],
    resources: { store },
    write: async (value: unknown, { resources, signal, ...version }) => {
      const problem = jsonProblem(value, "value", new Set());
      if (problem !== undefined) throw new ConnectionError("value.not_json", `${version.assetKey}: ${problem}`);
      const bytes = new TextEncoder().encode(JSON.stringify(value));
      checkSize(version.assetKey, bytes.length, sizeBytesMax);
      return await resources.store.put(objectKey(version, "json"), bytes, { mediaType: jsonMediaType, signal });
    },
    read: async (reference, { resources, signal }) => {
      const bytes = await resources.store.get(reference, { sizeBytesMax, signal });
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
    },
    scratch: (folder) => json({ store: folderObjects(folder), sizeBytesMax }),
  });
}

export function checkSize(assetKey: string, sizeBytes: number, sizeBytesMax: number): void {
  if (sizeBytes <= sizeBytesMax) return;
  throw new ConnectionError(
    "object_store.too_large",
    `the value of ${assetKey} has ${sizeBytes} bytes, and at most ${sizeBytesMax} are stored from memory`,
  );
}

/** The first part of a value that would not come back from JSON as it is. */
function jsonProblem(value: unknown, path: string, above: Set<object>): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `${path} is ${value}, which JSON does not have`;
    case "object":
      break;
    case "undefined":
    case "function":
    case "symbol":
    case "bigint":
      return `${path} is of type ${typeof value}, which JSON does not have`;
  }
  if (value === null) return undefined;
  if (above.has(value)) return `${path} contains itself`;
  if (!Array.isArray(value) && ![Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)) {
    return `${path} is a ${value.constructor.name}, which JSON does not have`;
  }
  above.add(value);
  for (const [name, item] of Object.entries(value)) {
    // A property that is undefined is absent in JSON, which reads the same.
    if (item === undefined && !Array.isArray(value)) continue;
    const problem = jsonProblem(item, Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`, above);
    if (problem !== undefined) return problem;
  }
  above.delete(value);
  return undefined;
}
