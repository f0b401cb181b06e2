import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
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

/** The variable with the object store that `dev` provides: this process's own, else a folder of the data folder. */
export function objectStoreIn(dataDir: string): { readonly HEADGATE_OBJECT_STORE: string } {
  const own = process.env["HEADGATE_OBJECT_STORE"];
  return { HEADGATE_OBJECT_STORE: own ?? pathToFileURL(resolve(dataDir, "objects")).href };
}
