import { destinations } from "./navigation.ts";

export interface PaletteEntry {
  readonly kind: "page" | "asset" | "run" | "do";
  readonly text: string;
  readonly href: string;
}

/** What the palette finds: pages, and of each asset its page and what can be done with it. */
export function paletteEntries(assets: readonly { readonly key: string }[]): readonly PaletteEntry[] {
  const pages: readonly PaletteEntry[] = destinations.map(({ label, to }) => ({ kind: "page", text: label, href: to }));
  const keys = assets.map(({ key }) => key);
  return [
    ...pages,
    ...keys.map((key) => ({ kind: "asset" as const, text: key, href: `/assets/${encodeURIComponent(key)}` })),
    ...keys.map((key) => ({
      kind: "do" as const,
      text: `Materialize ${key}`,
      href: `/launch?sel=${encodeURIComponent(key)}`,
    })),
  ];
}
