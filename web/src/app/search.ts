/*
 * What pages keep in their address. Read leniently: an address that somebody shortened by hand opens the page and not
 * an error.
 */

export interface GraphSearch {
  /** A selection, in the language of the command line. */
  readonly sel?: string;
  /** The asset key in the middle. */
  readonly focus?: string;
}

export function graphSearch(search: Readonly<Record<string, unknown>>): GraphSearch {
  return { ...text(search, "sel"), ...text(search, "focus") };
}

function text<K extends string>(search: Readonly<Record<string, unknown>>, name: K): { readonly [P in K]?: string } {
  const value = search[name];
  return typeof value === "string" && value !== "" ? ({ [name]: value } as { [P in K]: string }) : {};
}
