import type { MetadataView } from "../domain/gate.ts";

const textKinds = ["markdown", "url", "path", "text"];

/** Metadata as a report gives it, in the form in which all metadata is kept. */
export function reportedMetadata(values: Readonly<Record<string, unknown>>): MetadataView[] {
  return Object.entries(values).map(([name, value]) => ({ name, ...entryOf(value) }));
}

function entryOf(value: unknown): Pick<MetadataView, "kind" | "value"> {
  if (typeof value === "string") return { kind: "text", value };
  if (typeof value === "boolean") return { kind: "boolean", value };
  if (typeof value === "number") return { kind: Number.isSafeInteger(value) ? "integer" : "number", value };
  return said(value) ?? { kind: "json", value: value ?? null };
}

/** `{ kind, value }` of a kind that is text; anything else is JSON like other JSON. */
function said(given: unknown): Pick<MetadataView, "kind" | "value"> | undefined {
  if (typeof given !== "object" || given === null || Object.keys(given).length !== 2) return undefined;
  const { kind, value } = given as { kind?: unknown; value?: unknown };
  if (typeof kind !== "string" || typeof value !== "string") return undefined;
  if (textKinds.includes(kind)) return { kind, value };
  const atMs = kind === "timestamp" ? Date.parse(value) : NaN;
  return Number.isNaN(atMs) ? undefined : { kind: "timestamp", value: atMs };
}
