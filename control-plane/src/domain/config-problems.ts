/*
 * Whether config can be what its asset asks for, by the JSON Schema that its library exports. A library may take more
 * than its schema says, and the location judges in the end: only what cannot be is refused, and words that are not known
 * here are passed over. So are patterns: a text of a team must not decide how long the control plane computes.
 */

/** What is wrong, and where: "" at the top, else "rows[1].name". */
export interface ConfigProblem {
  readonly path: string;
  readonly message: string;
}

const problemsMax = 10;
const depthMax = 32;
/** Places of the schema and the value that are looked at, at most; what is beyond is left to the location. */
const looksMax = 20_000;
const listedMax = 20;

type Schema = Readonly<Record<string, unknown>>;

/** Holds config against a JSON Schema. Empty where nothing is known to be wrong. */
export function configProblems(schema: unknown, config: unknown): readonly ConfigProblem[] {
  return new ConfigChecker(schema).problems(schema, config, "", 0).slice(0, problemsMax);
}

class ConfigChecker {
  readonly #root: unknown;
  #looks = 0;

  constructor(root: unknown) {
    this.#root = root;
  }

  problems(given: unknown, value: unknown, path: string, depth: number): ConfigProblem[] {
    if (given === false) return [{ path, message: "nothing may be given here" }];
    const schema = this.#resolved(given);
    if (schema === undefined || depth > depthMax || ++this.#looks > looksMax) return [];
    const wrongType = typeProblem(schema, value);
    if (wrongType !== undefined) return [{ path, message: wrongType }];
    return [
      ...valueProblems(schema, value).map((message) => ({ path, message })),
      ...this.#propertyProblems(schema, value, path, depth),
      ...this.#itemProblems(schema, value, path, depth),
      ...this.#combinedProblems(schema, value, path, depth),
    ];
  }

  /** A schema with what a local reference stands for. */
  #resolved(given: unknown, hops = 0): Schema | undefined {
    if (!isRecord(given)) return undefined;
    const reference = given["$ref"];
    if (typeof reference !== "string") return given;
    if (!reference.startsWith("#/") || hops > depthMax) return undefined;
    let at: unknown = this.#root;
    for (const part of reference.slice(2).split("/")) {
      const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
      at = isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined;
    }
    return this.#resolved(at, hops + 1);
  }

  #propertyProblems(schema: Schema, value: unknown, path: string, depth: number): ConfigProblem[] {
    if (!isRecord(value)) return [];
    const problems: ConfigProblem[] = [];
    const properties = isRecord(schema["properties"]) ? schema["properties"] : {};
    for (const name of list(schema["required"])) {
      if (typeof name === "string" && !Object.hasOwn(value, name)) {
        problems.push({ path: joined(path, name), message: "is required" });
      }
    }
    const patterned = isRecord(schema["patternProperties"]);
    for (const [name, part] of Object.entries(value)) {
      if (problems.length >= problemsMax) break;
      const where = joined(path, name);
      if (Object.hasOwn(properties, name)) problems.push(...this.problems(properties[name], part, where, depth + 1));
      else if (schema["additionalProperties"] === false && !patterned) {
        problems.push({ path: where, message: `is not known here${knownText(Object.keys(properties))}` });
      } else if (!patterned) problems.push(...this.problems(schema["additionalProperties"], part, where, depth + 1));
    }
    return problems;
  }

  #itemProblems(schema: Schema, value: unknown, path: string, depth: number): ConfigProblem[] {
    if (!Array.isArray(value)) return [];
    const first = list(schema["prefixItems"]);
    const problems: ConfigProblem[] = [];
    for (const [n, item] of value.entries()) {
      if (problems.length >= problemsMax || this.#looks > looksMax) break;
      const itemSchema = n < first.length ? first[n] : schema["items"];
      problems.push(...this.problems(itemSchema, item, `${path}[${n}]`, depth + 1));
    }
    return problems;
  }

  #combinedProblems(schema: Schema, value: unknown, path: string, depth: number): ConfigProblem[] {
    const problems = list(schema["allOf"]).flatMap((part) => this.problems(part, value, path, depth + 1));
    for (const word of ["anyOf", "oneOf"]) {
      const branches = list(schema[word]).map((branch) => this.problems(branch, value, path, depth + 1));
      if (branches.length === 0 || branches.some((found) => found.length === 0)) continue;
      const [only] = branches;
      if (branches.length === 1 && only !== undefined) problems.push(...only);
      else problems.push({ path, message: `is none of the ${branches.length} forms that it may have` });
    }
    return problems;
  }
}

