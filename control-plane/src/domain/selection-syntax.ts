import type { AssetKey } from "@headgate/model";

/** A choice of assets, as people type it. What `parseSelection` returns and `formatSelection` writes. */
export type Selection =
  | { readonly kind: "key"; readonly key: AssetKey }
  /** `*` stands for any characters, "/" as well: `flights/*` is everything of team flights. */
  | { readonly kind: "glob"; readonly pattern: string }
  | { readonly kind: "filter"; readonly by: FilterName; readonly value: string }
  /** Without a value: has the tag. */
  | { readonly kind: "tag"; readonly name: string; readonly value?: string }
  /** `of`, and what lies up to so many edges upstream and downstream of it. */
  | { readonly kind: "around"; readonly of: Selection; readonly upstream: Distance; readonly downstream: Distance }
  | { readonly kind: "not"; readonly of: Selection }
  | { readonly kind: "and"; readonly of: readonly Selection[] }
  | { readonly kind: "or"; readonly of: readonly Selection[] };

/** In edges; 0: none. */
export type Distance = number | "all";

export type FilterName = "team" | "group" | "kind" | "status";

/** Every word that may stand before a colon. */
export const filterNames: readonly (FilterName | "tag")[] = ["team", "group", "tag", "kind", "status"];

/** Characters of a key, and those that a filter's value may have without quotes. */
const plainKey = /^[a-z0-9_/-]+$/;
const plainValue = /^[\p{L}\p{N}_./@-]+$/u;

/** The text that `parseSelection` reads back as the same selection, with as few parentheses and quotes as that takes. */
export function formatSelection(selection: Selection): string {
  switch (selection.kind) {
    case "key":
      return plainKey.test(selection.key) ? selection.key : quoted(selection.key);
    case "glob":
      return selection.pattern;
    case "filter":
      return `${selection.by}:${value(selection.value)}`;
    case "tag":
      return `tag:${value(selection.name)}${selection.value === undefined ? "" : `=${value(selection.value)}`}`;
    case "around":
      return formatAround(selection);
    case "not":
      return `not ${operand(selection.of, ["and", "or"])}`;
    case "and":
      return selection.of.map((part) => operand(part, ["and", "or"])).join(" and ");
    case "or":
      return selection.of.map((part) => operand(part, ["or"])).join(" or ");
  }
}

function formatAround({ of, upstream, downstream }: Selection & { kind: "around" }): string {
  const before = upstream === 0 ? "" : upstream === "all" ? "+" : `${upstream}+`;
  const after = downstream === 0 ? "" : downstream === "all" ? "+" : `+${downstream}`;
  return `${before}${operand(of, ["and", "or", "not", "around"])}${after}`;
}

function operand(selection: Selection, inParentheses: readonly Selection["kind"][]): string {
  const text = formatSelection(selection);
  return inParentheses.includes(selection.kind) ? `(${text})` : text;
}

function value(text: string): string {
  return plainValue.test(text) ? text : quoted(text);
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
