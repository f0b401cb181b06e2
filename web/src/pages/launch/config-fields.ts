export interface ConfigField {
  readonly name: string;
  readonly type: "text" | "number" | "boolean" | "choice" | "json";
  readonly choices: readonly string[];
  readonly required: boolean;
  readonly hint: string;
  /** As it is typed; "" if the schema gives none. */
  readonly byDefault: string;
}

interface Schema {
  readonly type?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: unknown;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** The fields of a JSON schema of an object; what is no plain value is typed as JSON. */
export function configFields(schema: unknown): readonly ConfigField[] {
  const { properties = {}, required = [] } = (schema ?? {}) as Schema;
  return Object.entries(properties).map(([name, field]) => ({
    name,
    type: typeOf(field),
    choices: (field.enum ?? []).map(String),
    required: required.includes(name) && field.default === undefined,
    hint: typeof field.description === "string" ? field.description : "",
    byDefault: field.default === undefined ? "" : textOf(field.default),
  }));
}

function typeOf({ enum: choices, type }: Schema): ConfigField["type"] {
  if (choices !== undefined && choices.every((choice) => typeof choice === "string")) return "choice";
  if (type === "string") return "text";
  if (type === "number" || type === "integer") return "number";
  return type === "boolean" ? "boolean" : "json";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What was typed as the value that the schema asks for; text that is no such value stays text, for the server to refuse. */
export function fieldValue(type: ConfigField["type"], text: string): unknown {
  if (type === "text" || type === "choice") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
