import { ioManager, type IoManager, type Resource } from "@headgate/sdk";
import { ConnectionError } from "./connection-error.ts";
import type { Database } from "./duckdb.ts";
import { json, jsonMediaType } from "./json-values.ts";
import { folderObjects } from "./open-object-store.ts";
import type { ObjectStore } from "./object-store.ts";
import { parquetMediaType, parquetRelations } from "./parquet-relations.ts";
import { isRelation } from "./relation.ts";
import { previewRowsMax, tableMetadata } from "./table-metadata.ts";
import { text } from "./text-values.ts";

/**
 * The IO manager for most code locations: a relation is stored as Parquet, a string as text, anything else as JSON;
 * read by what was stored.
 */
export function values(options: {
  readonly store: Resource<ObjectStore>;
  readonly duckdb: Resource<Database>;
}): IoManager<unknown> {
  const relations = parquetRelations(options);
  const texts = text(options);
  const others = json(options);
  const resources = { store: options.store, duckdb: options.duckdb };
  return ioManager({
    mediaTypes: [parquetMediaType, jsonMediaType, ...(texts.mediaTypes ?? [])],
    resources,
    write: (value: unknown, context) => {
      if (isRelation(value)) return relations.write(value, context);
      return typeof value === "string" ? texts.write(value, context) : others.write(value, context);
    },
    read: (reference, context) => {
      if (reference.mediaType === parquetMediaType) return relations.read(reference, context);
      if (reference.mediaType === jsonMediaType) return others.read(reference, context);
      if (texts.mediaTypes?.includes(reference.mediaType) === true) return texts.read(reference, context);
      throw new ConnectionError("value.not_readable", `${context.assetKey} is stored as ${reference.mediaType}`);
    },
    scratch: (folder) => values({ ...options, store: folderObjects(folder) }),
    preview: (value) => (isRelation(value) ? tableMetadata(value, previewRowsMax) : undefined),
  });
}
