export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined };

/** A cell of a metadata table. */
export type TableCell = string | number | boolean | null;

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
    };

/** What may be given as metadata: each value at most 64 KiB, cut with a marker beyond. */
export type MetadataInput = MetadataValue | bigint | Date | URL | JsonValue;

/** Names to values. */
export type Metadata = Readonly<Record<string, MetadataInput>>;
