/*
 * Metadata in the shape of session.proto, said here once more so that unit tests of teams get it as a run has it without
 * loading the wire. The compiler holds it against the wire where a result is sent.
 */

export interface TableRow {
  /** Each as JSON. */
  cells: string[];
}

/** The numbers of session.proto. */
export const chartKind = { line: 1, bar: 2 } as const;

export type WireValue =
  | { $case: "text" | "markdown" | "url" | "path"; value: string }
  | { $case: "number" | "integer"; value: number }
  | { $case: "boolean"; value: boolean }
  /** Unix milliseconds. */
  | { $case: "timestampMs"; value: number }
  /** As JSON. */
  | { $case: "json"; value: string }
  | { $case: "table"; value: { columns: string[]; rows: TableRow[] } }
  | {
      $case: "tableSchema";
      value: { columns: { name: string; type: string; nullable?: boolean | undefined; description: string }[] };
    }
  | {
      $case: "columnLineage";
      value: { columns: { name: string; sources: { assetKey: string; column: string }[] }[] };
    }
  | {
      $case: "chart";
      value: {
        /** One of `chartKind`. */
        kind: number;
        labels: string[];
        /** NaN where there is no number. */
        series: { name: string; values: number[] }[];
      };
    };

export interface MetadataEntry {
  name: string;
  value: WireValue | undefined;
}
