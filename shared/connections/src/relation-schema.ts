import type { StandardSchemaV1 } from "@standard-schema/spec";
import { isRelation, type Relation } from "./relation.ts";

type DuckdbInteger =
  "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" | "HUGEINT" | "UTINYINT" | "USMALLINT" | "UINTEGER" | "UBIGINT";
type DuckdbNumber = DuckdbInteger | "FLOAT" | "DOUBLE" | `DECIMAL(${number},${number})`;
/** Columns whose values are plain in JavaScript; cast others, or declare the row's type yourself. */
export type ColumnType =
  DuckdbNumber | "BOOLEAN" | "VARCHAR" | "UUID" | "DATE" | "TIMESTAMP" | "TIMESTAMP WITH TIME ZONE";

/** Column names to DuckDB's types, as DESCRIBE shows them. */
export type ColumnTypes = Readonly<Record<string, ColumnType>>;

type ColumnValue<T> = T extends DuckdbNumber
  ? number
  : T extends "BOOLEAN"
    ? boolean
    : T extends "DATE" | "TIMESTAMP" | "TIMESTAMP WITH TIME ZONE"
      ? Date
      : string;

/** A row with these columns. */
export type RowOf<C extends ColumnTypes> = { readonly [Name in keyof C]: ColumnValue<C[Name]> };

/**
 * Says that an asset's value is a relation, for `value` of its spec. With columns, `relation({ delay: "BIGINT" })`, the
 * type of a row follows from them and every version is validated to have them, in any order and among others; with a
 * row type alone, `relation<{ delay: number }>()`, nothing but that it is a relation is validated.
 */
export function relation<Row>(): StandardSchemaV1<Relation<Row>, Relation<Row>>;
export function relation<const C extends ColumnTypes>(
  columns: C,
): StandardSchemaV1<Relation<RowOf<C>>, Relation<RowOf<C>>>;
export function relation(columns: ColumnTypes = {}): StandardSchemaV1<Relation, Relation> {
  return {
    "~standard": { version: 1, vendor: "headgate", validate: (value) => validate(value, columns) },
  };
}

async function validate(value: unknown, columns: ColumnTypes): Promise<StandardSchemaV1.Result<Relation>> {
  if (!isRelation(value)) {
    return { issues: [{ message: "Expected a relation: return duckdb.relation(sql`...`) from compute." }] };
  }
  const expected = Object.entries(columns);
  if (expected.length === 0) return { value };
  const types = new Map((await value.columns()).map((column) => [column.name, column.type]));
  const issues = expected.flatMap(([name, type]) => {
    const found = types.get(name);
    if (found === type) return [];
    const message =
      found === undefined
        ? `The column is missing; the relation has ${[...types.keys()].join(", ")}.`
        : `The column is ${found} and should be ${type}: cast it in SQL.`;
    return [{ message, path: [name] }];
  });
  return issues.length > 0 ? { issues } : { value };
}
