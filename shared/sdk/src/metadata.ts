/** What JSON can hold. An undefined member is left out. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined };

/** A cell of a metadata table. */
export type TableCell = string | number | boolean | null;

/** A column of a table whose schema metadata tells. */
export interface TableColumn {
  readonly name: string;
  /** As the place of the table calls it, for example "BIGINT". */
  readonly type: string;
  readonly nullable?: boolean;
  readonly description?: string;
}

/** A column of an upstream asset that another one was made of. */
export interface SourceColumn {
  /** An asset or its spec. */
  readonly asset: { readonly key: string };
  readonly column: string;
}

/** A metadata value that says its kind; a plain string, number, boolean, Date, URL or JSON value works as well. */
export type MetadataValue =
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "markdown"; readonly value: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "integer"; readonly value: number | bigint }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "url"; readonly value: string | URL }
  | { readonly kind: "path"; readonly value: string }
  | { readonly kind: "timestamp"; readonly value: Date }
  | { readonly kind: "json"; readonly value: unknown }
  | {
      readonly kind: "table";
      readonly columns: readonly string[];
      readonly rows: readonly (readonly TableCell[])[];
    }
  /** The columns of a stored table; 1,000 at most. */
  | { readonly kind: "tableSchema"; readonly columns: readonly TableColumn[] }
  /** By column, which columns of other assets it was made of; 1,000 columns and 10,000 sources at most. */
  | { readonly kind: "columnLineage"; readonly columns: Readonly<Record<string, readonly SourceColumn[]>> }
  /** Numbers over labels: 1,000 labels and 20 series at most; null where a series has no number. */
  | {
      readonly kind: "chart";
      readonly type: "line" | "bar";
      readonly labels: readonly string[];
      /** By name, one number a label. */
      readonly series: Readonly<Record<string, readonly (number | null)[]>>;
    };

/** What may be given as metadata: each value at most 64 KiB, cut with a marker beyond. */
export type MetadataInput = MetadataValue | bigint | Date | URL | JsonValue;

/** Names to values. */
export type Metadata = Readonly<Record<string, MetadataInput>>;
