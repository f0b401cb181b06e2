export type Interpolated = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly name: string };

const variable = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Fills in `${NAME}` and `${NAME:-default}` (used if the variable is unset or empty, as a shell does). `$${` is a plain
 * `${`. Answers with the name of the first variable that is missing.
 */
export function interpolate(text: string, env: Readonly<Record<string, string | undefined>>): Interpolated {
  let missing: string | undefined;
  const filled = text.replace(variable, (match, name: string | undefined, fallback: string | undefined) => {
    if (name === undefined) return "${";
    const value = env[name];
    if (fallback !== undefined) return value === undefined || value === "" ? fallback : value;
    if (value === undefined) missing ??= name;
    return value ?? match;
  });
  return missing === undefined ? { ok: true, text: filled } : { ok: false, name: missing };
}
