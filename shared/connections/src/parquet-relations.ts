import { ioManager, type IoManager, type Resource } from "@headgate/sdk";
import { ConnectionError } from "./connection-error.ts";
import type { Database } from "./duckdb.ts";
import { objectKey } from "./object-key.ts";
import { folderObjects } from "./open-object-store.ts";
import type { ObjectStore } from "./object-store.ts";
import { isRelation, type Relation } from "./relation.ts";
import { previewRowsMax, tableMetadata } from "./table-metadata.ts";

/** The media type of relations that `parquetRelations` and `values` store. */
export const parquetMediaType = "application/vnd.apache.parquet";

/**
 * Stores relations as Parquet files, and reads them as relations over the stored file: however many rows there are,
 * none becomes a JavaScript object on the way.
 */
export function parquetRelations(options: {
  readonly store: Resource<ObjectStore>;
  readonly duckdb: Resource<Database>;
}): IoManager<Relation> {
  return ioManager({
    mediaTypes: [parquetMediaType],
    resources: { store: options.store, duckdb: options.duckdb },
    write: async (value: Relation, { resources, signal, ...version }) => {
      if (!isRelation(value)) {
        throw new ConnectionError(
          "value.not_relation",
          `${version.assetKey} returned ${kindOf(value)}, not a relation`,
        );
      }
      return await resources.store.putFile(
        objectKey(version, "parquet"),
        (path) => value.writeParquet(path, { signal }),
        {
          mediaType: parquetMediaType,
          signal,
        },
      );
    },
    read: async (reference, { resources, signal }) => {
      const file = await resources.store.getFile(reference, { signal });
      return resources.duckdb.parquet(file.path, file);
    },
    scratch: (folder) => parquetRelations({ ...options, store: folderObjects(folder) }),
    preview: (value) => tableMetadata(value, previewRowsMax),
  });
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a value of type ${typeof value}`;
}
