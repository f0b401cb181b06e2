/** A variable of the location's environment, read when a resource is created. */
export interface EnvReference {
  readonly kind: "env";
  readonly name: string;
  readonly default?: string;
}

/** As `EnvReference`, and its value is struck out of logs, metadata and errors. */
export interface SecretReference {
  readonly kind: "secret";
  readonly name: string;
}

/** A setting of a resource: a text, or where the location finds it. */
export type Setting = string | EnvReference | SecretReference;

/** Shared by every copy of this package in a process: a location's and the worker's may be two. */
const registry = Symbol.for("headgate.required-variables");
const requiredMax = 1_000;

function required(): Set<string> {
  return ((globalThis as { [registry]?: Set<string> })[registry] ??= new Set());
}

/** Variables that references without a default have named since the process began, set or not; ordered by name. */
export function requiredVariables(): readonly string[] {
  return [...required()].sort();
}

function noteRequired(name: string): void {
  const names = required();
  if (names.size < requiredMax) names.add(name);
}

/** The variable `name` of the location's environment; an error when it is not set and there is no default. */
export function env(name: string, defaultValue?: string): EnvReference {
  if (defaultValue === undefined) noteRequired(name);
  return Object.freeze({ kind: "env", name, ...(defaultValue !== undefined && { default: defaultValue }) });
}

/** The variable `name` of the location's environment, never shown: read it with `context.read(secret("NAME"))`. */
export function secret(name: string): SecretReference {
  noteRequired(name);
  return Object.freeze({ kind: "secret", name });
}
