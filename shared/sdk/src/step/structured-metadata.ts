import { parseAssetKey } from "@headgate/model";
import type { JsonValue, MetadataValue } from "../metadata.ts";
import { chartKind } from "./metadata-entry.ts";
import type { WireValue } from "./metadata-entry.ts";
import type { StepFailure } from "./step-failure.ts";

type StructuredKind = "tableSchema" | "columnLineage" | "chart";
type Structured = Extract<WireValue, { readonly $case: StructuredKind }>;
type Clean = (text: string) => string;
type Invalid = (what: string) => StepFailure;

const columnsMax = 1_000;
const sourcesMax = 10_000;
const labelsMax = 1_000;
const seriesMax = 20;
const nameLengthMax = 255;

export function isStructured(value: WireValue): value is Structured {
  return value.$case === "tableSchema" || value.$case === "columnLineage" || value.$case === "chart";
}

/**
 * Table schemas, column lineage and charts as they are sent.
 *
 * @throws StepFailure made by `invalid`: user code may be JavaScript, and its types are no proof
 */
export function structuredMetadata(
  input: Extract<MetadataValue, { readonly kind: StructuredKind }>,
  clean: Clean,
  invalid: Invalid,
): Structured {
  switch (input.kind) {
    case "tableSchema":
      return tableSchema(input.columns, clean, invalid);
    case "columnLineage":
      return columnLineage(input.columns, clean, invalid);
    case "chart":
      return chart(input, clean, invalid);
  }
}

function tableSchema(given: unknown, clean: Clean, invalid: Invalid): Structured {
  const columns = listOf(given, columnsMax, "the columns of a table schema", invalid).map((column) => {
    const { name, type, nullable, description } = recordOf(column, "a column of a table schema", invalid);
    if (typeof type !== "string") throw invalid("a table schema with a column without a type");
    if (nullable !== undefined && typeof nullable !== "boolean") {
      throw invalid(`a table schema with a column whose nullable is neither true nor false`);
    }
    const described = typeof description === "string" ? clean(description) : "";
    return { name: nameOf(name, clean, invalid), type: clean(type), nullable, description: described };
  });
  return { $case: "tableSchema", value: { columns } };
}

function columnLineage(given: unknown, clean: Clean, invalid: Invalid): Structured {
  const entries = Object.entries(recordOf(given, "the columns of column lineage", invalid));
  let count = 0;
  const columns = listOf(entries, columnsMax, "the columns of column lineage", invalid).map((entry) => {
    const [name, given] = entry as [string, unknown];
    const sources = listOf(given, sourcesMax, `the sources of column "${name}"`, invalid).map((source) => {
      const { asset, column } = recordOf(source, `a source of column "${name}"`, invalid);
      const assetKey: unknown = (asset as { readonly key?: unknown } | null | undefined)?.key;
      if (typeof assetKey === "string" && parseAssetKey(assetKey) !== undefined) {
        return { assetKey, column: nameOf(column, clean, invalid) };
      }
      throw invalid(`column lineage with a source of "${name}" that is not { asset, column }`);
    });
    count += sources.length;
    if (count > sourcesMax) throw invalid(`column lineage with more than ${sourcesMax} sources`);
    return { name: nameOf(name, clean, invalid), sources };
  });
  return { $case: "columnLineage", value: { columns } };
}

function chart(input: Extract<MetadataValue, { readonly kind: "chart" }>, clean: Clean, invalid: Invalid): Structured {
  if (!Object.hasOwn(chartKind, input.type)) throw invalid('a chart whose type is neither "line" nor "bar"');
  const labels = listOf(input.labels, labelsMax, "the labels of a chart", invalid).map((label) => clean(String(label)));
  const entries = Object.entries(recordOf(input.series, "the series of a chart", invalid));
  const series = listOf(entries, seriesMax, "the series of a chart", invalid).map((entry) => {
    const [name, given] = entry as [string, unknown];
    const values = listOf(given, labelsMax, `the series "${name}" of a chart`, invalid).map((value) => {
      if (typeof value === "number") return Number.isFinite(value) ? value : Number.NaN;
      if (value === null || value === undefined) return Number.NaN;
      throw invalid(`a chart with a value in "${name}" that is no number`);
    });
    if (values.length === labels.length) return { name: nameOf(name, clean, invalid), values };
    throw invalid(`a chart with ${labels.length} labels and ${values.length} numbers in "${name}"`);
  });
  return { $case: "chart", value: { kind: chartKind[input.type], labels, series } };
}

/** Of a column or a series. */
function nameOf(given: unknown, clean: Clean, invalid: Invalid): string {
  const name = typeof given === "string" ? clean(given) : "";
  if (name !== "" && name.length <= nameLengthMax) return name;
  throw invalid(`not complete: a column or series has a name of ${name.length} characters, of 1 to ${nameLengthMax}`);
}

function listOf(given: unknown, lengthMax: number, what: string, invalid: Invalid): readonly unknown[] {
  if (!Array.isArray(given)) throw invalid(`not complete: ${what} are no list`);
  if (given.length > lengthMax) throw invalid(`too large: ${what} are ${given.length}, of at most ${lengthMax}`);
  return given;
}

function recordOf(given: unknown, what: string, invalid: Invalid): Readonly<Record<string, unknown>> {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return given as Record<string, unknown>;
  throw invalid(`not complete: ${what} should be an object`);
}

/** About what it takes on the wire. */
export function structuredSizeBytes(value: Structured): number {
  return Buffer.byteLength(JSON.stringify(plainStructure(value)));
}

/** As a reader of the version receives it, in the form in which it is stored. */
export function plainStructure(value: Structured): JsonValue {
  switch (value.$case) {
    case "tableSchema":
      return {
        columns: value.value.columns.map(({ name, type, nullable, description }) => {
          return {
            name,
            type,
            ...(nullable !== undefined && { nullable }),
            ...(description !== "" && { description }),
          };
        }),
      };
    case "columnLineage":
      return {
        columns: value.value.columns.map(({ name, sources }) => {
          return { name, sources: sources.map(({ assetKey, column }) => ({ asset: assetKey, column })) };
        }),
      };
    case "chart": {
      const { kind, labels, series } = value.value;
      return {
        type: kind === chartKind.bar ? "bar" : "line",
        labels,
        series: series.map(({ name, values }) => {
          return { name, values: values.map((number) => (Number.isFinite(number) ? number : null)) };
        }),
      };
    }
  }
}