function typeProblem(schema: Schema, value: unknown): string | undefined {
  const given = schema["type"];
  const types = (Array.isArray(given) ? given : [given]).filter((type): type is string => typeof type === "string");
  if (types.length === 0 || types.some((type) => isOfType(type, value))) return undefined;
  return `must be ${types.map(typeText).join(" or ")}, and is ${shown(value)}`;
}

function isOfType(type: string, value: unknown): boolean {
  // Libraries that coerce export the type that they make of it.
  const isNumeral = typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value));
  switch (type) {
    case "object":
      return isRecord(value);
    case "array":
      return Array.isArray(value);
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value) || isNumeral;
    case "number":
      return typeof value === "number" || isNumeral;
    case "string":
    case "boolean":
      return typeof value === type;
    default:
      return true;
  }
}

const typeTexts: Readonly<Record<string, string>> = {
  object: "an object",
  array: "a list",
  null: "null",
  integer: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
};

function typeText(type: string): string {
  return typeTexts[type] ?? type;
}

function valueProblems(schema: Schema, value: unknown): string[] {
  const problems: string[] = [];
  const allowed = "const" in schema ? [schema["const"]] : Array.isArray(schema["enum"]) ? schema["enum"] : undefined;
  if (allowed !== undefined && !allowed.some((one) => JSON.stringify(one) === JSON.stringify(value))) {
    problems.push(`must be ${listed(allowed.map(shown), " or ")}, and is ${shown(value)}`);
  }
  if (typeof value === "number") problems.push(...boundProblems(schema, value));
  if (typeof value === "string") {
    // In code points, as the specification counts.
    problems.push(...lengthProblems(schema, [...value].length, "Length", "characters"));
  }
  if (Array.isArray(value)) problems.push(...lengthProblems(schema, value.length, "Items", "items"));
  return problems;
}

function boundProblems(schema: Schema, value: number): string[] {
  const bounds: readonly (readonly [string, string, (bound: number) => boolean])[] = [
    ["minimum", "at least", (bound) => value >= bound],
    ["maximum", "at most", (bound) => value <= bound],
    ["exclusiveMinimum", "above", (bound) => value > bound],
    ["exclusiveMaximum", "below", (bound) => value < bound],
  ];
  return bounds.flatMap(([word, says, holds]) => {
    const bound = schema[word];
    return typeof bound !== "number" || holds(bound) ? [] : [`must be ${says} ${bound}, and is ${value}`];
  });
}

function lengthProblems(schema: Schema, length: number, suffix: string, unit: string): string[] {
  const min = schema[`min${suffix}`];
  const max = schema[`max${suffix}`];
  if (typeof min === "number" && length < min) return [`must have at least ${min} ${unit}, and has ${length}`];
  if (typeof max === "number" && length > max) return [`must have at most ${max} ${unit}, and has ${length}`];
  return [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function joined(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function knownText(names: readonly string[]): string {
  return names.length === 0 ? "" : `; known: ${listed(names, ", ")}`;
}

function listed(words: readonly string[], between: string): string {
  const more = words.length - listedMax;
  return `${words.slice(0, listedMax).join(between)}${more > 0 ? ` (and ${more} more)` : ""}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isRecord(value)) return "an object";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}
