import * as wire from "@headgate/proto";
import { assetKeyText, boundedText, requiredText } from "./bounded-text.ts";
import { WireError, unknownEnum } from "./wire-error.ts";

const textLengthMax = 255;
const descriptionLengthMax = 4_096;
const columnsMax = 1_000;
const sourcesMax = 10_000;
const labelsMax = 1_000;
const seriesMax = 20;

/*
 * Half of a schema, a lineage or a chart says something else than the whole: what is too large is refused, and not cut.
 * The SDK keeps to the same bounds.
 */

/** @throws WireError for too many columns, or one without a name */
export function tableSchema({ columns }: wire.TableSchema) {
  return {
    columns: bounded("the columns of a table schema", columns, columnsMax).map((column) => ({
      name: requiredText("the name of a column", column.name, textLengthMax),
      type: boundedText(column.type, textLengthMax),
      ...(column.nullable === undefined ? {} : { nullable: column.nullable }),
      ...(column.description === "" ? {} : { description: boundedText(column.description, descriptionLengthMax) }),
    })),
  };
}

/** @throws WireError for too many columns or sources, or a source that is no column of an asset */
export function columnLineage({ columns }: wire.ColumnLineage) {
  const count = bounded("the columns of column lineage", columns, columnsMax).reduce(
    (sum, { sources }) => sum + sources.length,
    0,
  );
  if (count > sourcesMax) throw tooLarge("the sources of column lineage", count, sourcesMax);
  return {
    columns: columns.map(({ name, sources }) => ({
      name: requiredText("the name of a column", name, textLengthMax),
      sources: sources.map(({ assetKey, column }) => ({
        asset: assetKeyText("the asset_key of a source column", assetKey),
        column: requiredText("the column of a source column", column, textLengthMax),
      })),
    })),
  };
}

/** @throws WireError for an unknown kind, for too many labels or series, or a series of another length than the labels */
export function chart({ kind, labels, series }: wire.Chart) {
  const count = bounded("the labels of a chart", labels, labelsMax).length;
  return {
    type: chartType(kind),
    labels: labels.map((label) => boundedText(label, textLengthMax)),
    series: bounded("the series of a chart", series, seriesMax).map(({ name, values }) => {
      if (values.length !== count) {
        const message = `a series of a chart has ${values.length} values, for ${count} labels`;
        throw new WireError("wire.out_of_range", message);
      }
      return {
        name: requiredText("the name of a series", name, textLengthMax),
        values: values.map((value) => (Number.isFinite(value) ? value : null)),
      };
    }),
  };
}

function chartType(kind: wire.Chart_Kind): "line" | "bar" {
  switch (kind) {
    case wire.Chart_Kind.KIND_LINE:
      return "line";
    case wire.Chart_Kind.KIND_BAR:
      return "bar";
    case wire.Chart_Kind.KIND_UNSPECIFIED:
    case wire.Chart_Kind.UNRECOGNIZED:
      break;
  }
  // The generated code hands on numbers that it does not know as they are.
  throw unknownEnum("the kind of a chart", kind);
}

function bounded<T>(what: string, list: readonly T[], lengthMax: number): readonly T[] {
  if (list.length > lengthMax) throw tooLarge(what, list.length, lengthMax);
  return list;
}

function tooLarge(what: string, count: number, max: number): WireError {
  return new WireError("wire.too_large", `${what} are ${count}, of at most ${max}`);
}
