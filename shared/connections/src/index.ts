export { bytes } from "./bytes-values.ts";
export type { BytesOptions } from "./bytes-values.ts";
export { ConnectionError } from "./connection-error.ts";
export type { ConnectionErrorCode } from "./connection-error.ts";
export { duckdb, openDatabase } from "./duckdb.ts";
export type { Database, DuckdbOptions, RowsOptions } from "./duckdb.ts";
export { http } from "./http.ts";
export type { Http, HttpAnswer, HttpOptions, HttpRequest } from "./http.ts";
export { HttpStatusError } from "./http-status-error.ts";
export { json, jsonMediaType } from "./json-values.ts";
export type { SmallValueOptions } from "./json-values.ts";
export { encodeSegment, objectKey } from "./object-key.ts";
export { parseObjectStoreUrl } from "./object-store-url.ts";
export type { ObjectStoreUrl } from "./object-store-url.ts";
export type { LocalFile, ObjectReference, ObjectStore, PutOptions, StoredObject } from "./object-store.ts";
export { objectStore, openObjectStore } from "./open-object-store.ts";
export { parquetMediaType, parquetRelations } from "./parquet-relations.ts";
export { openPostgres, postgres } from "./postgres.ts";
export { postgresTableMediaType, postgresTables } from "./postgres-tables.ts";
export type { PostgresTablesOptions } from "./postgres-tables.ts";
export type { PostgresOptions } from "./postgres.ts";
export type {
  Postgres,
  PostgresQueries,
  PostgresQueryOptions,
  PostgresResult,
  PostgresValue,
} from "./postgres-queries.ts";
export { relation } from "./relation-schema.ts";
export type { ColumnType, ColumnTypes, RowOf } from "./relation-schema.ts";
export { isRelation } from "./relation.ts";
export type { Column, Relation } from "./relation.ts";
export { sql } from "./sql.ts";
export type { Sql, SqlValue } from "./sql.ts";
export type { TableColumnType } from "./table-columns.ts";
export { tableMetadata } from "./table-metadata.ts";
export { text } from "./text-values.ts";
export type { TextOptions } from "./text-values.ts";
export { values } from "./values.ts";
