import { ConnectionError } from "./connection-error.ts";
import { isRelation, type Relation } from "./relation.ts";

const fragment: unique symbol = Symbol.for("headgate.sql");

/** A piece of SQL whose values are quoted. Made by sql`...` alone, so that no text from outside becomes SQL. */
export interface Sql {
  readonly [fragment]: true;
  readonly text: string;
  /** The relations that the text reads: whoever holds the piece keeps their files in place. */
  readonly relations: readonly Relation[];
}

/** What may stand in `${...}`: quoted as a literal, except for relations (a subquery) and pieces of SQL. */
export type SqlValue = Sql | Relation | string | number | bigint | boolean | null | Date | readonly SqlValue[];

/**
 * SQL for DuckDB: sql`select * from ${flights} where origin = ${origin}`. Values become literals, relations become
 * subqueries, lists become `(a, b, c)`, dates become timestamps in UTC. Literals rather than bound parameters, because
 * a relation is a query that runs later, inside other queries and inside COPY, where DuckDB takes no parameters.
 *
 * Throws ConnectionError `sql.value_invalid`.
 */
export function sql(strings: TemplateStringsArray, ...values: readonly SqlValue[]): Sql {
  const relations: Relation[] = [];
  let text = strings[0] ?? "";
  values.forEach((value, index) => {
    text += render(value, relations) + (strings[index + 1] ?? "");
  });
  return piece(text, relations);
}

/** A name of a column or table, quoted. */
sql.identifier = (name: string): Sql => {
  if (name === "" || name.includes("\0")) throw invalid(`${JSON.stringify(name)} is no name`);
  return piece(`"${name.replaceAll('"', '""')}"`, []);
};

/** Pieces of SQL with a separator between them; default `, `. */
sql.join = (pieces: readonly Sql[], separator = ", "): Sql =>
  piece(
    pieces.map((part) => part.text).join(separator),
    pieces.flatMap((part) => part.relations),
  );

function piece(text: string, relations: readonly Relation[]): Sql {
  return Object.freeze({ [fragment]: true as const, text, relations });
}

function render(value: SqlValue, relations: Relation[]): string {
  switch (typeof value) {
    case "string":
      if (value.includes("\0")) throw invalid("a text has a NUL character, which SQL cannot carry");
      return `'${value.replaceAll("'", "''")}'`;
    case "number":
      if (!Number.isFinite(value)) throw invalid(`${value} is no finite number`);
      // The exponent makes it a DOUBLE where it would read as a DECIMAL; the parentheses keep `-` and `-1` from being `--`.
      return Number.isSafeInteger(value) ? `(${value})` : `(${value.toExponential()}::DOUBLE)`;
    case "bigint":
      return `(${value})`;
    case "boolean":
      return value ? "true" : "false";
    case "object":
      return renderObject(value, relations);
    case "undefined":
    case "function":
    case "symbol":
      throw invalid(`a value of type ${typeof value} cannot be put into SQL`);
  }
}

function renderObject(value: SqlValue & (object | null), relations: Relation[]): string {
  if (value === null) return "null";
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw invalid("a date is invalid");
    return `TIMESTAMP '${value.toISOString().slice(0, -1).replace("T", " ")}'`;
  }
  if (isRelation(value)) {
    relations.push(value);
    return value.sql;
  }
  if (isSql(value)) {
    relations.push(...value.relations);
    return value.text;
  }
  if (Array.isArray(value)) {
    if (value.length === 0) throw invalid("an empty list has no SQL form");
    return `(${value.map((item: SqlValue) => render(item, relations)).join(", ")})`;
  }
  throw invalid("an object cannot be put into SQL");
}

function isSql(value: object): value is Sql {
  return fragment in value;
}

function invalid(message: string): ConnectionError {
  return new ConnectionError("sql.value_invalid", message);
}
