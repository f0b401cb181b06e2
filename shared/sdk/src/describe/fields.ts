import { failedModuleOf } from "./failed-module.ts";
import { nearestName } from "./nearest-name.ts";
import { DefinitionProblem } from "./problem.ts";

/** What a field must be: a test and the words for it. */
export interface FieldRule {
  readonly is: (value: unknown) => boolean;
  readonly words: string;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isTextList = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === "string");

export const text: FieldRule = { is: (value) => typeof value === "string", words: "a text" };
export const filledText: FieldRule = {
  is: (value) => typeof value === "string" && value !== "",
  words: "a text that is not empty",
};
export const flag: FieldRule = { is: (value) => typeof value === "boolean", words: "true or false" };
export const texts: FieldRule = { is: isTextList, words: "a list of texts" };
export const callable: FieldRule = { is: (value) => typeof value === "function", words: "a function" };
export const record: FieldRule = { is: isRecord, words: "an object" };
export const anything: FieldRule = { is: () => true, words: "anything" };
export const textRecord: FieldRule = {
  is: (value) => isRecord(value) && Object.values(value).every((item) => typeof item === "string"),
  words: "an object of texts",
};
/** What a timer can wait: 24 days. */
const durationMsMax = 2_147_483_647;
export const milliseconds: FieldRule = {
  is: (value) => Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= durationMsMax,
  words: `a whole number of milliseconds from 1 to ${durationMsMax} (24 days)`,
};
/** Whole numbers between two bounds, both included. */
export const wholeNumber = (min: number, max: number): FieldRule => ({
  is: (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  words: `a whole number from ${min} to ${max}`,
});
export const oneOf = (...values: readonly string[]): FieldRule => ({
  is: (value) => typeof value === "string" && values.includes(value),
  words: values.map((value) => JSON.stringify(value)).join(" or "),
});

/**
 * Holds the fields of `definition` against their rules; absent ones pass.
 *
 * @throws DefinitionProblem for a field that nobody knows, naming the nearest that is known, or one of the wrong form
 */
export function checkFields(what: string, definition: object, rules: Readonly<Record<string, FieldRule>>): void {
  for (const [name, value] of Object.entries(definition)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) {
      const nearest = nearestName(name, Object.keys(rules));
      const hint = nearest ? `Did you mean "${nearest}"?` : `Known fields: ${Object.keys(rules).join(", ")}.`;
      throw new DefinitionProblem("definition.unknown_field", `${what} has an unknown field "${name}".`, hint);
    }
    refuseFailedModule(`"${name}" of ${what}`, value);
    if (value === undefined || rule.is(value)) continue;
    throw new DefinitionProblem(
      "definition.invalid",
      `"${name}" of ${what} must be ${rule.words}, and is ${describeValue(value)}.`,
      `Give \`${name}\` ${rule.words}, or leave it out.`,
    );
  }
}

/** @throws DefinitionProblem `definition.module_failed` */
export function refuseFailedModule(what: string, value: unknown): void {
  const module = failedModuleOf(value);
  if (module === undefined) return;
  throw new DefinitionProblem(
    "definition.module_failed",
    `${what} comes from ${module}, which did not load.`,
    `Mend ${module}; its own error says what is wrong with it.`,
  );
}

export function describeValue(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return JSON.stringify(value) ?? typeof value;
}
