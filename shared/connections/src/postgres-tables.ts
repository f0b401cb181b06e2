import { ioManager, type IoManager, type Resource } from "@headgate/sdk";
import { ConnectionError } from "./connection-error.ts";
import type { Postgres } from "./postgres-queries.ts";
import { type TableColumnType, encodeTable } from "./table-columns.ts";
import { formatPlace, parsePlace, versionTableName, viewName } from "./table-names.ts";
import { ensureSchema, readTable, writeTable } from "./table-versions.ts";
import { publishTable } from "./table-view.ts";

/** The media type of values that are tables in Postgres. */
export const postgresTableMediaType = "application/vnd.postgresql.table";
const scheme = "postgres";

/** Where `postgresTables` keeps its tables and views, and of which columns. */
export interface PostgresTablesOptions {
  readonly postgres: Resource<Postgres>;
  /** Where the views are that readers outside look at; default "public". */
  readonly schema?: string;
  /** Where the tables of versions are; default "headgate_versions". Both are made where they are missing. */
  readonly versionsSchema?: string;
  /** Default: what the rows show. Declare them for what may be empty, and to keep them as they are. */
  readonly columns?: Readonly<Record<string, TableColumnType>>;
  /** More rows are neither stored nor read; default 100,000. */
  readonly rowsMax?: number;
}

/**
 * Stores rows in Postgres, a table a version, and shows the newest open version to readers outside by a view: that of
 * the asset `orders/daily` is `orders__daily`. Of a partitioned asset it shows every partition's. Tables of older
 * versions stay.
 */
export function postgresTables({
  postgres,
  schema = "public",
  versionsSchema = "headgate_versions",
  columns,
  rowsMax = 100_000,
}: PostgresTablesOptions): IoManager<readonly object[]> {
  return ioManager({
    schemes: [scheme],
    mediaTypes: [postgresTableMediaType],
    resources: { postgres },
    write: async (value: readonly object[], { resources, signal, assetKey, partitionKey, versionId }) => {
      const version = { assetKey, partitionKey, versionId };
      const encoded = encodeTable(assetKey, value, columns);
      if (encoded.rowCount > rowsMax) {
        throw new ConnectionError(
          "table.rows_too_many",
          `${assetKey} returned ${encoded.rowCount} rows, of at most ${rowsMax}`,
        );
      }
      await ensureSchema(resources.postgres, versionsSchema, signal);
      const table = { schema: versionsSchema, name: versionTableName(version) };
      const { database, ...digested } = await writeTable(resources.postgres, table, version, encoded, signal);
      return { scheme, place: formatPlace(database, table), mediaType: postgresTableMediaType, ...digested };
    },
    read: async ({ place, digest }, { resources, signal }) =>
      await readTable(resources.postgres, parsePlace(place), digest, { rowsMax, signal }),
    publish: async ({ place }, { resources, signal, assetKey, partitionKey }) => {
      const view = { schema, name: viewName(assetKey) };
      await ensureSchema(resources.postgres, schema, signal);
      await publishTable(resources.postgres, { assetKey, partitionKey }, parsePlace(place), view, signal);
    },
  });
}
