import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseAssetKey, teamOf } from "@headgate/model";
import { openTrial, type Trial } from "@headgate/sdk/serve";
import { locationEnvironment, objectStoreIn } from "../../launchers/location-environment.ts";
import { readWorkspace } from "../../workspace/read-workspace.ts";
import { formatWorkspaceProblem, type ModuleEntry } from "../../workspace/workspace.ts";
import { CliError } from "../cli-error.ts";

/** The code that defines an asset, loaded. */
export interface TriedLocation {
  readonly trial: Trial;
  readonly name: string;
  /** The folder that its sources are relative to. */
  readonly folder: string;
}

export interface FindOptions {
  readonly asset: string;
  /** Path of workspace.yaml. */
  readonly workspace: string;
  readonly dataDir: string;
  readonly signal: AbortSignal;
  readonly inspecting: ((url: string) => void) | undefined;
}

/**
 * Loads the module of the workspace that defines an asset, with the environment that `dev` would give it: this process's
 * own becomes that.
 *
 * @throws CliError for an asset that no module of its team defines, or that is refused
 */
export async function findLocation(options: FindOptions): Promise<TriedLocation> {
  const { asset } = options;
  const key = parseAssetKey(asset);
  if (key === undefined) throw new CliError("try.bad_asset", `${asset} is no asset key.`, "Name one asset: team/name.");
  const entries = await entriesOf(options.workspace, teamOf(key));
  const own = { ...process.env };
  let known: readonly string[] = [];
  let problems: readonly string[] = [];
  for (const entry of entries) {
    useEnvironment(own);
    useEnvironment(locationEnvironment(entry, await provided(entry, options.dataDir)));
    const trial = await openTrial({
      module: entry.path,
      signal: options.signal,
      inspecting: options.inspecting,
    });
    const found = { trial, name: entry.locationName, folder: folderOf(entry.path) };
    const wrong = trial.problems(asset).map(({ code, message, hint, place }) => {
      const at = place === "" ? "" : `${join(found.folder, place)}: `;
      return `${at}${message} [${code}]${hint === "" ? "" : `\n    ${hint}`}`;
    });
    if (trial.defines(asset)) return found;
    if (trial.assetKeys.includes(asset)) throw new CliError("try.definition_refused", wrong.join("\n"), "");
    known = [...known, ...trial.assetKeys];
    problems = [...problems, ...wrong];
    if (entries.length === 1 && wrong.length === 0) return found;
  }
  const hint = problems.length > 0 ? problems.join("\n") : `They define ${known.join(", ") || "none"}.`;
  throw new CliError("try.asset_unknown", `No module of team ${teamOf(key)} defines ${asset}.`, hint);
}

/** The modules of a team, in the order of the file. */
async function entriesOf(workspace: string, team: string): Promise<readonly ModuleEntry[]> {
  const { entries, problems, file, readable } = await readWorkspace(workspace);
  if (!readable) {
    const hint = "Name the workspace with --workspace.";
    throw new CliError("try.no_workspace", problems.map(formatWorkspaceProblem).join("\n"), hint);
  }
  const ofTeam = entries.filter((entry) => entry.team === team);
  const modules = ofTeam.filter((entry) => entry.kind === "module");
  if (modules.length > 0) return modules;
  const teams = [...new Set(entries.filter(({ kind }) => kind === "module").map((entry) => entry.team))];
  const wrong = problems.map(formatWorkspaceProblem);
  const hint =
    ofTeam.length > 0
      ? `Its code is deployed elsewhere. For a checkout of it, add an entry to the workspace: module: { path: ..., location_name: ${team} }.`
      : wrong.length > 0
        ? wrong.join("\n")
        : `It has modules of ${teams.join(", ") || "no team"}.`;
  throw new CliError("try.no_module", `${file} has no module of team ${team}.`, hint);
}

function folderOf(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path;
}

/** What `dev` provides a location with, as far as it is there. */
async function provided(entry: ModuleEntry, dataDir: string): Promise<Readonly<Record<string, string>>> {
  return { ...objectStoreIn(dataDir), ...(await databaseOf(entry, dataDir)) };
}

/** The location's own database on the embedded Postgres; where `dev` has made none the variable stays unset. */
async function databaseOf({ database, locationName }: ModuleEntry, dataDir: string): Promise<Record<string, string>> {
  if (database === undefined || process.env[database]) return {};
  const { knownLocationDatabase } = await import("../../storage/location-database.ts");
  const url = await knownLocationDatabase(join(resolve(dataDir), "postgres"), locationName);
  return url === undefined ? {} : { [database]: url };
}

function useEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (env[name] === undefined) delete process.env[name];
  Object.assign(process.env, env);
}
