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

/** The variable `name` of the location's environment; an error when it is not set and there is no default. */
export function env(name: string, defaultValue?: string): EnvReference {
  return Object.freeze({ kind: "env", name, ...(defaultValue !== undefined && { default: defaultValue }) });
}

/** The variable `name` of the location's environment, never shown: read it with `context.read(secret("NAME"))`. */
export function secret(name: string): SecretReference {
  return Object.freeze({ kind: "secret", name });
}
