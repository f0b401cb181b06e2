declare const brand: unique symbol;

/** `team/name`: 2 to 5 segments, the first of which is the owning team. Minted by `parseAssetKey` alone. */
export type AssetKey = string & { readonly [brand]: "AssetKey" };

const segment = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const lengthMax = 255;

/** The rule in words, for messages that refuse a key. */
export const assetKeyRule =
  "an asset key is team/name: 2 to 5 segments of a-z, 0-9, _ and -, each starting with a letter or digit " +
  "and at most 63 long, 255 characters in all";

/** The key, or `undefined` if the text breaks `assetKeyRule`. */
export function parseAssetKey(text: string): AssetKey | undefined {
  if (text.length > lengthMax) return undefined;
  const segments = text.split("/");
  if (segments.length < 2 || segments.length > 5) return undefined;
  return segments.every((part) => segment.test(part)) ? (text as AssetKey) : undefined;
}

/** The owning team: the first segment. */
export function teamOf(key: AssetKey): string {
  return key.slice(0, key.indexOf("/"));
}
