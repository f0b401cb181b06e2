import { createHash } from "node:crypto";
import { ConnectionError } from "./connection-error.ts";

/** A table or view, by its names as they are: unquoted. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** Which version a table holds. */
export interface TableVersion {
  readonly assetKey: string;
  readonly partitionKey: string;
  readonly versionId: string;
}

const nameSizeBytesMax = 63;
const hashLength = 24;

/** A name as SQL takes it, whatever characters it has. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTable({ schema, name }: TableName): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

/**
 * The name of a version's table: readable at its beginning, and at its end a hash of asset, partition and version, so
 * that no two versions have the same.
 */
export function versionTableName({ assetKey, partitionKey, versionId }: TableVersion): string {
  const hash = createHash("sha256").update([assetKey, partitionKey, versionId].join("\0")).digest("hex");
  const words = `${assetKey}_${partitionKey}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
  const kept = words.slice(0, nameSizeBytesMax - hashLength - 1).replaceAll(/^_+|_+$/g, "");
  return `${kept}_${hash.slice(0, hashLength)}`;
}

/** The name of an asset's view: its key, with two underscores between the segments. */
export function viewName(assetKey: string): string {
  const name = assetKey.replaceAll("/", "__");
  if (Buffer.byteLength(name) <= nameSizeBytesMax) return name;
  const hash = createHash("sha256").update(assetKey).digest("hex").slice(0, hashLength);
  return `${name.slice(0, nameSizeBytesMax - hashLength - 1)}_${hash}`;
}

/** Where a table is, for a reader with a connection of its own: database, schema and name. */
export function formatPlace(database: string, { schema, name }: TableName): string {
  return [database, schema, name].map(encodeURIComponent).join("/");
}

/** @throws ConnectionError `table.place_invalid` */
export function parsePlace(place: string): TableName & { readonly database: string } {
  const parts = place.split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return "";
    }
  });
  const [database = "", schema = "", name = ""] = parts;
  if (parts.length === 3 && database !== "" && schema !== "" && name !== "") return { database, schema, name };
  throw new ConnectionError("table.place_invalid", `${JSON.stringify(place)} is no place of a table`);
}
