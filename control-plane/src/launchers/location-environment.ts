import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import type { ModuleEntry } from "../workspace/workspace.ts";

/** Credentials of the control plane, which are no location's business. */
const withheld = ["HEADGATE_DATABASE_URL", "HEADGATE_TOKENS", "HEADGATE_TOKEN"];

/**
 * The environment of a module's process: this one's, then what it is provided with, the entry's `env_file` and its `env`.
 *
 * @throws Error if the `env_file` cannot be read
 */
export function locationEnvironment(
  entry: Pick<ModuleEntry, "env" | "envFile">,
  provided: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !withheld.includes(name)));
  const fromFile = entry.envFile === undefined ? {} : parseEnv(readFileSync(entry.envFile, "utf8"));
  return { ...own, ...provided, ...fromFile, ...entry.env };
}
