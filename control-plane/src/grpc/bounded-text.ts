import { type AssetKey, assetKeyRule, cleanText, parseAssetKey } from "@headgate/model";
import { WireError, missingField } from "./wire-error.ts";

const segment = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Text for people: cleaned for storage, and cut with a marker beyond `lengthMax` UTF-16 units. */
export function boundedText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return cleanText(text);
  // Cutting may halve a pair of surrogates; cleaning after the cut takes the lone half away.
  return `${cleanText(text.slice(0, lengthMax))}… (${text.length - lengthMax} more characters were cut)`;
}

/** Text that means something as a whole: cleaned, and refused beyond `lengthMax`. */
export function exactText(field: string, text: string, lengthMax = 255): string {
  if (text.length > lengthMax) {
    throw new WireError("wire.too_large", `${field} has ${text.length} characters, of at most ${lengthMax}`);
  }
  return cleanText(text);
}

/** As `exactText`, and not empty. */
export function requiredText(field: string, text: string, lengthMax = 255): string {
  const clean = exactText(field, text, lengthMax);
  if (clean === "") throw missingField(field);
  return clean;
}

export function assetKeyText(field: string, text: string): AssetKey {
  const key = parseAssetKey(text);
  if (key !== undefined) return key;
  throw new WireError("wire.invalid_text", `${field} is ${quoted(text)}; ${assetKeyRule}`);
}

/** The name of a team or a check. */
export function nameText(field: string, text: string): string {
  if (segment.test(text)) return text;
  const rule = "a name is 1 to 63 characters of a-z, 0-9, _ and -, starting with a letter or digit";
  throw new WireError("wire.invalid_text", `${field} is ${quoted(text)}; ${rule}`);
}

/** Ids are made by the control plane, so one that is no UUID names nothing. */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}

export function quoted(text: string): string {
  return JSON.stringify(boundedText(text, 100));
}
