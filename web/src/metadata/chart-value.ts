/** The value of a metadata entry of kind `chart`: one value a label, null where a series has none. */
export interface ChartValue {
  readonly type: "line" | "bar";
  readonly labels: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}
