import type { ConfigProblem } from "./config-problems.ts";
import { editDistance } from "./nearest-key.ts";

/** Words that may admit more fields than `properties` lists. */
const admitting = [
  "additionalProperties",
  "unevaluatedProperties",
  "patternProperties",
  "$ref",
  "allOf",
  "anyOf",
  "oneOf",
];
const listedMax = 20;

/**
 * Fields of an asset's config that its schema does not list. Where the schema leaves open whether there may be more,
 * most libraries drop what they do not know: a misspelt field would change nothing, and nobody would be told.
 */
export function unknownConfigFields(schema: unknown, config: unknown): readonly ConfigProblem[] {
  if (!isRecord(schema) || !isRecord(config)) return [];
  const { properties } = schema;
  if (!isRecord(properties) || admitting.some((word) => Object.hasOwn(schema, word))) return [];
  const known = Object.keys(properties);
  return Object.keys(config)
    .filter((name) => !Object.hasOwn(properties, name))
    .map((name) => ({ path: name, message: `is not known here: ${meantText(name, known)}` }));
}

function meantText(name: string, known: readonly string[]): string {
  const distanceMax = Math.max(2, Math.floor(name.length / 3));
  const [best] = known
    .map((candidate) => ({ candidate, distance: editDistance(candidate, name, distanceMax) }))
    .filter(({ distance }) => distance <= distanceMax)
    .sort((a, b) => a.distance - b.distance);
  if (best !== undefined) return `did you mean ${best.candidate}?`;
  return known.length === 0 ? "it takes no fields" : `it takes ${known.slice(0, listedMax).join(", ")}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
