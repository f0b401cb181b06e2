import { cleanText } from "@headgate/model";

const depthMax = 100;

/**
 * A parsed JSON value that can be stored: text cleaned in values and member names, since `"\u0000"` is legal JSON and
 * no jsonb. `undefined` if it is nested too deep.
 */
export function cleanJson(value: unknown, depth = 0): { readonly value: unknown } | undefined {
  if (typeof value === "string") return { value: cleanText(value) };
  if (typeof value !== "object" || value === null) return { value };
  if (depth === depthMax) return undefined;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value as unknown[]) {
      const clean = cleanJson(item, depth + 1);
      if (clean === undefined) return undefined;
      items.push(clean.value);
    }
    return { value: items };
  }
  const members: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    const clean = cleanJson(member, depth + 1);
    if (clean === undefined) return undefined;
    members.push([cleanText(name), clean.value]);
  }
  return { value: Object.fromEntries(members) };
}

/** The value that this JSON text says, cleaned; `undefined` if it is no JSON, or nested too deep. */
export function parseCleanJson(text: string): { readonly value: unknown } | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  return cleanJson(parsed);
}
