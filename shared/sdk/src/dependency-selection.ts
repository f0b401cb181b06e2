import type { AnySpec } from "./asset-spec.ts";

/** Assets by themselves, or by a selection as text, such as `"team:flights and not tag:slow"`. */
export type DependencySelection = string | Pick<AnySpec, "key"> | readonly Pick<AnySpec, "key">[];

/** The selection as text. */
export function selectionText(selection: DependencySelection): string {
  if (typeof selection === "string") return selection;
  const assets = "key" in selection ? [selection] : selection;
  return assets.map(({ key }) => key).join(" or ");
}
